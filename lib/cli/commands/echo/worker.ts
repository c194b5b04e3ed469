/**
 * The module that each worker of the echo server runs.
 *
 * @module
 */

import { echo } from "../../../protocols/echo.ts";
import { serve } from "../../../serve/serve.ts";
import type { WorkerMain } from "../../../workers/protocol.ts";
import { serverTranscript } from "../../io/transcript.ts";
import { workerMain } from "../../serving/worker_main.ts";
import type { EchoHandlerOptions } from "./server_options.ts";

/** The URL of this file. */
export const WORKER_MODULE: string = import.meta.url;

const main: WorkerMain = workerMain<EchoHandlerOptions>({
  serve: (listener, serving, options) => serve(listener, echo(options), serving).finished,
  transcript: serverTranscript,
});
export default main;
