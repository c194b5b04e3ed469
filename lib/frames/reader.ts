/**
 * Frames from a connection.
 *
 * @module
 */

import { checkArgument, READABLE } from "../base/arguments.ts";
import type { Conn } from "../net/transport.ts";
import { ReadBuffer } from "./buffer.ts";
import { FrameDecoder } from "./decoder.ts";
import { FRAMING, type Framing } from "./framing.ts";

const NOTHING = new Uint8Array(0);

/** The way to take frames: to keep, or without a copy. */
interface Way {
  /** Takes the next frame of what was received. */
  readonly next: () => Uint8Array | null;
  /** The same after more was received: a number of bytes, or the end. */
  readonly received: (n: number | null) => Uint8Array | null | Promise<Uint8Array | null>;
}

/**
 * Reads frames from a connection, which stays the caller's to close. It reads when it is asked for a
 * frame that it does not have yet, so a peer that sends more has to wait; it holds at most one frame
 * in pieces and 64 KiB.
 *
 * Iterating it gives all frames to the end; leaving the loop leaves the connection open. Frames are
 * the caller's to keep, but for those of {@linkcode readBorrowed} and {@linkcode tryReadBorrowed}.
 *
 * @example
 * ```ts
 * import { FrameReader, FrameWriter, lines } from "@plainsocket/plainsocket/frames";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * using listener = await transport.listen({ port: 7 });
 * using client = await transport.connect({ host: "localhost", port: 7 });
 * using server = await listener.accept();
 *
 * const writer = new FrameWriter(client, lines());
 * await writer.write(new TextEncoder().encode("one"));
 * await writer.write(new TextEncoder().encode("two"));
 * await writer.flush();
 * await client.closeWrite();
 *
 * const found = [];
 * for await (const frame of new FrameReader(server, lines())) {
 *   found.push(new TextDecoder().decode(frame));
 * }
 * assert.deepEqual(found, ["one", "two"]);
 * ```
 */
export class FrameReader implements AsyncIterable<Uint8Array> {
  readonly #conn: Conn;
  readonly #decoder: FrameDecoder;
  readonly #buffer = new ReadBuffer();
  readonly #owned: Way = this.#way(() => this.#own(this.#decoder.next()));
  readonly #borrowed: Way = this.#way(() => this.#decoder.next());
  /** The number of bytes of the buffer that the decoder has until it is asked for more. */
  #received = 0;

  /** Reads from `conn`; the frames end where `framing` says. */
  constructor(conn: Conn, framing: Framing) {
    checkArgument("new FrameReader", conn, READABLE);
    checkArgument("new FrameReader", framing, FRAMING);
    this.#conn = conn;
    this.#decoder = new FrameDecoder(framing);
  }

  /**
   * The bytes that were received and not taken as a frame, in a copy: the beginning of the next
   * frame, or the frame that {@linkcode read} rejects and all bytes after it. The rest of the stream
   * is in the connection, for a program that goes on without this reader.
   */
  get rest(): Uint8Array {
    return this.#decoder.rest;
  }

  /**
   * Waits for the next frame. Resolves to its payload. At the end of the stream it resolves to `null`,
   * and so does each later call.
   *
   * Rejects with a {@linkcode FrameError} if the next bytes are not a frame, and with a
   * {@linkcode SocketError} as {@linkcode Conn.read} does. Each later call rejects with the same error.
   * All frames before it are returned first. The bytes that are left are in {@linkcode rest}.
   */
  read(): Promise<Uint8Array | null> {
    return this.#read(this.#owned);
  }

  /**
   * Does the same without a copy: the payload is valid until the next `read()` or `readBorrowed()`,
   * and those that `tryReadBorrowed()` gives after it are valid together with it.
   */
  readBorrowed(): Promise<Uint8Array | null> {
    return this.#read(this.#borrowed);
  }

  /**
   * Takes the next frame if it has been received already, as {@linkcode read} would without waiting;
   * `null` if not. Only {@linkcode read} reports errors.
   *
   * Many small frames arrive at once. This takes them without a promise for each.
   */
  tryRead(): Uint8Array | null {
    return this.#tryRead(this.#owned);
  }

  /**
   * Does the same without a copy: the payload is valid until the next `read()` or `readBorrowed()`.
   *
   * @example An echo server for frames
   * ```ts
   * import { type Conn, serve } from "@plainsocket/plainsocket";
   * import { FrameReader, FrameWriter, lengthPrefix } from "@plainsocket/plainsocket/frames";
   * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
   * import assert from "node:assert/strict";
   *
   * const framing = lengthPrefix("u32");
   *
   * async function echoFrames(conn: Conn): Promise<void> {
   *   const reader = new FrameReader(conn, framing);
   *   const writer = new FrameWriter(conn, framing);
   *   for (let frame; (frame = await reader.readBorrowed()) !== null;) {
   *     do {
   *       if (!writer.tryWrite(frame)) await writer.write(frame);
   *     } while ((frame = reader.tryReadBorrowed()) !== null);
   *     await writer.flush();
   *   }
   * }
   *
   * const transport = new MemoryTransport();
   * const listener = await transport.listen({ port: 7 });
   * const server = serve(listener, echoFrames);
   *
   * using conn = await transport.connect({ host: "localhost", port: 7 });
   * const writer = new FrameWriter(conn, framing);
   * await writer.write(new Uint8Array([1, 2, 3]));
   * await writer.flush();
   * assert.deepEqual(await new FrameReader(conn, framing).read(), new Uint8Array([1, 2, 3]));
   *
   * conn.close();
   * await server.stop();
   * ```
   */
  tryReadBorrowed(): Uint8Array | null {
    return this.#tryRead(this.#borrowed);
  }

  /** All frames to the end of the stream, as by {@linkcode read}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (let frame; (frame = await this.read()) !== null;) yield frame;
  }

  #read(way: Way): Promise<Uint8Array | null> {
    try {
      const frame = way.next();
      if (frame !== null || this.#decoder.ended) return Promise.resolve(frame);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#receive().then(way.received, this.#failed);
  }

  #tryRead(way: Way): Uint8Array | null {
    try {
      return way.next();
    } catch {
      // It stays there, and read() comes upon it.
      return null;
    }
  }

  #receive(): Promise<number | null> {
    // It is done with what it has, and must not keep the buffer of that.
    this.#decoder.push(NOTHING);
    const bytes = this.#buffer.lend(this.#received);
    this.#received = 0;
    return this.#conn.read(bytes);
  }

  /** Gives the decoder what was received, and takes a frame. */
  #decode(n: number | null, way: Way): Uint8Array | null {
    this.#buffer.received();
    if (n === null) this.#decoder.end();
    else {
      this.#received = n;
      this.#decoder.push(this.#buffer.first(n));
    }
    return way.next();
  }

  /** A frame to keep: one that came in pieces has its own memory. */
  #own(frame: Uint8Array | null): Uint8Array | null {
    return frame?.buffer === this.#buffer.bytes.buffer ? frame.slice() : frame;
  }

  #way(next: () => Uint8Array | null): Way {
    const way: Way = {
      next,
      // Mostly one read is enough, and needs no async function, which costs several percent of an echo.
      received: (n) => {
        const frame = this.#decode(n, way);
        return frame !== null || n === null ? frame : this.#receiveMore(way);
      },
    };
    return way;
  }

  readonly #failed = (error: unknown): never => {
    this.#buffer.received();
    throw error;
  };

  async #receiveMore(way: Way): Promise<Uint8Array | null> {
    for (;;) {
      const n = await this.#receive().catch(this.#failed);
      const frame = this.#decode(n, way);
      if (frame !== null || n === null) return frame;
    }
  }
}
