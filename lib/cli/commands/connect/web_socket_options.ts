/**
 * The flags of `connect` for a WebSocket.
 *
 * @module
 */

import { isToken } from "../../../base/header_fields.ts";
import type { ClientTls } from "../../../http/client/options.ts";
import { type Flag, list, seconds, toggle, UsageError, type Values } from "../../io/flags.ts";
import { noMore } from "../../options/common.ts";
import { parseField } from "../../options/header_field.ts";
import {
  parseTrust,
  SERVERNAME_FLAG,
  TLS_CLIENT_FLAGS,
  TRUST_FLAGS,
} from "../../options/tls_client.ts";

/** The flags of TLS; without `needs`, since `wss:` says that TLS is spoken as well as --tls does. */
export const CONNECT_TLS_FLAGS: typeof TLS_CLIENT_FLAGS = {
  tls: TLS_CLIENT_FLAGS.tls,
  servername: SERVERNAME_FLAG,
  ...TRUST_FLAGS,
  alpn: { ...TLS_CLIENT_FLAGS.alpn, needs: undefined },
};

const PING_SECONDS = 30;

/** The fields that the handshake sends by itself, beside those of every request. */
const OF_THE_HANDSHAKE = /^sec-websocket-/i;

/** Fields of the request, names and values by turns. */
function fieldsFlag(): Flag<readonly string[]> {
  const flag = list("LINE", "with ws://, send the header field 'Name: value'; repeatable", "H");
  const parse = (text: string, sofar: readonly string[]) => {
    const { name, value } = parseField(text);
    if (!OF_THE_HANDSHAKE.test(name)) return [...sofar, name, value];
    const instead = /protocol$/i.test(name) ? ": see --subprotocol" : "";
    throw new UsageError(`cannot set ${name}, which belongs to the handshake${instead}`);
  };
  return { ...flag, secret: true, parse };
}

function subprotocolsFlag(): Flag<readonly string[]> {
  const flag = list("NAME", "with ws://, ask for this subprotocol; repeatable, best first");
  const parse = (text: string, sofar: readonly string[]) => {
    if (!isToken(text)) throw new UsageError(`takes a name, not '${text}'`);
    if (sofar.includes(text)) throw new UsageError(`has ${text} twice`);
    return [...sofar, text];
  };
  return { ...flag, parse };
}

/** The flags of WebSockets. */
export const WEB_SOCKET_FLAGS: {
  readonly binary: Flag<boolean>;
  readonly subprotocol: Flag<readonly string[]>;
  readonly header: Flag<readonly string[]>;
  readonly ping: Flag<number>;
  readonly deflate: Flag<boolean>;
} = {
  binary: toggle("with ws://, send and print bytes as they are, not lines"),
  subprotocol: subprotocolsFlag(),
  header: fieldsFlag(),
  ping: seconds(
    PING_SECONDS,
    `with ws://, Ping a silent peer; 0 = never (default ${PING_SECONDS})`,
  ),
  deflate: toggle("with ws://, compress messages where the server can (RFC 7692)"),
};

/** Where a WebSocket is, and how it is opened. */
export interface WebSocketTarget {
  readonly url: string;
  /** Whether messages are bytes. If not, each is a line of text. */
  readonly binary: boolean;
  readonly protocols: readonly string[];
  /** Names and values by turns. */
  readonly headers: readonly string[];
  /** The silence after which a Ping is sent, in milliseconds; 0 for no Ping. */
  readonly pingInterval: number;
  readonly deflate: boolean;
  /** Undefined without TLS. */
  readonly tls: ClientTls | undefined;
}

type WebSocketValues = Values<typeof WEB_SOCKET_FLAGS> & Values<typeof CONNECT_TLS_FLAGS>;

/** The options that mean nothing with a WebSocket, and others that are about bytes. */
const NOT_WITH_WS = [
  "unix",
  "udp",
  "tls",
  "servername",
  "alpn",
  "crlf",
  "frame",
  "probe",
  "idle-timeout",
] as const;

/** Whether the command line is about a WebSocket. */
export function isWebSocketUrl([first = ""]: readonly string[]): boolean {
  return /^wss?:\/\//i.test(first);
}

/** Makes what the flags say of one. Throws a {@linkcode UsageError}. */
export function parseWebSocket(
  values: WebSocketValues & Readonly<Record<(typeof NOT_WITH_WS)[number], unknown>>,
  [url, ...more]: readonly string[],
): WebSocketTarget {
  noMore(more, "what is sent comes on stdin");
  if (!URL.canParse(url)) throw new UsageError(`'${url}' is not a URL: write ws://HOST:PORT/PATH`);
  if (url.includes("#")) throw new UsageError(`'${url}': a WebSocket has no fragment (#)`);
  const { protocol, username } = new URL(url);
  if (username !== "") {
    throw new UsageError("A URL of a WebSocket has no user: say -H 'Authorization: …' instead");
  }
  const given = NOT_WITH_WS.find((name) => values[name]);
  if (given !== undefined) {
    throw new UsageError(`Option --${given} cannot be used with ${protocol}//`);
  }
  if (protocol === "ws:") refuseTrust(values, "wss://");
  const { binary, subprotocol: protocols, header: headers, ping: pingInterval, deflate } = values;
  const tls = protocol === "wss:" ? parseTrust(values) : undefined;
  return { url, binary, protocols, headers, pingInterval, deflate, tls };
}

/** Throws a {@linkcode UsageError} for what is only about WebSockets, and for flags of TLS without it. */
export function refuseWebSocketFlags(values: WebSocketValues): void {
  const { binary, subprotocol, header, ping, deflate } = values;
  const given = Object.entries({
    binary,
    subprotocol: subprotocol.length > 0,
    header: header.length > 0,
    ping: ping !== WEB_SOCKET_FLAGS.ping.fallback,
    deflate,
  }).find(([, isGiven]) => isGiven);
  if (given !== undefined) {
    throw new UsageError(`Option --${given[0]} is for WebSockets: connect ws://HOST:PORT/PATH`);
  }
  if (!values.tls) refuseTrust(values, "--tls");
}

function refuseTrust(values: WebSocketValues, needed: string): void {
  const given = (["servername", "cacert", "insecure", "cert", "key", "alpn"] as const)
    .find((name) => values[name]);
  if (given !== undefined) throw new UsageError(`Option --${given} needs ${needed}`);
}
