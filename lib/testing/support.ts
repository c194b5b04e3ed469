/**
 * Helpers of the tests of the contract.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Addr, TcpAddr } from "../base/addr.ts";
import { nodeCrypto } from "../base/builtins.deno.ts";
import type { SocketErrorCode } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import type { Datagram } from "../net/datagram.ts";
import type { Conn, Listener, Transport } from "../net/transport.ts";

/** Bytes. */
export const MIB: number = 1024 * 1024;

/** The time that {@linkcode until} waits, in milliseconds. */
export const DEADLINE_MS: number = 60_000;

/** Both ends of a connection, and the listener it came through. */
export interface Pair<A extends Addr = Addr> extends Disposable {
  readonly client: Conn<A>;
  readonly server: Conn<A>;
  readonly listener: Listener<A>;
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

/** `n` bytes that compress badly and repeat nowhere. */
export function randomBytes(n: number): Uint8Array {
  return nodeCrypto().randomFillSync(new Uint8Array(n));
}

let much: Uint8Array | undefined;

/** More bytes than the kernel takes for both ends of a connection that nobody reads from. */
export const MOST_UNREAD: number = 16 * MIB;

/** Random bytes, always the same: a quarter more than the buffers of a connection take. */
export function unsendable(mostUnread: number = MOST_UNREAD): Uint8Array {
  const n = Math.ceil(mostUnread * 5 / 4);
  if (n > (much?.length ?? 0)) much = randomBytes(n);
  return much!.subarray(0, n);
}

const encoder = new TextEncoder();

/** A text in UTF-8. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Reads to the end of the stream. */
export async function readAll(conn: Conn): Promise<Buffer> {
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

/** Reads as many bytes as `expected` has, and asserts that they are the same. Copies none of them. */
export async function assertReads(conn: Conn, expected: Uint8Array): Promise<void> {
  const buffer = new Uint8Array(Math.min(expected.length, MIB));
  for (let at = 0; at < expected.length;) {
    const got = await conn.read(buffer.subarray(0, expected.length - at));
    assert.notEqual(got, null, `The stream ended after ${at} of ${expected.length} bytes`);
    const wanted = expected.subarray(at, at + got!);
    const same = Buffer.compare(buffer.subarray(0, got!), wanted) === 0;
    assert.ok(same, `Other bytes came after ${at} of ${expected.length}`);
    at += got!;
  }
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

/**
 * Marks what has begun and is awaited later. If it rejects before, or the test fails first, that is no
 * unhandled rejection, which would end the runner.
 */
export function begun<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Asserts that `promise` rejects with a SocketError of one of these codes; resolves to the error. */
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

/** Asserts that `promise` rejects with a RangeError, for a value that the message names. */
export async function refuses(promise: Promise<unknown>, message: RegExp = /./): Promise<void> {
  await assert.rejects(promise, { name: "RangeError", message });
}

/** A connection of TCP on an address of loopback. */
export async function pairOn(transport: Transport, host: string): Promise<Pair<TcpAddr>> {
  return await pairThrough(await transport.listen({ host }), (addr) => transport.connect(addr));
}

/** Receives one datagram as text; it must be whole. */
export async function receiveText(socket: Datagram): Promise<string> {
  const p = new Uint8Array(65_535);
  const { size, truncated } = await socket.receive(p);
  assert.equal(truncated, 0);
  return new TextDecoder().decode(p.subarray(0, size));
}
