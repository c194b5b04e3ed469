/**
 * The flags of servers that speak WebSocket.
 *
 * @module
 */

import { type Flag, list, needing, toggle, UsageError, type Values } from "../io/flags.ts";
import type { Spoken } from "../serving/serving.ts";
import { parseTrustProxy, TRUST_PROXY_FLAG, TRUST_PROXY_HELP } from "../options/trust_proxy.ts";
import { servedNames } from "../options/allow_host.ts";

/** A port for WebSockets. */
export const WEB_SOCKETS: Spoken = { plain: "ws", secure: "wss", path: "/" };

/** An origin is a scheme, a host and a port, as a browser sends it. */
function originsFlag(): Flag<readonly string[]> {
  const flag = list(
    "ORIGIN",
    "let pages of https://example.org in; * is all; repeatable",
  );
  const parse = (text: string, sofar: readonly string[]) => {
    if (text === "*") return [...sofar, text];
    const origin = URL.canParse(text) ? new URL(text).origin : "null";
    if (origin === "null" || ![origin, `${origin}/`].includes(text.toLowerCase())) {
      throw new UsageError(`takes an origin, as https://example.org, or *, not '${text}'`);
    }
    return [...sofar, origin];
  };
  return { ...flag, parse };
}

/** The flags; `help` says what --ws does. */
export function webSocketFlags(
  help: string,
): {
  readonly ws: Flag<boolean>;
  readonly "allow-origin": Flag<readonly string[]>;
  readonly deflate: Flag<boolean>;
  readonly "trust-proxy": Flag<readonly string[]>;
} {
  return {
    ws: toggle(help),
    "allow-origin": needing("ws", originsFlag()),
    deflate: needing("ws", toggle("compress messages where clients can (RFC 7692)")),
    "trust-proxy": needing("ws", TRUST_PROXY_FLAG),
  };
}

/** The help text of servers about them. */
export const ORIGIN_HELP: string =
  `A page of a browser may connect if its host is the server's own: an address, localhost, --host or
the name of this machine. --allow-origin lets in others. Programs, which send no Origin, may, too.

${TRUST_PROXY_HELP}`;

/** How WebSockets are spoken, and which pages may connect. Plain data, which workers get, too. */
export interface MessageOptions {
  /** Origins beside the server's own; `*` is all. */
  readonly origins: readonly string[];
  /** The names of the server, beside addresses and localhost. */
  readonly names: readonly string[];
  /** Whether messages are compressed for clients that can do it. */
  readonly deflate: boolean;
  /** The proxies whose word for their clients counts. */
  readonly trustProxy: readonly string[];
}

/** Makes what the flags say. */
export function parseMessageOptions(
  values: Values<ReturnType<typeof webSocketFlags>> & {
    readonly host: string | undefined;
    readonly unix: string;
  },
): MessageOptions {
  const { "allow-origin": origins, deflate, host, unix } = values;
  const names = servedNames({ "allow-host": [], host, unix }, false) ?? [];
  return { origins, names, deflate, trustProxy: parseTrustProxy(values) };
}
