/**
 * The content of responses without its codings (RFC 9110 section 8.4), as browsers show it.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { formatSize } from "../../base/size.ts";
import { membersOf } from "../../http/message/fields.ts";

/** The most bytes that one content is decoded to, and all of an archive. */
interface ContentLimits {
  readonly content: number;
  readonly total: number;
}

const LIMITS: ContentLimits = { content: 64 * 1024 * 1024, total: 256 * 1024 * 1024 };

/** More codings on top of each other have no use but to blow up. */
const MAX_CODINGS = 2;

type Decode = (bytes: Uint8Array, limits: { readonly maxOutputLength: number }) => Buffer;

/** Node has it from 22.15 on. */
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: Decode };

const CODINGS: Readonly<Record<string, Decode | undefined>> = {
  gzip: zlib.gunzipSync,
  "x-gzip": zlib.gunzipSync,
  // The first byte of the zlib format says 8; many servers send bare deflate data.
  deflate: (bytes, limits) =>
    (bytes[0] & 0x0f) === 8 ? zlib.inflateSync(bytes, limits) : zlib.inflateRawSync(bytes, limits),
  br: zlib.brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/** A content, and what became of its codings; "" if it has none. */
export interface Decoded {
  readonly content: Buffer;
  /** Whether it still has its codings. */
  readonly isCoded: boolean;
  readonly comment: string;
}

/** Decodes the contents of one archive, within its limits. */
export class ContentDecoder {
  readonly #most: number;
  #left: number;

  constructor({ content, total }: ContentLimits = LIMITS) {
    this.#most = content;
    this.#left = total;
  }

  /** Takes the codings that a Content-Encoding names off `body`; what cannot be decoded stays. */
  decode(body: Buffer, value: string): Decoded {
    const names = membersOf(value.toLowerCase()).filter((name) =>
      name !== "" && name !== "identity"
    );
    if (names.length === 0 || body.length === 0) {
      return { content: body, isCoded: false, comment: "" };
    }
    const kept = (why: string) => ({
      content: body,
      isCoded: true,
      comment: `The content is as it was sent, ${value}: ${why}.`,
    });
    const codings = names.flatMap((name) =>
      Object.hasOwn(CODINGS, name) ? CODINGS[name] ?? [] : []
    );
    if (codings.length !== names.length) return kept("this coding is not known here");
    if (codings.length > MAX_CODINGS) return kept("it has too many codings");
    const most = Math.min(this.#most, this.#left);
    if (most === 0) return kept("the contents before it are too long");
    try {
      const limits = { maxOutputLength: most };
      const content = codings.reduceRight((bytes, decode) => decode(bytes, limits), body);
      // Deno makes nothing, and no error, of brotli that breaks off.
      if (content.length === 0) return kept("it does not decode");
      this.#left -= content.length;
      return { content, isCoded: false, comment: `The content was decoded from ${value}.` };
    } catch (error) {
      const isLong = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
      return kept(isLong ? `decoded it is longer than ${formatSize(most)}` : "it does not decode");
    }
  }
}
