/**
 * How programs serve WebSockets.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import type { Clock } from "../../base/clock.ts";
import { SocketError } from "../../base/errors.ts";
import { requireHost } from "../../http/fetch/require_host.ts";
import type { LightHandler } from "../../http/server/light.ts";
import type { HttpOptions } from "../../http/server/options.ts";
import { serveLight } from "../../http/server/server.ts";
import { websocket, WsError, type WsHandler, type WsServerOptions } from "../../http/ws/mod.ts";
import type { Listener } from "../../net/transport.ts";
import type { ServeOptions, ServeSummary } from "../../serve/serve.ts";
import type { Log } from "../io/log.ts";
import type { Signals } from "../io/signals.ts";
import type { LimitOptions } from "../options/limits.ts";
import { type Opened, serveOptions, type Spoken } from "../serving/serving.ts";
import { conclude, logMistake, logStop } from "../serving/server_log.ts";
import type { Session } from "../session.ts";
import type { MessageOptions } from "./options.ts";

/** A port for pages of a browser. */
export const PAGES: Spoken = { plain: "http", secure: "https", path: "/" };

/** The log and the clock of a handler. */
export interface HandlerLog {
  readonly log: Log;
  readonly clock: Clock;
}

/** Makes the handler of requests: each becomes a WebSocket, which `hold` holds, or is refused. */
export function webSocketHandler(
  hold: WsHandler,
  { origins, names, deflate }: MessageOptions,
  { log, clock }: HandlerLog,
  more: Pick<WsServerOptions, "maxSize" | "protocols"> = {},
): LightHandler {
  const handler = websocket(async (ws, request) => {
    try {
      await hold(ws, request);
    } catch (error) {
      // Mistakes of peers are a line of the log.
      if (!(error instanceof WsError || error instanceof SocketError)) throw error;
      log.note(`${formatAddr(ws.remoteAddr)}: ${error.message}`);
    }
  }, { ...more, allowOrigin: origins, deflate, clock });
  // A page whose name was made to lead here is of the same host as the server: that name must be known.
  const guarded = requireHost(handler, {
    hosts: names,
    adviceOnHost: (name) => `start it with --allow-origin http://${name}, or https://`,
  });
  return (request) => {
    const origin = request.header("origin");
    const isFree = origin === undefined || origins.includes("*") || origins.includes(origin);
    return isFree ? handler(request) : guarded(request);
  };
}

/** A listener for requests. */
export interface OpenedForRequests extends Opened {
  /** The proxies whose word for their clients counts. */
  readonly trustProxy: readonly string[];
}

/** Serves requests until a signal says stop; resolves to what the server has done. */
export async function serveRequests(
  { listener, access, trustProxy }: OpenedForRequests,
  handler: LightHandler,
  limits: LimitOptions,
  { log, monitor, io: { clock } }: Session,
  { signal }: Signals,
): Promise<ServeSummary> {
  const options = serveOptions(limits, access, log, clock);
  const metrics = monitor?.metrics;
  return await serveIn(listener, handler, { ...options, signal, metrics, trustProxy }, log);
}

/** The same of a worker. */
export async function serveIn(
  listener: Listener,
  handler: LightHandler,
  { idleTimeout: _, ...options }: ServeOptions & Pick<HttpOptions, "trustProxy">,
  log: Log,
): Promise<ServeSummary> {
  const onError = (error: unknown) => logMistake(error, log);
  return await serveLight(listener, handler, { ...options, onError }).finished;
}

/** The same of a port for WebSockets alone; resolves to the exit code. */
export async function serveWebSockets(
  opened: OpenedForRequests,
  handler: LightHandler,
  limits: LimitOptions,
  session: Session,
  signals: Signals,
): Promise<number> {
  logStop("webSockets", limits.drainTimeout, session.log, signals);
  const summary = await serveRequests(opened, handler, limits, session, signals);
  return conclude(summary, opened.access, session.log, signals);
}
