// What tests of conversations need again and again.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomFillSync, randomInt } from "node:crypto";
import process from "node:process";
import type { Conversation } from "../lib/serve/conversation.ts";
import { type SocketErrorCode } from "../lib/base/error_codes.ts";
import { SocketError } from "../lib/base/errors.ts";
import type { Addr, TcpAddr } from "../lib/base/addr.ts";
import type { Conn, Listener, Transport } from "../lib/net/transport.ts";
import { systemTransport } from "../lib/net/system.deno.ts";
import { isAtRest, isBound, sleptSince, TELLS } from "./kernel.ts";
import { DEADLINE_MS, type Program, type PythonPeer } from "./peers.ts";

/** Both ends of a connection, and the listener it came through. */
export interface Pair<A extends Addr = Addr> extends Disposable {
  readonly client: Conn<A>;
  readonly server: Conn<A>;
  readonly listener: Listener<A>;
}

/**
 * An address of loopback that nobody else is likely to have, neither another process nor another file
 * of tests: there a port that was free a moment ago still is. Only Linux has more than one.
 */
export const OWN_HOST: string = process.platform === "linux"
  ? `127.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(1, 255)}`
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

/** Makes a connection on loopback. */
export async function pair(transport: Transport, host = "127.0.0.1"): Promise<Pair<TcpAddr>> {
  const listener = await transport.listen({ host });
  return await pairThrough(listener, (addr) => transport.connect(addr));
}

/** Makes a connection to a listener. */
export async function pairThrough<A extends Addr>(
  listener: Listener<A>,
  connect: (addr: A) => Promise<Conn<A>>,
): Promise<Pair<A>> {
  const [client, server] = await Promise.all([connect(listener.addr), listener.accept()]);
  return {
    client,
    server,
    listener,
    [Symbol.dispose]() {
      client.close();
      server.close();
      listener.close();
    },
  };
}

/** What a handler is told that is called without a server. */
export const conversation: Conversation = {
  signal: new AbortController().signal,
  stopping: new AbortController().signal,
};

/** `n` bytes that compress badly and repeat nowhere. */
export function randomBytes(n: number): Uint8Array {
  return randomFillSync(new Uint8Array(n));
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Reads to the end of the stream. */
export async function readAll(conn: Conn): Promise<Uint8Array> {
  const buffer = new Uint8Array(64 * 1024);
  const chunks: Uint8Array[] = [];
  for (let n; (n = await conn.read(buffer)) !== null;) chunks.push(buffer.slice(0, n));
  return Buffer.concat(chunks);
}

/** Reads exactly `n` bytes. */
export async function readExactly(conn: Conn, n: number): Promise<Uint8Array> {
  const p = new Uint8Array(n);
  for (let at = 0; at < n;) {
    const got = await conn.read(p.subarray(at));
    assert.notEqual(got, null, `The stream ended after ${at} of ${n} bytes`);
    at += got!;
  }
  return p;
}

/** Reads `n` bytes as text. */
export async function readText(conn: Conn, n: number): Promise<string> {
  return new TextDecoder().decode(await readExactly(conn, n));
}

/** Sends back all that comes, and then closes. */
export async function echoAll(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let n; (n = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, n));
  conn.close();
}

/** Asserts that `promise` rejects with a SocketError of one of these codes; returns the error. */
export async function rejects(
  promise: Promise<unknown>,
  ...codes: SocketErrorCode[]
): Promise<SocketError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof SocketError, `Not a SocketError: ${error}`);
    assert.ok(codes.includes(error.code), `${error.code}, not ${codes}: ${error.message}`);
    return error;
  }
  assert.fail(`It resolved, and did not reject with ${codes}`);
}

/** Asserts that `promise` rejects with a mistake of the caller, which the message tells. */
export async function mistakes(
  kind: "TypeError" | "RangeError",
  message: RegExp,
  promise: Promise<unknown>,
): Promise<void> {
  await assert.rejects(promise, { name: kind, code: "EINVAL", message });
}

/**
 * Waits until `condition` holds, a turn of the event loop at a time. Rejects after a minute, and says
 * that it waited for `what`.
 */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `Waited in vain for ${what}`);
    await turn();
  }
}

/** Resolves when all that is ready to run has run, the sockets of this process included. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
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
  let before: string | undefined;
  let turns = 0;
  await until(() => {
    const slept = isAtRest(endpoint) ? pids.map(sleptSince) : [undefined];
    const now = slept.includes(undefined) ? undefined : slept.join();
    turns = now !== undefined && now === before ? turns + 1 : 0;
    before = now;
    // What this process does for them takes turns of its own; where no kernel tells, some seconds of
    // them have to do.
    return turns === (TELLS ? 5 : 2000);
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
