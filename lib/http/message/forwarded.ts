/**
 * The header fields in which proxies describe the requests that they pass on: `Forwarded` (RFC 7239),
 * X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host. A parser without a socket.
 * {@linkcode TrustedProxies} decides which proxies are trusted.
 *
 * @module
 */

import { formatIP, isMapped, parseIP } from "../../base/ip.ts";
import { type TcpAddr, tcpAddr } from "../../base/addr.ts";
import { isBlank, membersOf } from "./fields.ts";
import { isHost } from "./request_framing.ts";
import { QUOTED_STRING, TOKEN } from "../../base/header_fields.ts";

/** One proxy's description of the connection on which a request came to it. */
export interface Hop {
  /** The peer of the proxy, port 0 if that is not said. Undefined if the proxy does not say who. */
  readonly from: TcpAddr | undefined;
  /** The scheme that the peer used. */
  readonly scheme: "http" | "https" | undefined;
  /** The host that the peer asked for. */
  readonly host: string | undefined;
}

/** A field that is not valid. The message is a sentence without a period. */
export class ForwardedError extends Error {
  override readonly name = "ForwardedError";
}

/** A parameter of an element of `Forwarded`. */
const PARAMETER = new RegExp(`(${TOKEN})=(?:(${TOKEN})|(${QUOTED_STRING}))`, "y");

/** 1.2.3.4, 1.2.3.4:5, [::1] and [::1]:5. A port may be hidden behind a name with an underscore. */
const NODE = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(\d{1,5}|_[\w.-]+))?$/i;

/** A client that a proxy does not name: "unknown", or a name of the proxy's own. */
const HIDDEN = /^(?:unknown|_[\w.-]+)(?::(?:\d{1,5}|_[\w.-]+))?$/i;

/** WebSockets are requests of HTTP, too, and some proxies say so in this way. */
const SCHEMES: Readonly<Record<string, Hop["scheme"]>> = {
  http: "http",
  ws: "http",
  https: "https",
  wss: "https",
};

/**
 * The hops in the values of `Forwarded`, the last proxy first. An earlier one is only looked at
 * when it is asked for. Throws a {@linkcode ForwardedError} where a value is not valid.
 */
export function* forwardedHops(values: readonly string[]): Generator<Hop> {
  for (const value of values.toReversed()) {
    for (const element of elementsOf(value).reverse()) {
      yield {
        from: nodeOf(element.get("for")),
        scheme: schemeOf(element.get("proto")),
        host: hostOf(element.get("host")),
      };
    }
  }
}

/** The values of the other fields. */
export interface ForwardedValues {
  readonly for: readonly string[];
  readonly proto: readonly string[];
  readonly host: readonly string[];
}

/**
 * The hops in the X-Forwarded-* fields, in the same way. A value of the scheme and of the host belongs to
 * the address in the same place, from the right. If there are fewer of them, the first one is for all
 * that are left.
 */
export function* otherHops(values: ForwardedValues): Generator<Hop> {
  const [froms, protos, hosts] = [values.for, values.proto, values.host].map(listOf);
  const most = froms.length || Math.min(1, protos.length + hosts.length);
  for (let i = 1; i <= most; i++) {
    yield {
      from: nodeOf(froms.at(-i)),
      scheme: schemeOf(protos.at(-i) ?? protos[0]),
      host: hostOf(hosts.at(-i) ?? hosts[0]),
    };
  }
}

function listOf(values: readonly string[]): string[] {
  return values.flatMap(membersOf).filter((member) => member !== "");
}

/** The parameters of each element of one value, in order, with names in lower case. */
function elementsOf(value: string): Map<string, string>[] {
  const elements: Map<string, string>[] = [];
  let element = new Map<string, string>();
  let wanted = true;
  for (let at = 0; at < value.length;) {
    const code = value[at];
    if (isBlank(value.charCodeAt(at))) at++;
    else if (code === ",") {
      if (element.size > 0) elements.push(element);
      element = new Map();
      wanted = true;
      at++;
    } else if (code === ";") {
      wanted = true;
      at++;
    } else {
      PARAMETER.lastIndex = at;
      const [whole, name, token, quoted] = PARAMETER.exec(value) ?? [];
      if (whole === undefined || !wanted || element.has(name.toLowerCase())) throw notValid("it");
      element.set(name.toLowerCase(), token ?? quoted.slice(1, -1).replace(/\\(.)/g, "$1"));
      wanted = false;
      at += whole.length;
    }
  }
  if (element.size > 0) elements.push(element);
  return elements;
}

function notValid(what: string): ForwardedError {
  return new ForwardedError(
    `A proxy has passed on Forwarded or X-Forwarded-*, and ${what} is not valid`,
  );
}

/** The address of a node (RFC 7239 section 6). Undefined if it is hidden, or there is none. */
function nodeOf(text: string | undefined): TcpAddr | undefined {
  if (text === undefined || HIDDEN.test(text)) return undefined;
  const [, six, four, port = "0"] = NODE.exec(text) ?? [];
  // X-Forwarded-For has IPv6 without brackets, mostly.
  const bytes = parseIP(six ?? four ?? text);
  if (bytes === undefined || six !== undefined && bytes.length === 4 || Number(port) > 65535) {
    throw notValid("an address");
  }
  return tcpAddr(formatIP(isMapped(bytes) ? bytes.slice(12) : bytes), Number(port) || 0);
}

function schemeOf(text: string | undefined): Hop["scheme"] {
  if (text === undefined) return undefined;
  const name = text.toLowerCase();
  if (Object.hasOwn(SCHEMES, name)) return SCHEMES[name];
  throw notValid("the scheme");
}

function hostOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text !== "" && isHost(text)) return text;
  throw notValid("the host");
}
