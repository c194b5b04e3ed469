/**
 * The module that each worker of the relay runs.
 *
 * @module
 */

import { serve } from "../../../serve/serve.ts";
import type { WorkerMain } from "../../../workers/protocol.ts";
import { switchboardTranscript } from "../../io/transcript.ts";
import { workerMain } from "../../serving/worker_main.ts";
import { handlerTo } from "./handler.ts";
import type { RelayTo } from "./targets.ts";

/** The URL of this file. */
export const WORKER_MODULE: string = import.meta.url;

const main: WorkerMain = workerMain<RelayTo>({
  async serve(listener, serving, to, { log, transport, clock, life }) {
    const handler = await handlerTo(to, log, transport, clock, life);
    return await serve(listener, handler, serving).finished;
  },
  transcript: switchboardTranscript,
});
export default main;
