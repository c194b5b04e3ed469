/**
 * `server.ts echo --ws`: the echo server of messages.
 *
 * @module
 */

import type { Signals } from "../../io/signals.ts";
import { openListener } from "../../serving/serving.ts";
import type { Session } from "../../session.ts";
import { WEB_SOCKETS } from "../../web_socket/options.ts";
import { serveWebSockets } from "../../web_socket/serving.ts";
import type { EchoMessageOptions } from "./server_options.ts";
import { echoHandler } from "./web_socket_handler.ts";

/** Serves until a signal says stop; resolves to the exit code. */
export async function echoMessages(
  { serving, workers, messages, log }: EchoMessageOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  if (workers !== undefined) {
    const { serveInWorkers } = await import("../../serving/workers.ts");
    const { WORKER_MODULE } = await import("./web_socket_worker.ts");
    const init = { ...serving, workers, log, handlerOptions: messages };
    const more = { module: WORKER_MODULE, spoken: WEB_SOCKETS, stopped: "webSockets" } as const;
    return await serveInWorkers({ ...init, ...more }, session, signals);
  }
  const opened = await openListener(serving, session, undefined, WEB_SOCKETS);
  const { trustProxy } = messages;
  const handler = echoHandler(messages, { log: session.log, clock: session.io.clock });
  return await serveWebSockets(
    { ...opened, trustProxy },
    handler,
    serving.limits,
    session,
    signals,
  );
}
