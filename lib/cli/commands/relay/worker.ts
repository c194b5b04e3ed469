/**
 * The module that each worker of the relay runs.
 *
 * @module
 */

import type { WorkerMain } from "../../../workers/protocol.ts";
import { switchboardTranscript } from "../../io/transcript.ts";
import { workerMain } from "../../serving/worker.ts";
import { relayHandler } from "./handler.ts";
import type { RelayTargetOptions } from "./web_socket_target.ts";

/** The URL of this file. */
export const WORKER_MODULE: string = import.meta.url;

const main: WorkerMain = workerMain<RelayTargetOptions>({
  handler: relayHandler,
  transcript: switchboardTranscript,
});
export default main;
