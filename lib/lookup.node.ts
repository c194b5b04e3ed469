/**
 * Looking up a name on Node, whose getaddrinfo(3) runs on one of four threads: a look-up that hangs
 * keeps others waiting, and the process too when it wants to end. So it begins when the name servers
 * have answered. Its twin for Deno is `lookup.deno.ts`, with the same export names.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { askNameServers } from "./name_servers.ts";

/** The addresses of a name, in the system's order. Rejects with the runtime's error. */
export async function lookUp(host: string, signal?: AbortSignal): Promise<readonly string[]> {
  signal?.throwIfAborted();
  const known = isForNameServers(host) ? await askNameServers(host, signal) : undefined;
  if (known !== undefined) return known;
  signal?.throwIfAborted();
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/** Whether getaddrinfo(3) would ask name servers first. */
function isForNameServers(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  const last = name.slice(name.lastIndexOf(".") + 1);
  // An address, if in an old way of writing; and what never leaves the machine (RFC 6761).
  if (name.includes(":") || /^(\d+|0x[\da-f]*)$/.test(last) || last === "localhost") return false;
  // Names of multicast DNS have two labels (RFC 6762).
  if (last === "local" && name.split(".").length === 2) return false;
  return name !== hostname().toLowerCase() && !isInHostsFile(name);
}

const HOSTS_FILE = process.platform === "win32"
  ? `${process.env.SystemRoot}\\System32\\drivers\\etc\\hosts`
  : "/etc/hosts";

function isInHostsFile(name: string): boolean {
  try {
    const text = readFileSync(HOSTS_FILE, "utf8").toLowerCase();
    return text.includes(name) &&
      text.split("\n").some((line) => line.split("#", 1)[0].trim().split(/\s+/).indexOf(name) > 0);
  } catch {
    return false;
  }
}
