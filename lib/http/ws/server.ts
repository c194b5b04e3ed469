/**
 * WebSockets in an HTTP server: the handler that takes connections over.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  HANDLER,
  type Kind,
  type Kinds,
  TEXTS,
} from "../../base/arguments.ts";
import { isToken } from "../../base/header_fields.ts";
import { settled } from "../../base/wait.ts";
import { type HandlerContext, OpenConnection } from "../../serve/server.ts";
import { type AnyHandler, toAnyHandler } from "../fetch/fetch_handler.ts";
import { isOwnOrigin } from "../message/own_origin.ts";
import type { LightRequest, LightResponse } from "../server/light.ts";
import { asksFor, upgradeResponse } from "../server/upgrade.ts";
import { CLOSE } from "./close_code.ts";
import { type Agreement, WebSocketConn } from "./conn.ts";
import { acceptDeflate, type DeflateAgreement, parseExtensions } from "./deflate.ts";
import { acceptOf, isKey, parseProtocols, WEBSOCKET, WS_VERSION } from "./handshake.ts";
import { WS_OPTIONS, type WsOptions, type WsSettings, wsSettings } from "./options.ts";
import type { WsConn } from "./conn_types.ts";

/** Holds one WebSocket. It is closed with 1000 when this is done, and with 1011 if this throws. */
export type WsHandler = (ws: WsConn, request: LightRequest) => void | Promise<void>;

/** Options of {@linkcode websocket}. */
export interface WsServerOptions extends WsOptions {
  /** The subprotocols that are spoken: of those that the client asks for, its first one. Default: none. */
  readonly protocols?: readonly string[];
  /**
   * The origins of pages that may connect, such as `https://example.org`, or `*` for all of them. Pages of
   * the server's own host always may, and so may programs, which send no Origin. Default: no other.
   */
  readonly allowOrigin?: readonly string[];
}

const ORIGINS: Kind = {
  ...TEXTS,
  takes: "an array of origins, such as https://example.org, or of '*'",
  fits: (value) =>
    (value as string[]).every((origin) =>
      origin === "*" || URL.canParse(origin) && new URL(origin).origin === origin
    ),
};

const PROTOCOLS: Kind = {
  ...TEXTS,
  takes: "an array of subprotocols, which have no spaces, commas or the like",
  fits: (value) => (value as string[]).every(isToken),
};

const OPTIONS: Kinds<WsServerOptions> = {
  ...WS_OPTIONS,
  protocols: PROTOCOLS,
  allowOrigin: ORIGINS,
};

/**
 * Makes a handler for `serveLight()` and `serveHttp()` that speaks WebSocket (RFC 6455). A request that
 * does not ask for it is answered with 426, a page of another origin with 403, and a handshake that is not
 * valid with 400. When the server stops, each WebSocket is closed with 1001.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveHttp } from "@plainsocket/plainsocket/http";
 * import { dialWebSocket, websocket } from "@plainsocket/plainsocket/websocket";
 * import assert from "node:assert/strict";
 *
 * const echo = websocket(async (ws) => {
 *   for await (const message of ws) await ws.write(message);
 * });
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveHttp(listener, echo);
 *
 * const ws = await dialWebSocket(`ws://127.0.0.1:${listener.addr.port}/`);
 * await ws.write("hello");
 * assert.equal(await ws.read(), "hello");
 * await ws.close();
 *
 * await server.stop();
 * ```
 */
export function websocket(handler: WsHandler, options: WsServerOptions = {}): AnyHandler {
  checkArgument("websocket", handler, HANDLER);
  checkOptions("websocket", options, OPTIONS, '{ protocols: ["chat"] }');
  const { protocols = [], allowOrigin = [] } = options;
  const accepted = { protocols, allowOrigin, settings: wsSettings(options) };
  return toAnyHandler((request) => answer(request, handler, accepted));
}

interface Accepted {
  readonly protocols: readonly string[];
  readonly allowOrigin: readonly string[];
  readonly settings: WsSettings;
}

/** Answers the opening handshake (RFC 6455 section 4.2). */
function answer(request: LightRequest, handler: WsHandler, accepted: Accepted): LightResponse {
  const { protocols, allowOrigin, settings } = accepted;
  const refused = refusalOf(request, allowOrigin);
  if (refused !== undefined) return refused;
  const wanted = parseProtocols(request.header("sec-websocket-protocol"));
  if (wanted === undefined) return refuse(400, "Sec-WebSocket-Protocol is not a list of names");
  const offers = parseExtensions(request.header("sec-websocket-extensions") ?? "");
  if (offers === undefined) return refuse(400, "Sec-WebSocket-Extensions is not valid");
  const protocol = wanted.find((name) => protocols.includes(name)) ?? "";
  const deflate = settings.deflate ? acceptDeflate(offers) : undefined;
  const agreement = agreed(protocol, deflate);
  return upgradeResponse(request, {
    protocol: WEBSOCKET,
    headers: fieldsOf(request.header("sec-websocket-key")!, agreement),
    handler: (conn, context) =>
      hold(new WebSocketConn(conn, agreement, settings), handler, request, context),
  });
}

function agreed(protocol: string, deflate: DeflateAgreement | undefined): Agreement {
  return { role: "server", protocol, extensions: deflate?.text ?? "", deflate };
}

function fieldsOf(key: string, { protocol, extensions }: Agreement): string[] {
  return [
    "Sec-WebSocket-Accept",
    acceptOf(key),
    ...protocol === "" ? [] : ["Sec-WebSocket-Protocol", protocol],
    ...extensions === "" ? [] : ["Sec-WebSocket-Extensions", extensions],
  ];
}

/** The response to a request that cannot become a WebSocket; undefined if it can. */
function refusalOf(
  request: LightRequest,
  allowOrigin: readonly string[],
): LightResponse | undefined {
  if (!asksFor(request, WEBSOCKET)) {
    const more = ["Upgrade", WEBSOCKET, "Sec-WebSocket-Version", WS_VERSION];
    return refuse(426, "Only WebSocket is spoken here: connect with ws:// or wss://", more);
  }
  if (request.method !== "GET") return refuse(405, "A WebSocket begins with GET", ["Allow", "GET"]);
  if (request.header("sec-websocket-version") !== WS_VERSION) {
    const more = ["Upgrade", WEBSOCKET, "Sec-WebSocket-Version", WS_VERSION];
    return refuse(426, `Sec-WebSocket-Version is not ${WS_VERSION}`, more);
  }
  if (!isKey(request.header("sec-websocket-key") ?? "")) {
    return refuse(400, "Sec-WebSocket-Key is not 16 bytes in base64");
  }
  if (mayConnect(request, allowOrigin)) return undefined;
  return refuse(403, "Pages of this origin may not connect: the server has to allow it");
}

/** Whether the page that asks may connect (RFC 6455 section 10.2). */
function mayConnect(request: LightRequest, allowOrigin: readonly string[]): boolean {
  const origin = request.header("origin");
  if (origin === undefined || allowOrigin.includes("*") || allowOrigin.includes(origin)) {
    return true;
  }
  return isOwnOrigin(origin, request.host);
}

function refuse(status: number, why: string, more: readonly string[] = []): LightResponse {
  const headers = ["Content-Type", "text/plain;charset=utf-8", ...more];
  return { status, headers, body: `${why}.\n` };
}

/**
 * Has a handler hold a WebSocket, which is closed when the handler is done or the server stops. Not an
 * async function: its frame would keep the request.
 */
function hold(
  ws: WebSocketConn,
  handler: WsHandler,
  request: LightRequest,
  context: HandlerContext,
): Promise<void> {
  const stop = () => void ws.close(CLOSE.goingAway, "the server is stopping");
  // An idle WebSocket has no signal of its own, which takes more memory than all the rest of it.
  if (context instanceof OpenConnection) context.onStopping(stop);
  else context.stopping.addEventListener("abort", stop);
  return settled(handler, ws, request).then(() => ws.close(), async (error) => {
    const isOwn = ws.failedWith(error);
    await ws.close(isOwn ? CLOSE.normal : CLOSE.internal);
    if (!isOwn) throw error;
  });
}
