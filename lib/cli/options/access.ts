/**
 * Who may connect to a server: its flags, and their files, which are read again on SIGHUP.
 *
 * @module
 */

import { AccessList, type AccessRules } from "../../serve/access.ts";
import { formatAddr } from "../../base/addr.ts";
import { parseCidr } from "../../base/cidr.ts";
import { counted } from "../../base/plural.ts";
import { isLoopback } from "../../base/ip.ts";
import { type Flag, integer, ofOption, optional, UsageError, type Values } from "../io/flags.ts";
import type { Log } from "../io/log.ts";
import { readTextFile } from "../io/files.ts";
import { isInFile } from "../io/secret.ts";

/** A flag for networks: one, or some with commas between them, again and again. */
function networks(help: string): Flag<readonly string[]> {
  const parse = (text: string, sofar: readonly string[]) => {
    const items = text.split(",");
    for (const item of items) if (!isInFile(item)) checkNetwork(item, "takes networks: ");
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

/** What the help of a server says of these flags. */
export const ACCESS_HELP =
  `Off loopback one address has a quarter of --max-connections at once, so that it cannot keep others
out. Behind a proxy, which all connections come from, say --max-per-address 0.

CIDR is 192.0.2.0/24, 2001:db8::/32 or one address. Who may not connect is turned away at once. With
@FILE, SIGHUP reads the files again: from then on they hold, and who is connected stays. If one is
not right then, the networks of all stay as they were. Without @FILE, SIGHUP does nothing; it never
ends the server.`;

/** What these flags say. */
export type AccessFlags = Values<typeof ACCESS_FLAGS>;

/**
 * How many of `most` connections one address may have by default, at a server that listens on `host`:
 * a quarter, so that it does not take all of them; or 0, which is no limit, on loopback.
 */
export function shareOf(host: string | undefined, most: number): number {
  return host === undefined || isLoopback(host) ? 0 : Math.ceil(most / 4);
}

/**
 * Makes what the flags ask for, if they ask for anything. Which connection it refuses is a note in the
 * log; datagrams are only counted. `onReload` takes what reads the files again. Unless a flag says it, one
 * address may have `share` connections. Throws a {@linkcode UsageError} for a file that is not right, and
 * beside --unix.
 */
export function openAccess(
  values: AccessFlags & { readonly unix: string },
  log: Log,
  onReload: (reload: () => void) => void,
  share: number,
): AccessList | undefined {
  const { allow, deny, "max-per-address": maxPerAddress = share } = values;
  if (allow.length === 0 && deny.length === 0 && maxPerAddress === 0) return undefined;
  if (values.unix !== "") {
    throw new UsageError(
      "Options --allow, --deny and --max-per-address are about IP addresses; for --unix there is " +
        "--unix-mode",
    );
  }
  const access = new AccessList({
    ...readRules(values),
    maxPerAddress,
    onRefuse(addr, why) {
      // Where a datagram comes from is easily forged: anybody could fill the log.
      if (addr.transport !== "udp") log.note(`refused ${formatAddr(addr)}: ${why}`);
    },
  });
  if (readsFiles(values)) onReload(() => reload(access, values, log));
  return access;
}

/** Whether there are files that SIGHUP reads again. */
export function readsFiles({ allow, deny }: AccessFlags): boolean {
  return [...allow, ...deny].some(isInFile);
}

function reload(access: AccessList, values: AccessFlags, log: Log): void {
  let rules: AccessRules;
  try {
    rules = readRules(values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return log.error(`${error.message}. Who may connect stays as it was.`);
  }
  access.replace(rules);
  const { allow, deny = [] } = rules;
  const allowed = allow === undefined ? "all" : counted(allow.length, "network");
  log.note(
    `read again who may connect: ${allowed} allowed, ${counted(deny.length, "network")} denied`,
  );
}

/** The rules that the flags make, with what is in the files. */
function readRules({ allow, deny }: AccessFlags): AccessRules {
  return {
    // A file with nothing in it allows nobody.
    ...allow.length === 0 ? {} : { allow: networksOf("--allow", allow) },
    deny: networksOf("--deny", deny),
  };
}

/** The networks that an option has, with those in its files. */
function networksOf(option: string, items: readonly string[]): string[] {
  return items.flatMap((item) => isInFile(item) ? readNetworks(option, item.slice(1)) : [item]);
}

/** Reads a file of networks: one a line, with `#` before a comment. */
function readNetworks(option: string, path: string): string[] {
  const networks: string[] = [];
  const text = ofOption(option, () => readTextFile(path));
  for (const [i, line] of text.split("\n").entries()) {
    const network = line.replace(/#.*/, "").trim();
    if (network === "") continue;
    checkNetwork(network, `${path}:${i + 1}: `);
    networks.push(network);
  }
  return networks;
}

/** Throws a {@linkcode UsageError}, with `where` in front, unless it is a network or an address. */
function checkNetwork(text: string, where: string): void {
  try {
    parseCidr(text);
  } catch (error) {
    throw new UsageError(where + (error as Error).message);
  }
}
