/**
 * Flags of a server about who may connect.
 *
 * @module
 */

import { isLoopback, parseCidr } from "../../base/ip.ts";
import { type Flag, integer, optional, UsageError, type Values } from "../io/flags.ts";
import { isInFile } from "../io/secret.ts";

/** The word for the clients of --unix, among the networks of proxies. */
export const UNIX_PEERS = "unix";

/** A flag for networks: one, or some with commas between them, again and again. */
function networks(help: string): Flag<readonly string[]> {
  const parse = (text: string, sofar: readonly string[]) => {
    const items = text.split(",");
    for (const item of items) if (!isInFile(item)) checkNetwork(item, "takes networks: ");
    return [...sofar, ...items];
  };
  return { arg: "CIDR", help, fallback: [], parse };
}

/** A flag for the networks of proxies, in the same way; `unix` is all clients of --unix. */
export function proxyNetworks(help: string): Flag<readonly string[]> {
  const parse = (text: string, sofar: readonly string[]) => {
    const items = text.split(",");
    for (const item of items) {
      if (item !== UNIX_PEERS) checkNetwork(item, "takes networks, or 'unix': ");
    }
    return [...sofar, ...items];
  };
  return { arg: "CIDR", help, fallback: [], parse };
}

/** The flags that say who may connect. */
export const ACCESS_FLAGS: {
  readonly allow: Flag<readonly string[]>;
  readonly deny: Flag<readonly string[]>;
  readonly "max-per-address": Flag<number | undefined>;
} = {
  allow: networks("let in these networks only; @FILE has one a line; repeatable"),
  deny: networks("keep these out, even if --allow has them; the same way"),
  "max-per-address": optional(
    integer("N", [0, 1e6], 0, "connections of one address; 0 = no limit (default: see below)"),
  ),
};

/** The part of a server's help about these flags. */
export const ACCESS_HELP =
  `Off loopback one address has a quarter of --max-connections at once, so that it cannot keep others
out. Behind a proxy, which all connections come from, say --proxy-protocol, --trust-proxy or
--max-per-address 0.

CIDR is 192.0.2.0/24, 2001:db8::/32 or one address. Connections of others are reset at once. With
@FILE, SIGHUP reads the files again, for new connections; the open ones stay. If one of the files is
not right then, the networks of all stay as they were. SIGHUP never ends the server.`;

/** The access rules of a server. */
export interface AccessOptions {
  /** Networks, and files of them as `@FILE`. None is all. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** The most connections of one address. 0 means no limit. */
  readonly maxPerAddress: number;
  /** The networks of proxies, whose clients are asked for in their place. */
  readonly proxies: readonly string[];
}

/** The values of other flags that matter to who may connect. */
interface Around {
  readonly "proxy-protocol": readonly string[];
  /** Undefined of a server that speaks no HTTP. */
  readonly "trust-proxy"?: readonly string[];
  readonly unix: string;
}

/** Whether a proxy is there, which says the addresses of its clients. */
function isProxied(
  { "proxy-protocol": headers, "trust-proxy": fields = [], unix }: Around,
): boolean {
  return headers.length > 0 || fields.some((item) => unix === "" || item === UNIX_PEERS);
}

/**
 * The share of all connections that one address may have by default, at a server that listens on
 * `host`: a quarter, so that it does not take all of them; or 0, which is no limit, on loopback,
 * unless a proxy is there.
 */
export function shareOf(
  host: string | undefined,
  around: Around & { readonly "max-connections": number },
): number {
  const isOwn = host === undefined || isLoopback(host);
  if (isOwn && !isProxied(around)) return 0;
  return Math.ceil(around["max-connections"] / 4);
}

/**
 * Makes what the flags ask for; undefined if that is nothing. Unless a flag says it, one address may
 * have `share` connections. Throws a {@linkcode UsageError} beside --unix without a proxy.
 */
export function parseAccess(
  values: Values<typeof ACCESS_FLAGS> & Around,
  share: number,
): AccessOptions | undefined {
  const { allow, deny, unix, "max-per-address": maxPerAddress = share } = values;
  if (allow.length === 0 && deny.length === 0 && maxPerAddress === 0) return undefined;
  // The clients of a proxy have addresses, although it has none itself.
  if (unix === "" || isProxied(values)) {
    const proxies = values["trust-proxy"]?.filter((item) => item !== UNIX_PEERS) ?? [];
    return { allow, deny, maxPerAddress, proxies };
  }
  throw new UsageError(
    "Options --allow, --deny and --max-per-address are about IP addresses; for --unix there is " +
      "--unix-mode",
  );
}

/** Whether there are files that SIGHUP reads again. */
export function readsFiles(options: AccessOptions | undefined): boolean {
  return options !== undefined && [...options.allow, ...options.deny].some(isInFile);
}

/** Throws a {@linkcode UsageError}, with `where` in front, unless it is a network or an address. */
export function checkNetwork(text: string, where: string): void {
  try {
    parseCidr(text);
  } catch (error) {
    throw new UsageError(where + (error as Error).message);
  }
}
