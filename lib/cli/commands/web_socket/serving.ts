/**
 * How programs serve WebSockets.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { SocketError } from "../../../base/errors.ts";
import { requireHost } from "../../../files/hosts.ts";
import type { LightHandler } from "../../../http/server/light.ts";
import { serveLight } from "../../../http/server/server.ts";
import { websocket, type WsConn, WsError, type WsServerOptions } from "../../../http/ws/mod.ts";
import type { ServeSummary } from "../../../serve/serve.ts";
import type { Signals } from "../../io/signals.ts";
import type { LimitOptions } from "../../options/limits.ts";
import { fullNotice } from "../../serving/full.ts";
import type { Opened, Spoken } from "../../serving/serving.ts";
import { conclude, tellMistake, tellStop } from "../../serving/tell.ts";
import type { Session } from "../../session.ts";
import type { OriginOptions } from "./options.ts";

/** A port for WebSockets. */
export const WEB_SOCKETS: Spoken = { plain: "ws", secure: "wss", path: "/" };

/** A port for pages of a browser. */
export const PAGES: Spoken = { plain: "http", secure: "https", path: "/" };

/** Makes the handler of requests: each becomes a WebSocket, which `hold` holds, or is refused. */
export function webSocketHandler(
  hold: (ws: WsConn) => Promise<void>,
  { origins, names }: OriginOptions,
  { log, io: { clock } }: Session,
  more: Pick<WsServerOptions, "maxSize" | "protocols"> = {},
): LightHandler {
  const handler = websocket(async (ws) => {
    try {
      await hold(ws);
    } catch (error) {
      // How peers behave. What they did wrong, the log tells in a line.
      if (!(error instanceof WsError || error instanceof SocketError)) throw error;
      log.note(`${formatAddr(ws.remoteAddr)}: ${error.message}`);
    }
  }, { ...more, allowOrigin: origins, clock });
  // A page whose name was made to lead here is of the same host as the server: that name must be known.
  const guarded = requireHost(
    handler,
    names,
    [],
    (name) => `start it with --allow-origin http://${name}, or https://`,
  );
  return (request) => {
    const origin = request.header("origin");
    const isFree = origin === undefined || origins.includes("*") || origins.includes(origin);
    return isFree ? handler(request) : guarded(request);
  };
}

/** Serves requests until a signal says stop; resolves to what the server has done. */
export async function serveRequests(
  { listener, access }: Opened,
  handler: LightHandler,
  { maxConnections, drainTimeout }: LimitOptions,
  { log, monitor, io: { clock } }: Session,
  { signal }: Signals,
): Promise<ServeSummary> {
  const server = serveLight(listener, handler, {
    signal,
    clock,
    maxConnections,
    onFull: fullNotice(maxConnections, log, clock),
    admission: access,
    drainTimeout,
    metrics: monitor?.metrics,
    onError: (error) => tellMistake(error, log),
  });
  return await server.finished;
}

/** The same of a port for WebSockets alone; resolves to the exit code. */
export async function serveWebSockets(
  opened: Opened,
  handler: LightHandler,
  limits: LimitOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  tellStop("WebSockets", limits.drainTimeout, session.log, signals);
  const summary = await serveRequests(opened, handler, limits, session, signals);
  return conclude(summary, opened.access, session.log, signals);
}
