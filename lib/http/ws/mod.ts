/**
 * WebSocket (RFC 6455) with compression (RFC 7692), on any transport: in the HTTP servers of
 * `plainsocket/http`, and as a client.
 *
 * @example Echo, and a client of it
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveHttp } from "@plainsocket/plainsocket/http";
 * import { dialWebSocket, websocket } from "@plainsocket/plainsocket/websocket";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveHttp(
 *   listener,
 *   websocket(async (ws) => {
 *     for await (const message of ws) await ws.write(message);
 *   }),
 * );
 *
 * const ws = await dialWebSocket(`ws://127.0.0.1:${listener.addr.port}/`);
 * await ws.write("hello");
 * console.log(await ws.read());
 * await ws.close();
 *
 * await server.stop();
 * ```
 *
 * @module
 */

export type { WsMessage } from "./assembler.ts";
export { dialWebSocket } from "./client.ts";
export type { WsDialOptions } from "./client.ts";
export { WsError } from "./error.ts";
export { upgradeWebSocket } from "./hono.ts";
export type { HonoContext, HonoEvents, HonoHandler } from "./hono.ts";
export type { WsIncoming } from "./incoming_message.ts";
export type { WsOptions } from "./options.ts";
export { PreparedMessage, prepareMessage } from "./prepared_message.ts";
export { websocket } from "./server.ts";
export type { WsHandler, WsServerOptions } from "./server.ts";
export { asWebSocketStream } from "./web_socket_stream.ts";
export type { WsStream, WsStreamClose, WsStreamOpen } from "./web_socket_stream.ts";
export { asWebSocket } from "./event_web_socket.ts";
export type {
  EventData,
  EventWebSocket,
  WsCloseEvent,
  WsErrorEvent,
  WsMessageEvent,
} from "./event_web_socket.ts";
export type { WsClose, WsConn } from "./conn_types.ts";
