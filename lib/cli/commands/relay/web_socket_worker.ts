/**
 * The module that each worker of `relay --ws` runs.
 *
 * @module
 */

import type { WorkerMain } from "../../../workers/protocol.ts";
import { switchboardTranscript } from "../../io/transcript.ts";
import { workerMain } from "../../serving/worker_main.ts";
import { serveIn } from "../../web_socket/serving.ts";
import { type WebSocketRelay, webSocketRelayHandler } from "./web_socket_handler.ts";

/** The URL of this file. */
export const WORKER_MODULE: string = import.meta.url;

const main: WorkerMain = workerMain<WebSocketRelay>({
  async serve(listener, serving, options, context) {
    const handler = await webSocketRelayHandler(options, serving.signal!, context);
    const { trustProxy } = options.messages;
    return await serveIn(listener, handler, { ...serving, trustProxy }, context.log);
  },
  transcript: switchboardTranscript,
});
export default main;
