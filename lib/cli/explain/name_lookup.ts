/**
 * Why a name has no address, as the files that say where names are looked up tell.
 *
 * @module
 */

import { nearest } from "../../base/nearest.ts";
import type { Cause } from "./connecting.ts";
import { textOf } from "./kernel_sockets.ts";

/** The names in /etc/hosts, by address. */
function hosts(): { readonly address: string; readonly names: readonly string[] }[] {
  const lines = (textOf("/etc/hosts") ?? "").split("\n");
  return lines.map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .map(([address, ...names]) => ({ address, names }));
}

/** The addresses that /etc/hosts has for a name. */
export function hostsEntry(name: string): string[] {
  const wanted = name.toLowerCase();
  return hosts().filter(({ names }) => names.some((name) => name.toLowerCase() === wanted))
    .map(({ address }) => address);
}

/** Why a name was not found (`absent`), or could not be looked up. Undefined if nothing could be checked. */
export function whyNameless(name: string, absent: boolean): Cause | undefined {
  if (/^[\d.]+$/.test(name)) {
    return {
      why: "It looks like an IPv4 address, but is not a valid one",
      next: "Write four numbers up to 255",
    };
  }
  const conf = textOf("/etc/resolv.conf");
  if (conf === undefined) return undefined;
  const servers = [...conf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server]) => server);
  if (servers.length === 0) {
    return {
      why: "It is not in /etc/hosts, and /etc/resolv.conf has no name server to ask",
      next: "Write the address in place of the name",
    };
  }
  const list = servers.join(", ");
  if (!absent) {
    return {
      why: `It is not in /etc/hosts, and none of the name servers answered: ${list}`,
      next: "Check the network, or write the address in place of the name",
    };
  }
  const near = nearest(name, hosts().flatMap(({ names }) => names));
  return {
    why: `Neither /etc/hosts nor the name servers (${list}) have an address of it`,
    next: near === undefined ? "Check its spelling" : `Check its spelling: /etc/hosts has ${near}`,
  };
}
