/**
 * Looking up a name on Deno, where a getaddrinfo(3) that hangs keeps nobody waiting. Its twin for Node
 * is `lookup.node.ts`, with the same export names; the npm build swaps the one for the other.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { deferred } from "../base/wait.ts";
import { askNameServers } from "./name_servers.ts";

/** Files, and name servers that are near, have answered by then. */
const AT_ONCE_MS = 10;

/** The addresses of a name, in the system's order. Rejects with the runtime's error. */
export async function lookUp(host: string, signal?: AbortSignal): Promise<readonly string[]> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = deferred<readonly string[]>();
  const over = new AbortController();
  const onAbort = () => reject(signal!.reason);
  // If it fails there is nothing to be had before getaddrinfo(3) has found it out itself.
  const ask = () =>
    askNameServers(host, over.signal).then((known) => known && resolve(known), () => {});
  lookup(host, { all: true, verbatim: true })
    .then((found) => resolve(found.map(({ address }) => address)), reject);
  const timer = mayAsk() ? setTimeout(ask, AT_ONCE_MS) : undefined;
  signal?.addEventListener("abort", onAbort);
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    clearTimeout(timer);
    over.abort();
  }
}

/** Only those who may connect to anybody may ask name servers; others would be prompted for each. */
function mayAsk(): boolean {
  return Deno.permissions.querySync({ name: "net" }).state === "granted";
}
