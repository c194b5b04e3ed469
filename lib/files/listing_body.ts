/**
 * The content of a listing: rendered bit by bit as the client takes it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { compressed } from "./compress.ts";
import { mostWanted, parseAcceptEncoding } from "./accept_encoding.ts";
import type { Reading } from "./directory_reading.ts";
import type { Use } from "./shared_readings.ts";
import { inTurn } from "./event_loop_turns.ts";

/** The content coding of a listing. Not brotli: its compressors take 40 times the memory of gzip's. */
export type ListingCoding = "gzip" | "identity";

const CODINGS: readonly { readonly coding: ListingCoding }[] = [{ coding: "gzip" }, {
  coding: "identity",
}];

/** The most listings that are compressed at once. Each has a compressor until its client has it all. */
const MOST_COMPRESSED = 16;

let compressors = 0;

/** The coding of the next listing for a client, by its Accept-Encoding. */
export function codingOf(acceptEncoding: string | undefined): ListingCoding {
  const weights = parseAcceptEncoding(acceptEncoding);
  const isReady = ({ coding }: { coding: ListingCoding }) =>
    coding === "identity" || compressors < MOST_COMPRESSED;
  // A client that accepts none of them gets it as it is, which HTTP allows.
  return mostWanted(weights, CODINGS, isReady)?.coding ?? "identity";
}

/** Characters that are rendered in one go. */
const SOME = 16 * 1024;

/** The parts of a {@linkcode ListingBody}. */
export interface ListingSource {
  readonly coding: ListingCoding;
  /** Reads the directory, until the signal; `onDrop` is called when the reading must be dropped. */
  use(signal: AbortSignal, onDrop: (reason: Error) => void): Promise<Use>;
  /** Returns a reading as text. */
  render(reading: Reading): Promise<Iterable<string>>;
}

/**
 * A listing as the body of a response. It can be gone through once. When it is left early, even
 * while the directory is being read or before it has begun, all work for it ends.
 */
export class ListingBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: ListingSource;
  readonly #stop = new AbortController();
  readonly #chunks: AsyncGenerator<Uint8Array, void, void>;
  #compresses: boolean;
  /** Why it has been ended, if it was not by who takes it. */
  #failure: { readonly reason: unknown } | undefined;

  constructor(source: ListingSource) {
    this.#source = source;
    this.#compresses = source.coding !== "identity";
    if (this.#compresses) compressors++;
    this.#chunks = this.#run();
  }

  async next(): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#failure !== undefined) throw this.#failure.reason;
    const result = await this.#chunks.next();
    if (result.done === true) this.#release();
    return result;
  }

  async return(): Promise<IteratorResult<Uint8Array, void>> {
    this.#release();
    this.#stop.abort();
    await this.#chunks.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async *#run(): AsyncGenerator<Uint8Array, void, void> {
    const { coding, use, render } = this.#source;
    using used = await use(this.#stop.signal, (reason) => {
      this.#failure = { reason };
      this.return().catch(() => {});
    });
    const pieces = piecesOf(await render(used.reading));
    yield* coding === "gzip" ? compressed(pieces, coding) : pieces;
  }

  #release(): void {
    if (this.#compresses) compressors--;
    this.#compresses = false;
  }
}

/** Text as bytes, a good number at a time. */
async function* piecesOf(parts: Iterable<string>): AsyncGenerator<Buffer, void, void> {
  const iterator = parts[Symbol.iterator]();
  const take = () => {
    let text = "";
    for (let part; text.length < SOME && !(part = iterator.next()).done;) text += part.value;
    return text;
  };
  for (let text; (text = await inTurn(take)) !== "";) yield Buffer.from(text);
}
