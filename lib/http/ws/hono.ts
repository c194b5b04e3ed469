/**
 * WebSockets in an app of Hono, as Hono's own helpers have them.
 *
 * @module
 */

import type { AnyHandler } from "../fetch/fetch_handler.ts";
import { websocket, type WsServerOptions } from "./server.ts";
import {
  asWebSocket,
  type EventWebSocket,
  type WsCloseEvent,
  type WsErrorEvent,
  type WsMessageEvent,
} from "./event_web_socket.ts";

/** What Hono's handlers take first, as far as it is used here. */
export interface HonoContext {
  /** The request. */
  readonly req: { readonly raw: Request };
}

/** What is called while a WebSocket is open. `ws` sends and closes. */
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
 * Makes a handler for Hono that speaks WebSocket, in an app that `serveHttp()` serves. What does not ask
 * for WebSocket goes on to the next handler. The options are those of {@linkcode websocket}.
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
    websocket(async (ws) => {
      listen(asWebSocket(ws), events);
      await ws.closed;
    }, options);
  // Wrong options are noticed at once.
  handlerOf({});
  return async (context, next) => {
    const { raw } = context.req;
    if (raw.headers.get("Upgrade")?.toLowerCase() !== "websocket") return await next();
    return await handlerOf(await createEvents(context))(raw);
  };
}

function listen(ws: EventWebSocket, { onOpen, onMessage, onClose, onError }: HonoEvents): void {
  ws.binaryType = "arraybuffer";
  ws.onopen = (event) => onOpen?.(event, ws);
  ws.onmessage = (event) => onMessage?.(event, ws);
  ws.onclose = (event) => onClose?.(event, ws);
  ws.onerror = (event) => onError?.(event, ws);
}
