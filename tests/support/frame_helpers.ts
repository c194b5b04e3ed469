// What tests of frames share.

import { Buffer } from "node:buffer";
import {
  delimiter,
  fixedLength,
  FrameDecoder,
  FrameError,
  type Framing,
  lengthPrefix,
  lines,
  untilClose,
} from "../../lib/frames/mod.ts";
import { bytes } from "./helpers.ts";

/** Every framing, with the limit that is asked for where it takes one. */
export function framings(maxSize?: number): Framing[] {
  const options = { maxSize };
  return [
    lines(options),
    delimiter(bytes("\r\n"), options),
    delimiter(bytes("aba"), options),
    fixedLength(maxSize ?? 5),
    lengthPrefix("u8", options),
    lengthPrefix("u16", options),
    lengthPrefix("u16", { ...options, endian: "little" }),
    lengthPrefix("u32", options),
    lengthPrefix("u32", { ...options, endian: "little" }),
    lengthPrefix("varint", options),
    untilClose(options),
  ];
}

/** What a stream comes to: its frames, then how it ends, and what is left. */
export interface Verdict {
  readonly frames: string[];
  readonly error: string | undefined;
  readonly rest: string;
}

/** Decodes a whole stream that comes in these pieces. */
export function decodeAll(framing: Framing, pieces: readonly Uint8Array[]): Verdict {
  const decoder = new FrameDecoder(framing);
  const frames: string[] = [];
  const take = () => {
    // All of a chunk are valid together.
    const found: Uint8Array[] = [];
    try {
      for (let frame; (frame = decoder.next()) !== null;) found.push(frame);
    } finally {
      frames.push(...found.map(text));
    }
  };
  let given = 0;
  let error;
  try {
    for (const piece of pieces) {
      // As a connection does: into the same buffer each time, over what was there.
      const buffer = piece.slice();
      decoder.push(buffer);
      given++;
      take();
      buffer.fill(0xee);
    }
    decoder.end();
    take();
  } catch (thrown) {
    if (!(thrown instanceof FrameError)) throw thrown;
    error = thrown.message;
  }
  const rest = text(decoder.rest) + pieces.slice(given).map(text).join("");
  return { frames, error, rest };
}

/** Bytes as text, each as one character. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Text as bytes, each character as one. */
export function binary(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
