/**
 * A {@linkcode Conn} as a pair of web streams, for code that takes only those.
 *
 * @module
 */

import { checkArgument, CONN } from "../base/arguments.ts";
import type { Conn } from "./transport.ts";

/** The most that one chunk has, in bytes. */
const CHUNK = 64 * 1024;

/** The result of {@linkcode toWebStreams}. It can be passed to `pipeThrough()`. */
export interface WebStreams {
  /** The bytes that the peer sends. A chunk belongs to its reader. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Sends bytes to the peer. A chunk may be used again once its write has resolved. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * Makes two web streams of a connection, which belongs to them from then on:
 *
 * - Both have backpressure. Nothing is read from the connection before the stream is read, and a write
 *   resolves when that of the connection does.
 * - `writable.close()` sends FIN; reading goes on. The readable ends when the peer has sent FIN. When
 *   both have happened, the connection is closed.
 * - `writable.abort()` resets the connection, so that the peer does not take what it got for all.
 * - `readable.cancel()` closes the connection.
 * - An error of the connection is that of the streams: a {@linkcode SocketError}.
 *
 * @example A response that is sent, and read, as a stream
 * ```ts
 * import { toWebStreams } from "@plainsocket/plainsocket/streams";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * const listener = await transport.listen({ port: 7 });
 * const [client, server] = await Promise.all([
 *   transport.connect({ host: "localhost", port: 7 }),
 *   listener.accept(),
 * ]);
 *
 * const sent = new Response("hello").body!.pipeTo(toWebStreams(server).writable);
 * assert.equal(await new Response(toWebStreams(client).readable).text(), "hello");
 * await sent;
 * ```
 */
export function toWebStreams(conn: Conn): WebStreams {
  checkArgument("toWebStreams", conn, CONN);
  let open = 2;
  const endOne = () => {
    if (--open === 0) conn.close();
  };
  const readable = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const p = new Uint8Array(CHUNK);
      const n = await conn.read(p).catch((error) => {
        conn.close(error);
        throw error;
      });
      if (n !== null) return controller.enqueue(p.subarray(0, n));
      controller.close();
      endOne();
    },
    cancel: () => conn.close(),
  }, { highWaterMark: 0 });
  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      // The types of Node do not have it.
      const { signal } = controller as unknown as { readonly signal: AbortSignal };
      // The method `abort` of a sink is called only after the write that waits for the peer.
      signal.addEventListener("abort", () => {
        conn.reset(signal.reason instanceof Error ? signal.reason : undefined);
      });
    },
    async write(chunk) {
      // The peer may still send what it has to say.
      await conn.write(chunk).catch((error) => {
        endOne();
        throw error;
      });
    },
    async close() {
      try {
        await conn.closeWrite();
      } finally {
        endOne();
      }
    },
  });
  return { readable, writable };
}
