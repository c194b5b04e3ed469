/**
 * WebSockets in an app of Hono, as Hono's own helpers have them.
 *
 * @module
 */

import { settled } from "../../base/wait.ts";
import type { AnyHandler } from "../fetch/fetch_handler.ts";
import { websocket, type WsServerOptions } from "./server.ts";
import {
  asWebSocket,
  type EventWebSocket,
  type WsCloseEvent,
  type WsErrorEvent,
  type WsMessageEvent,
} from "./event_web_socket.ts";

/** The context of Hono's handlers, as far as it is used here. */
export interface HonoContext {
  /** The request. */
  readonly req: { readonly raw: Request };
}

/**
 * The callbacks of a WebSocket. `ws` sends and closes. If one of them throws, or its promise
 * rejects, the WebSocket is closed with 1011, and the server reports the error.
 */
export interface HonoEvents {
  /** It is open. */
  readonly onOpen?: (event: Event, ws: EventWebSocket) => void;
  /** A message has come. Bytes are an `ArrayBuffer`. */
  readonly onMessage?: (event: WsMessageEvent, ws: EventWebSocket) => void;
  /** It is closed. */
  readonly onClose?: (event: WsCloseEvent, ws: EventWebSocket) => void;
  /** It has failed, and "close" follows. */
  readonly onError?: (event: WsErrorEvent, ws: EventWebSocket) => void;
}

/** Handles a request of Hono's. */
export type HonoHandler<C> = (context: C, next: () => Promise<void>) => Promise<Response | void>;

/**
 * Makes a handler for Hono that speaks WebSocket, in an app that `serveHttp()` serves. A request
 * that does not ask for WebSocket goes on to the next handler. The options are those of
 * {@linkcode websocket}.
 *
 * @example With Hono: `app.get("/ws", upgradeWebSocket(() => events))`
 * ```ts
 * import { type HonoEvents, upgradeWebSocket } from "@plainsocket/plainsocket/websocket";
 *
 * const events: HonoEvents = { onMessage: ({ data }, ws) => ws.send(data) };
 * console.log(upgradeWebSocket(() => events).length);
 * ```
 */
export function upgradeWebSocket<C extends HonoContext>(
  createEvents: (context: C) => HonoEvents | Promise<HonoEvents>,
  options: WsServerOptions = {},
): HonoHandler<C> {
  const handlerOf = (events: HonoEvents): AnyHandler =>
    websocket((ws) => callAll(asWebSocket(ws), events), options);
  // Wrong options are noticed at once.
  handlerOf({});
  return async (context, next) => {
    const { raw } = context.req;
    if (raw.headers.get("Upgrade")?.toLowerCase() !== "websocket") return await next();
    return await handlerOf(await createEvents(context))(raw);
  };
}

/** Calls the callbacks until the WebSocket is closed. Rejects with the error that one of them throws. */
function callAll(ws: EventWebSocket, events: HonoEvents): Promise<void> {
  ws.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    const calling = <E>(call: Call<E> = nothing, done = nothing) => (event: E) =>
      void settled(call, event, ws).then(done, reject);
    ws.onopen = calling(events.onOpen);
    ws.onmessage = calling(events.onMessage);
    ws.onerror = calling(events.onError);
    ws.onclose = calling(events.onClose, resolve);
  });
}

type Call<E> = (event: E, ws: EventWebSocket) => void;

const nothing = () => {};
