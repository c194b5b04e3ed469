/**
 * The content of files too large for memory: read bit by bit as the client takes it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { ChangedError, type Located, readFully } from "./disk.ts";
import type { Slice } from "./ranges.ts";

/** What is read at once. Half as much costs a third more of processor time on Deno and Node. */
const CHUNK = 256 * 1024;

/** So many buffers are kept for the next download. */
const MOST_FREE = 16;

const free: Buffer[] = [];

function take(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(CHUNK);
}

function give(buffer: Buffer): void {
  if (free.length < MOST_FREE) free.push(buffer);
}

/**
 * Slices of an open file, with bytes in between, as the body of a reply. It can be gone through once,
 * and what it yields is valid until the next step. While one chunk is sent the next is read, so that
 * a download holds two chunks.
 *
 * It throws a {@linkcode ChangedError} before the last chunk if the file is not what it was when it
 * was located: the reply then ends short of its length instead of being wrong. It closes the file at
 * its end, when it is left early, and when `signal` is aborted before it has begun.
 */
export class FileBody implements AsyncIterable<Uint8Array> {
  readonly #handle: FileHandle;
  readonly #located: Located;
  readonly #pieces: readonly (Slice | Uint8Array)[];
  #begun = false;

  constructor(
    handle: FileHandle,
    located: Located,
    pieces: readonly (Slice | Uint8Array)[],
    signal: AbortSignal,
  ) {
    this.#handle = handle;
    this.#located = located;
    this.#pieces = pieces;
    const abandon = () => {
      if (this.#begun) return;
      this.#begun = true;
      // Nobody is left to be told.
      handle.close().catch(() => {});
    };
    if (signal.aborted) abandon();
    else signal.addEventListener("abort", abandon, { once: true });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    if (this.#begun) throw new TypeError("The body of a reply has been sent or abandoned already");
    this.#begun = true;
    const steps = stepsOf(this.#pieces);
    const buffers: Buffer[] = [];
    let reading: Promise<Uint8Array> | undefined;
    const advance = (turn: number) => {
      const { value: step } = steps.next();
      if (step === undefined) return reading = undefined;
      const buffer = step instanceof Uint8Array ? undefined : buffers[turn % 2] ??= take();
      reading = this.#perform(step, buffer);
      // It is awaited at the next turn, or never if the body is left before.
      reading.catch(() => {});
    };
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
      for (const buffer of buffers) give(buffer);
      await this.#handle.close();
    }
  }

  async #perform(step: Step, buffer: Buffer | undefined): Promise<Uint8Array> {
    if (step instanceof Uint8Array) return step;
    const { start, end, last } = step;
    const bytes = buffer!.subarray(0, end - start);
    const { real, stats } = this.#located;
    if (await readFully(this.#handle, bytes, start) !== bytes.length) throw new ChangedError(real);
    if (last && !isUnchanged(stats, await this.#handle.stat({ bigint: true }))) {
      throw new ChangedError(real);
    }
    return bytes;
  }
}

/** What is yielded at once: bytes, or a chunk of the file and whether it is the last one. */
type Step = Uint8Array | (Slice & { readonly last: boolean });

function* stepsOf(pieces: readonly (Slice | Uint8Array)[]): Generator<Step, void, void> {
  const lastSlice = pieces.findLast((piece) => !(piece instanceof Uint8Array));
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else {
      for (let start = piece.start; start < piece.end; start += CHUNK) {
        const end = Math.min(start + CHUNK, piece.end);
        yield { start, end, last: piece === lastSlice && end === piece.end };
      }
    }
  }
}

/** Whether the content is what it was; who may read it, and its names, may have changed. */
function isUnchanged(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs;
}
