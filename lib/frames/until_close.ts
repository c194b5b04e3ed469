/**
 * A stream that is one frame.
 *
 * @module
 */

import {
  checkPayloadSize,
  endless,
  type FrameBounds,
  type Framing,
  type FramingOptions,
  maxSizeOf,
  NO_TAIL,
} from "./framing.ts";

/**
 * One frame: all that comes until the stream ends, as with finger and whois. It may be empty, and a
 * stream cut short cannot be told from one that is whole.
 *
 * A payload may be written in several pieces: they are the same frame. Half-closing ends it.
 *
 * @example
 * ```ts
 * import { FrameReader, untilClose } from "@plainsocket/plainsocket/frames";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * using listener = await transport.listen({ port: 79 });
 * using client = await transport.connect({ host: "localhost", port: 79 });
 * using server = await listener.accept();
 *
 * await server.write(new Uint8Array([1, 2]));
 * await server.write(new Uint8Array([3]));
 * await server.closeWrite();
 *
 * const reader = new FrameReader(client, untilClose());
 * assert.deepEqual(await reader.read(), new Uint8Array([1, 2, 3]));
 * assert.equal(await reader.read(), null);
 * ```
 */
export function untilClose(options: FramingOptions = {}): Framing {
  return new UntilClose(maxSizeOf("untilClose", options));
}

class UntilClose implements Framing {
  readonly name = "until close";
  readonly maxSize: number;
  readonly overhead = 0;
  readonly tail = NO_TAIL;

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  check(payload: Uint8Array): void {
    checkPayloadSize(this, payload.length);
  }

  putHead(_size: number, _out: Uint8Array, at: number): number {
    return at;
  }

  find(bytes: Uint8Array, from: number, _searched: number, _bounds: FrameBounds): number {
    if (bytes.length - from > this.maxSize) throw endless(this);
    return 1;
  }

  atEnd(_rest: Uint8Array): boolean {
    return true;
  }
}
