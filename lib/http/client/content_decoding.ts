/**
 * Content codings (RFC 9110 section 8.4): a layer over the body, which stays what came on the wire.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  having,
  type Kind,
  type Kinds,
  LIMIT,
} from "../../base/arguments.ts";
import type { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import { nodeZlib } from "../../base/builtins.deno.ts";
import { borrowedFrom, copyOf } from "../../base/borrowed.ts";
import { counted } from "../../base/counted.ts";
import { membersOf } from "../message/fields.ts";
import { RequestError } from "./errors.ts";
import type { ClientResponse } from "./response.ts";

/** A decoder of `node:zlib`. */
type Decoder = Transform & { readonly bytesWritten: number };

interface Coding {
  /** Makes the decoder of content that begins with the byte `first`. */
  make(first: number): Decoder;
  /** Whether it fails when its input breaks off, or goes on after its end. */
  readonly strict: boolean;
}

const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: { make: () => nodeZlib().createGunzip(), strict: true },
  // Meant is the zlib format (RFC 1950), whose first byte says 8; many servers send bare deflate data.
  deflate: {
    make: (first) =>
      (first & 0x0f) === 8 ? nodeZlib().createInflate() : nodeZlib().createInflateRaw(),
    strict: false,
  },
  br: { make: () => nodeZlib().createBrotliDecompress(), strict: false },
};

/** The value of Accept-Encoding that asks for what {@linkcode decodeContent} can decode here. */
export const ACCEPT_ENCODING: string = Object.keys(CODINGS).join(", ");

/** More codings on top of each other have no use but to blow up. */
const MOST_CODINGS = 2;

/** Options of {@linkcode decodeContent}. */
export interface DecodeOptions {
  /** Bytes of decoded content: more is BODY_TOO_LARGE; 0 for no limit. Default: 0. */
  readonly maxSize?: number;
}

const RESPONSE: Kind = having("what requestHttp() resolves to", "read", "borrowed", "close");

const OPTIONS: Kinds<DecodeOptions> = { maxSize: LIMIT };

/**
 * The content of a response without its codings (gzip, deflate, br), as it comes; content without a
 * coding is that of the response. The pieces are the caller's to keep.
 *
 * Throws a {@linkcode RequestError}: BAD_CONTENT_ENCODING for a coding that is not known, and for
 * what does not decode; and what reading the response rejects with.
 */
export function decodeContent(
  response: ClientResponse,
  options: DecodeOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  checkArgument("decodeContent", response, RESPONSE);
  checkOptions("decodeContent", options, OPTIONS, "{ maxSize: 1000000 }");
  return copied(decoded(response, options.maxSize || Infinity));
}

async function* copied(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of source) yield copyOf(bytes);
}

/** The pieces of {@linkcode decodeContent}, each valid until the next one. */
export async function* decoded(
  response: ClientResponse,
  maxSize: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  let content = borrowedFrom(response);
  for (const coding of codingsOf(response)) content = decode(content, coding, response);
  for await (const bytes of content) {
    size += bytes.length;
    if (size > maxSize) {
      const why = `the content has more than ${counted(maxSize, "byte")}`;
      throw new RequestError("BODY_TOO_LARGE", response.url, why);
    }
    yield bytes;
  }
}

/** In the order in which they are to be taken off. */
function codingsOf(response: ClientResponse): Coding[] {
  const value = response.headers.get("content-encoding") ?? "";
  const names = membersOf(value.toLowerCase()).map((name) => name === "x-gzip" ? "gzip" : name)
    .filter((name) => name !== "" && name !== "identity");
  if (names.length > MOST_CODINGS || !names.every((name) => Object.hasOwn(CODINGS, name))) {
    response.close();
    throw undecodable(response, `its content coding '${value}' is not known here`);
  }
  return names.map((name) => CODINGS[name]).reverse();
}

/** Takes one coding off `source`, with no more held than the decoder's own buffers. */
async function* decode(
  source: AsyncIterable<Uint8Array>,
  coding: Coding,
  response: ClientResponse,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = source[Symbol.asyncIterator]();
  const first = await pieces.next();
  // Nothing at all is what responses to HEAD have, for one.
  if (first.done) return;
  const decoder = coding.make(first.value[0]);
  const feeder = new Feeder(pieces, decoder, coding.strict);
  const feeding = feeder.run(first.value);
  try {
    for await (const bytes of decoder as AsyncIterable<Buffer>) yield bytes;
    await feeding;
    if (!coding.strict && decoder.bytesWritten !== feeder.fed) {
      throw new Error("It breaks off, or goes on after its end");
    }
  } catch (cause) {
    if (feeder.failure !== undefined) throw feeder.failure;
    throw undecodable(response, "its content does not decode", { cause });
  } finally {
    decoder.destroy();
    // A reader that leaves early does not wait for the server.
    response.close();
    await feeding;
  }
}

/** Gives a decoder what it is to decode. */
class Feeder {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #decoder: Decoder;
  readonly #strict: boolean;
  /** The number of bytes that it was given. */
  fed = 0;
  /** Why there are no more of them, if that is not as it should be. */
  failure: unknown;

  constructor(pieces: AsyncIterator<Uint8Array>, decoder: Decoder, strict: boolean) {
    this.#pieces = pieces;
    this.#decoder = decoder;
    this.#strict = strict;
  }

  /** Gives it `first`, and then the other pieces to their end. */
  async run(first: Uint8Array): Promise<void> {
    try {
      let bytes: Uint8Array = first;
      for (let done: boolean | undefined = false; !done;) {
        if (this.#decoder.destroyed) return;
        this.fed += bytes.length;
        await this.#write(bytes);
        ({ done, value: bytes } = await this.#pieces.next());
      }
      // At its end a decoder takes no more, not even one byte. That is how to tell, since not all
      // runtimes do.
      if (!this.#strict) await this.#write(new Uint8Array(1));
      this.#decoder.end();
    } catch (error) {
      this.failure = error;
      this.#decoder.destroy(error as Error);
    } finally {
      await this.#pieces.return?.();
    }
  }

  /** The bytes are ours until the decoder has worked them off; one that fails never says so. */
  #write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#decoder.once("close", resolve);
      this.#decoder.write(bytes, () => {
        this.#decoder.removeListener("close", resolve);
        resolve();
      });
    });
  }
}

function undecodable(response: ClientResponse, why: string, options?: ErrorOptions): RequestError {
  return new RequestError("BAD_CONTENT_ENCODING", response.url, why, options);
}
