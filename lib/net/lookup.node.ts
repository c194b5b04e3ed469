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

/** Whether getaddrinfo(3) would ask name servers for it, and nobody else before. */
function isForNameServers(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  const labels = name.split(".");
  const last = labels[labels.length - 1];
  // An address, if in an old way of writing.
  if (name.includes(":") || /^(\d+|0x[\da-f]*)$/.test(last)) return false;
  if (name === "localhost" || isInHostsFile(name)) return false;
  // Names of multicast DNS have two labels (RFC 6762).
  if (last === "local" && labels.length === 2) return !hasSource(/\b(mdns|resolve\b)/);
  const ours = last === "localhost" || name === hostname().toLowerCase();
  return !ours || !hasSource(/\b(myhostname|resolve)\b/);
}

/** Whether the system has a source of names (nsswitch.conf(5)); other systems than Linux have them all. */
function hasSource(source: RegExp): boolean {
  if (process.platform !== "linux") return true;
  return source.test(/^\s*hosts:(.*)/m.exec(read("/etc/nsswitch.conf"))?.[1] ?? "");
}

const HOSTS_FILE = process.platform === "win32"
  ? `${process.env.SystemRoot}\\System32\\drivers\\etc\\hosts`
  : "/etc/hosts";

function isInHostsFile(name: string): boolean {
  const text = read(HOSTS_FILE).toLowerCase();
  return text.includes(name) &&
    text.split("\n").some((line) => line.split("#", 1)[0].trim().split(/\s+/).indexOf(name) > 0);
}

/** The text of a file; "" if it cannot be read. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
