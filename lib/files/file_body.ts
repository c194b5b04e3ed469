/**
 * The content of files too large for memory: read bit by bit as the client takes it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { copyOf } from "../base/borrowed.ts";
import { ChangedError, type Located, readFully } from "./located_file.ts";
import { hasGrown, isUnmodified, stateAfter } from "./file_state.ts";
import { Semaphore } from "./semaphore.ts";
import { pauseAtTimes } from "./event_loop_turns.ts";
import type { Slice } from "./ranges.ts";
import { SentSamples } from "./sent_samples.ts";

/** The size of a read. Half of it costs a third more processor time on Deno and Node. */
const CHUNK = 256 * 1024;

/** The chunk of a download when many are under way, since slow clients hold theirs for long. */
const SMALL_CHUNK = 16 * 1024;

/** The number of downloads that may have large chunks at once: 25 MiB of them. */
const MOST_LARGE = 50;

/** The number of downloads that do not hold others up; more of them pause at times. */
const FEW = 8;

let underWay = 0;

/**
 * Bounds the chunks that are read at once. 4 is the number of threads that Node has for files. With more,
 * Deno would look at the network only when nearly all chunks are sent, and on Node a small request would
 * wait behind a thousand of them.
 */
const reads = new Semaphore(4);

/** Buffers of large chunks, kept for the next download. */
const free: Buffer[] = [];
const MOST_FREE = 16;

let large = 0;

/** The two buffers of a download, made when they are needed. */
class ChunkBuffers {
  readonly size: number;
  readonly #buffers: Buffer[] = [];

  constructor() {
    this.size = large < MOST_LARGE ? CHUNK : SMALL_CHUNK;
    if (this.size === CHUNK) large++;
  }

  /** One of two buffers by turns. */
  get(turn: number): Buffer {
    return this.#buffers[turn % 2] ??= (this.size === CHUNK ? free.pop() : undefined) ??
      Buffer.allocUnsafeSlow(this.size);
  }

  release(): void {
    if (this.size !== CHUNK) return;
    large--;
    for (const buffer of this.#buffers) if (free.length < MOST_FREE) free.push(buffer);
  }
}

/**
 * Slices of an open file, with bytes in between, as the body of a response. It can be gone through once.
 * The chunks that it yields belong to the caller. Those of {@linkcode borrowed}, which the server
 * uses, are valid until the next step. While one chunk is sent the next is read, so that a download
 * holds two chunks of 256 KiB, or of 16 KiB if there are more than 50 downloads.
 *
 * It throws a {@linkcode ChangedError} before the last chunk if the file is not what it was when it
 * was located: the response then ends short of its length instead of being wrong. That the file has
 * grown meanwhile is not a change if what was sent is still in it, by samples: a log or a recording is
 * sent as long as it was. It closes the file at its end, and when it is left early, even before it has
 * begun.
 */
export class FileBody implements AsyncIterableIterator<Uint8Array> {
  readonly #handle: FileHandle;
  readonly #located: Located;
  readonly #pieces: readonly (Slice | Uint8Array)[];
  readonly #samples = new SentSamples();
  #chunks: AsyncGenerator<Uint8Array, void, void> | undefined;

  constructor(handle: FileHandle, located: Located, pieces: readonly (Slice | Uint8Array)[]) {
    this.#handle = handle;
    this.#located = located;
    this.#pieces = pieces;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const { done, value } = await this.#next();
    return done ? { done, value: undefined } : { done: false, value: copyOf(value) };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (this.#chunks !== undefined) return this.#chunks.return();
    // A generator that was never begun would not close anything.
    this.#chunks = NOTHING;
    await this.#handle.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The same chunks without copies: each is valid until the next step only. */
  borrowed(): AsyncIterableIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: () => this.return(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    this.#chunks ??= this.#read();
    return this.#chunks.next();
  }

  async *#read(): AsyncGenerator<Uint8Array, void, void> {
    const buffers = new ChunkBuffers();
    const steps = stepsOf(this.#pieces, buffers.size);
    let reading: Promise<Uint8Array> | undefined;
    const advance = (turn: number) => {
      const { value: step } = steps.next();
      if (step === undefined) return reading = undefined;
      reading = step instanceof Uint8Array
        ? Promise.resolve(step)
        : this.#readChunk(step, buffers.get(turn));
      // It is awaited at the next turn, or never if the body is left before.
      reading.catch(() => {});
    };
    underWay++;
    try {
      advance(0);
      for (let turn = 1; reading !== undefined; turn++) {
        const bytes = await reading;
        advance(turn);
        yield bytes;
      }
    } finally {
      // The buffers are not free before the read is over.
      await reading?.catch(() => {});
      underWay--;
      buffers.release();
      await this.#handle.close();
    }
  }

  async #readChunk({ start, end, last }: Chunk, buffer: Buffer): Promise<Uint8Array> {
    const bytes = buffer.subarray(0, end - start);
    const { real } = this.#located;
    await reads.run(async () => {
      if (underWay > FEW) await pauseAtTimes();
      if (await readFully(this.#handle, bytes, start) !== bytes.length) {
        throw new ChangedError(real);
      }
    });
    this.#samples.take(bytes, start);
    if (last && !await this.#isAsItWas()) throw new ChangedError(real);
    return bytes;
  }

  async #isAsItWas(): Promise<boolean> {
    const { state } = this.#located;
    const now = await stateAfter(state, this.#handle);
    return isUnmodified(state, now) ||
      hasGrown(state, now) && await this.#samples.areIn(this.#handle);
  }
}

const NOTHING: AsyncGenerator<Uint8Array, void, void> = (async function* () {})();

/** The result of a read. */
interface Chunk extends Slice {
  /** Whether nothing of the file is read after it. */
  readonly last: boolean;
}

/** The chunks and slices to yield, in order. */
function* stepsOf(
  pieces: readonly (Slice | Uint8Array)[],
  size: number,
): Generator<Chunk | Uint8Array, void, void> {
  const lastSlice = pieces.findLast((piece) => !(piece instanceof Uint8Array));
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else {
      for (let start = piece.start; start < piece.end; start += size) {
        const end = Math.min(start + size, piece.end);
        yield { start, end, last: piece === lastSlice && end === piece.end };
      }
    }
  }
}
