/**
 * The work of `server.ts echo`: sending back all that comes.
 *
 * @module
 */

import { echo as echoHandler } from "../../../protocols/echo.ts";
import { openListener, serveUntilStopped } from "../../serving/serving.ts";
import type { Session } from "../../session.ts";
import type { EchoServerOptions } from "./server_options.ts";

/** Serves until a signal says stop; resolves to the exit code. */
export async function runEchoServer(
  options: EchoServerOptions,
  session: Session,
): Promise<number> {
  const signals = session.onSignals();
  if (options.protocol === "datagram") {
    return await (await import("./udp_server.ts")).echoUdpServer(options, session, signals);
  }
  if (options.protocol === "message") {
    return await (await import("./web_socket_server.ts")).echoMessages(options, session, signals);
  }
  const { serving, workers, handler, log } = options;
  if (workers !== undefined) {
    const { serveInWorkers } = await import("../../serving/workers.ts");
    const { WORKER_MODULE } = await import("./worker.ts");
    const init = { ...serving, workers, log, module: WORKER_MODULE, handlerOptions: handler };
    return await serveInWorkers(init, session, signals);
  }
  const opened = await openListener(serving, session);
  return await serveUntilStopped(opened, echoHandler(handler), serving.limits, session, signals);
}
