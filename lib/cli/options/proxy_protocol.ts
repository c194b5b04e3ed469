/**
 * `--proxy-protocol`: servers behind a proxy that says who its clients are.
 *
 * @module
 */

import { type Flag, UsageError, type Values } from "../io/flags.ts";
import { proxyNetworks, UNIX_PEERS } from "./access_flags.ts";

/** The flag. */
export const PROXY_FLAGS: { readonly "proxy-protocol": Flag<readonly string[]> } = {
  "proxy-protocol": proxyNetworks("proxies in these networks say who connects; repeatable"),
};

/** The help text of servers about the flag. */
export const PROXY_HELP =
  `With --proxy-protocol each connection must begin with a header of the PROXY protocol, version 1 or 2
(HAProxy: send-proxy-v2), before TLS. The client's address then counts for --allow, --deny,
--max-per-address and the log. Connections from other networks are refused, and so are those whose
header is not valid or not there within 5 s. With --unix, say --proxy-protocol unix.`;

/** The proxies that may send headers. Plain data. */
export interface ProxyOptions {
  /** Networks, and `unix`. */
  readonly trusted: readonly string[];
}

/**
 * Makes what the flag asks for; undefined if there are to be no headers. Throws a
 * {@linkcode UsageError} if it does not go with where the server listens.
 */
export function parseProxies(
  values: Values<typeof PROXY_FLAGS> & { readonly unix: string },
): ProxyOptions | undefined {
  const { "proxy-protocol": trusted, unix } = values;
  if (trusted.length === 0) return undefined;
  if (unix !== "" && trusted.some((item) => item !== UNIX_PEERS)) {
    throw new UsageError(
      "Option --proxy-protocol: a client of --unix has no network; say 'unix' here",
    );
  }
  return { trusted };
}
