/**
 * Compression of what is sent. Node compresses in threads, Deno on the event loop: so it is done bit by
 * bit, and in turns.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type BrotliCompress, constants, createBrotliCompress, createGzip } from "node:zlib";
import { Semaphore } from "./semaphore.ts";
import { inTurn } from "./event_loop_turns.ts";

/** The content codings that are made here. */
export type MadeCoding = "br" | "gzip";

/**
 * Lets those through who compress a file, which is held in memory meanwhile: two of them, since the
 * runtimes have four threads for this and for files. Too many who wait is EBUSY.
 */
export const compressing: Semaphore = new Semaphore(2, 1000);

/** The bytes that are compressed in one go; brotli, which gathers 64 KiB, takes some 2 ms for those. */
const SOME = 16 * 1024;

/** Compresses `content`, as well as can be done while a client waits. */
export async function compress(content: Uint8Array, coding: MadeCoding): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of compressed(slicesOf(content), coding, content.length)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function* slicesOf(content: Uint8Array): Generator<Uint8Array, void, void> {
  for (let i = 0; i < content.length; i += SOME) yield content.subarray(i, i + SOME);
}

/**
 * A small window, of 8 KiB, does as well for text that repeats itself, and takes a sixth of the
 * memory.
 */
const SMALL = { windowBits: 13, memLevel: 6 };

/**
 * Compresses text that comes in pieces, of which `size` is the length. Without it they are taken for
 * rows, which may be sent to many at once.
 */
export async function* compressed(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  coding: MadeCoding,
  size?: number,
): AsyncGenerator<Uint8Array, void, void> {
  const stream = coding === "gzip"
    ? createGzip(size === undefined ? SMALL : {})
    : createBrotli(size);
  let chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    stream.on("end", resolve).on("error", reject);
  });
  ended.catch(() => {});
  stream.on("data", (chunk) => chunks.push(chunk));
  try {
    for await (const piece of pieces) {
      await new Promise<void>((resolve, reject) => {
        const taken = (error?: Error | null) => error ? reject(error) : resolve();
        inTurn(() => stream.write(piece, taken)).catch(reject);
      });
      if (chunks.length === 0) continue;
      yield Buffer.concat(chunks);
      chunks = [];
    }
    await inTurn(() => stream.end());
    await ended;
    yield* chunks;
  } finally {
    stream.destroy();
  }
}

/** Quality 5 takes about half as long again as gzip's usual 6, and makes less of text. */
function createBrotli(size = 0): BrotliCompress {
  return createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 5,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: size,
    },
  });
}
