/**
 * Connecting to a WebSocket.
 *
 * @module
 */

import {
  checkOptions,
  FIELDS,
  type Kind,
  type Kinds,
  SIGNAL,
  TEXT,
  TEXTS,
  TIMEOUT,
  TRANSPORT,
} from "../../base/arguments.ts";
import { systemTransport } from "../../net/system.deno.ts";
import type { Transport } from "../../net/transport.ts";
import { RequestError } from "../client/errors.ts";
import { type HttpRequestOptions, REQUEST_OPTIONS } from "../client/options.ts";
import type { ClientResponse } from "../client/response.ts";
import { requestUpgrade } from "../client/upgrade.ts";
import { membersOf } from "../message/fields.ts";
import { valueOf } from "../message/header_list.ts";
import { isToken } from "../../base/header_fields.ts";
import { type Agreement, WebSocketConn } from "./conn.ts";
import {
  agreedDeflate,
  DEFLATE_OFFER,
  type DeflateParameters,
  parseExtensions,
} from "./deflate.ts";
import { acceptOf, newKey, WEBSOCKET, WS_VERSION } from "./handshake.ts";
import { WS_OPTIONS, type WsOptions, wsSettings } from "./options.ts";
import type { WsConn } from "./conn_types.ts";

/** Options of {@linkcode dialWebSocket}. */
export interface WsDialOptions
  extends WsOptions, Pick<HttpRequestOptions, "tls" | "socketPath" | "onHead"> {
  /** The transport. Default: the system's sockets. */
  readonly transport?: Transport;
  /** The subprotocols to ask for, the best one first. Default: none. */
  readonly protocols?: readonly string[];
  /** More fields of the request, names and values by turns. Default: none. */
  readonly headers?: readonly string[];
  /** The time to connect, in milliseconds; 0 for no limit. Default: 10,000. */
  readonly connectTimeout?: number;
  /** The time for the server's response, in milliseconds; 0 for no limit. Default: 10,000. */
  readonly handshakeTimeout?: number;
  /** Ends the attempt when aborted. An open WebSocket stays. */
  readonly signal?: AbortSignal;
}

const PROTOCOLS: Kind = {
  ...TEXTS,
  takes: "an array of subprotocols, each once, which have no spaces, commas or the like",
  fits: (value) => {
    const protocols = value as string[];
    return protocols.every(isToken) && new Set(protocols).size === protocols.length;
  },
};

const OPTIONS: Kinds<WsDialOptions> = {
  ...WS_OPTIONS,
  transport: TRANSPORT,
  protocols: PROTOCOLS,
  headers: FIELDS,
  tls: REQUEST_OPTIONS.tls,
  socketPath: TEXT,
  connectTimeout: TIMEOUT,
  handshakeTimeout: TIMEOUT,
  signal: SIGNAL,
  onHead: REQUEST_OPTIONS.onHead,
};

const SCHEMES: Readonly<Record<string, string>> = { ws: "http", wss: "https" };

/**
 * Connects to a WebSocket (RFC 6455), with TLS for `wss:`. Redirects are not followed.
 *
 * Rejects as `requestHttp()` does; with BAD_STATUS if the server answers with another status than 101, and
 * with BAD_FIELD for a handshake that is not valid.
 */
export async function dialWebSocket(
  url: string | URL,
  options: WsDialOptions = {},
): Promise<WsConn> {
  checkOptions("dialWebSocket", options, OPTIONS, '{ protocols: ["chat"] }');
  const { transport = systemTransport, protocols = [], headers = [], deflate = false } = options;
  const key = newKey();
  const { response, conn } = await requestUpgrade(transport, {
    url: httpUrl(url),
    protocol: WEBSOCKET,
    headers: [
      "Sec-WebSocket-Key",
      key,
      "Sec-WebSocket-Version",
      WS_VERSION,
      ...protocols.length === 0 ? [] : ["Sec-WebSocket-Protocol", protocols.join(", ")],
      ...deflate ? ["Sec-WebSocket-Extensions", DEFLATE_OFFER] : [],
      ...headers,
    ],
    tls: options.tls,
    socketPath: options.socketPath,
    connectTimeout: options.connectTimeout,
    idleTimeout: options.handshakeTimeout ?? 10_000,
    signal: options.signal,
    onHead: options.onHead,
    clock: options.clock,
  });
  if (conn === undefined) {
    response.close();
    throw refused(response);
  }
  try {
    const agreement = agreementOf(response.rawHeaders, key, protocols, deflate);
    return new WebSocketConn(conn, agreement, wsSettings(options));
  } catch (error) {
    conn.close();
    throw new RequestError("BAD_FIELD", wsUrl(response.url), (error as Error).message);
  }
}

/** The error of a response that does not open the WebSocket. */
function refused({ url, status, reason, rawHeaders }: ClientResponse): RequestError {
  const answered = `the server answered ${status} ${reason}`.trimEnd();
  return new RequestError("BAD_STATUS", wsUrl(url), `${answered}, not 101`, {
    next: nextStep(status, (name) => valueOf(rawHeaders, name)),
  });
}

function nextStep(status: number, header: (name: string) => string | undefined): string {
  const location = header("location");
  const versions = header("sec-websocket-version");
  if (status < 400 && location !== undefined) {
    return `It redirects to ${wsUrl(location)}: connect there.`;
  }
  if (status === 401) return "Send credentials in the header field Authorization.";
  if (status === 403) return "It may want credentials, or another Origin; its log may say why.";
  if (status === 426 && versions !== undefined && !membersOf(versions).includes(WS_VERSION)) {
    return `It speaks version ${versions} of WebSocket, and this is ${WS_VERSION}.`;
  }
  if (status === 426) return "A proxy before the server may not pass Upgrade on.";
  if (status >= 500) return "Try again; if it stays so, the server's log may say why.";
  return "Check the path: WebSockets may have another one.";
}

/** The URL of the WebSocket for that of its request. */
function wsUrl(url: string): string {
  return url.replace(/^http/, "ws");
}

/** The URL of the request. A fragment is not valid (RFC 6455 section 3). */
function httpUrl(url: string | URL): string {
  const text = String(url);
  const [, scheme, rest] = /^([a-z]+):(\/\/[^]*)$/i.exec(text) ?? [];
  const http = SCHEMES[scheme?.toLowerCase()];
  if (http === undefined) {
    throw new RequestError("BAD_URL", text, "it does not begin with ws:// or wss://");
  }
  if (rest.includes("#")) {
    throw new RequestError("BAD_URL", text, "a WebSocket has no fragment (#)");
  }
  return `${http}:${rest}`;
}

/**
 * Returns the agreement of a response (RFC 6455 section 4.1). Throws if the response is not valid.
 */
function agreementOf(
  headers: readonly string[],
  key: string,
  protocols: readonly string[],
  deflate: boolean,
): Agreement {
  if (valueOf(headers, "sec-websocket-accept") !== acceptOf(key)) {
    throw new Error("Sec-WebSocket-Accept of the response does not fit the request");
  }
  const protocol = valueOf(headers, "sec-websocket-protocol") ?? "";
  if (protocol !== "" && !protocols.includes(protocol)) {
    throw new Error(`the server has chosen the subprotocol '${protocol}', which was not asked for`);
  }
  const extensions = valueOf(headers, "sec-websocket-extensions") ?? "";
  return { role: "client", protocol, extensions, deflate: extensionsOf(extensions, deflate) };
}

function extensionsOf(text: string, deflate: boolean): DeflateParameters | undefined {
  const extensions = parseExtensions(text);
  if (extensions?.length === 0) return undefined;
  const agreed = extensions !== undefined && deflate ? agreedDeflate(extensions) : undefined;
  if (agreed !== undefined) return agreed;
  throw new Error(`the server has chosen the extensions '${text}', which do not fit the request`);
}
