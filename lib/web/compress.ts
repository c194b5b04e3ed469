/**
 * Compression of what is sent, in the threads of the runtime.
 *
 * @module
 */

import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** So much may be under way at once; the runtimes have four threads for this and for files. */
const MOST_AT_ONCE = 2;

let underWay = 0;

/** Whether there is enough to do for now. */
export function isCompressorBusy(): boolean {
  return underWay >= MOST_AT_ONCE;
}

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/**
 * Compresses `content`, as well as can be done while a client waits: brotli of quality 5 takes about
 * the time of gzip's usual 6, and makes less of text.
 */
export async function compress(content: Uint8Array, coding: "br" | "gzip"): Promise<Uint8Array> {
  underWay++;
  try {
    return coding === "gzip" ? await deflate(content) : await brotliText(content);
  } finally {
    underWay--;
  }
}

function brotliText(content: Uint8Array): Promise<Uint8Array> {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 5,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  return brotli(content, { params });
}
