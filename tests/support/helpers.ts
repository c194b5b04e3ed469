// What tests of conversations need again and again.

import assert from "node:assert/strict";
import process from "node:process";
import type { HandlerContext } from "../../lib/serve/server.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Transport } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { DEADLINE_MS, type Pair, pairOn, until } from "../../lib/testing/support.ts";
import { isAtRest, isBound, sleptSince, TELLS } from "./kernel.ts";
import type { Program, PythonPeer } from "./peers.ts";

export {
  bytes,
  echoAll,
  type Pair,
  pairThrough,
  randomBytes,
  readAll,
  readExactly,
  readText,
  rejects,
  turn,
  unsendable,
  until,
} from "../../lib/testing/support.ts";

const below = (n: number) => Math.floor(Math.random() * n);

/**
 * An address of loopback that nobody else is likely to have, neither another process nor another file
 * of tests: there a port that was free a moment ago still is. Only Linux has more than one.
 */
export const OWN_HOST: string = process.platform === "linux"
  ? `127.${64 + below(64)}.${below(256)}.${1 + below(254)}`
  : "127.0.0.1";

/** A port of {@linkcode OWN_HOST} that nobody has, for programs that cannot tell which one they got. */
export async function freePort(): Promise<string> {
  using listener = await systemTransport.listen({ host: OWN_HOST });
  return String(listener.addr.port);
}

/** The same for datagrams. */
export async function freeUdpPort(): Promise<string> {
  const socket = await systemTransport.listenDatagram({ host: OWN_HOST });
  socket.close();
  // Deno frees it when the receive that is pending has noticed.
  await until(() => !isBound(socket.addr), "the port to be free");
  return String(socket.addr.port);
}

/**
 * Waits until `condition` holds, which takes time to look at. Rejects after a minute, and says that it
 * waited for `what`.
 */
export async function untilAsync(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!await condition()) assert.ok(performance.now() < deadline, `Waited in vain for ${what}`);
}

/** Makes a connection on loopback. */
export async function pair(transport: Transport, host = "127.0.0.1"): Promise<Pair<TcpAddr>> {
  return await pairOn(transport, host);
}

/** What a handler is told that is called without a server. */
export const conversation: HandlerContext = {
  signal: new AbortController().signal,
  stopping: new AbortController().signal,
};

/** Asserts that `promise` rejects with a mistake of the caller, which the message tells. */
export async function mistakes(
  kind: "TypeError" | "RangeError",
  message: RegExp,
  promise: Promise<unknown>,
): Promise<void> {
  await assert.rejects(promise, { name: kind, code: "EINVAL", message });
}

/**
 * Waits until neither a peer nor the client that is connected to it, if that is another process, will
 * do anything more by itself.
 */
export async function untilStill(
  { endpoint, pid }: PythonPeer,
  client?: { readonly pid?: number },
): Promise<void> {
  const pids = [pid, client?.pid].filter((pid) => pid !== undefined);
  // What this process does for them takes turns of its own; where no kernel tells, some seconds of them
  // have to do.
  const enough = TELLS ? 5 : 2000;
  let before: string | undefined;
  let turns = 0;
  await until(() => {
    // It costs the most. If both are processes it is asked in the end only: what was under way would
    // have woken one of them.
    const rest = client !== undefined && turns < enough - 1 || isAtRest(endpoint);
    const slept = rest ? pids.map(sleptSince) : [undefined];
    const now = slept.includes(undefined) ? undefined : slept.join();
    turns = now !== undefined && now === before ? turns + 1 : 0;
    before = now;
    return turns === enough;
  }, "the client and its peer to stand still");
}

/** Feeds a client until it takes no more, or has taken `most` bytes; returns how many it has taken. */
export async function feedUntilStill(
  client: Program,
  peer: PythonPeer,
  most: number,
): Promise<number> {
  const chunk = new Uint8Array(1024 * 1024);
  let taken = 0;
  const feed = () => {
    client.stdin.write(chunk, (error) => {
      if (error) return;
      taken += chunk.length;
      if (taken < most) feed();
    });
  };
  feed();
  await untilStill(peer, client);
  return taken;
}
