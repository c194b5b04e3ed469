/**
 * The module that each worker of `echo --ws` runs.
 *
 * @module
 */

import type { WorkerMain } from "../../../workers/protocol.ts";
import { serverTranscript } from "../../io/transcript.ts";
import { workerMain } from "../../serving/worker_main.ts";
import type { MessageOptions } from "../../web_socket/options.ts";
import { serveIn } from "../../web_socket/serving.ts";
import { echoHandler } from "./web_socket_handler.ts";

/** The URL of this file. */
export const WORKER_MODULE: string = import.meta.url;

const main: WorkerMain = workerMain<MessageOptions>({
  serve(listener, serving, options, context) {
    const { trustProxy } = options;
    return serveIn(
      listener,
      echoHandler(options, context),
      { ...serving, trustProxy },
      context.log,
    );
  },
  transcript: serverTranscript,
});
export default main;
