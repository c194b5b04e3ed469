/**
 * The content of a response that comes bit by bit, and that may be waited for in vain: a generator
 * cannot be ended while it awaits something, but one need not wait for it.
 *
 * @module
 */

import { settlesSoon } from "./settles_soon.ts";
import { borrowedFrom } from "../../base/borrowed.ts";

type Result = IteratorResult<Uint8Array>;

/** Iterates a stream until it is dropped; see the module. */
export class StreamContent implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  /** Ends what is waited for. */
  #reject: (reason: unknown) => void = () => {};
  #dropped: { readonly reason: unknown } | undefined;
  /** The first chunk, if it was asked for before it was wanted. */
  #first: Promise<Result> | undefined;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#source = borrowedFrom(stream)[Symbol.asyncIterator]();
  }

  /** Starts the stream. Resolves to whether its first chunk is there at once. */
  isReady(): Promise<boolean> {
    return settlesSoon(this.#first = this.next());
  }

  next(): Promise<Result> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#unlessDropped(() => this.#source.next());
  }

  return(): Promise<Result> {
    return this.#unlessDropped(async () =>
      await this.#source.return?.() ?? { done: true, value: undefined }
    );
  }

  /** Cancels the rest: the pending read rejects, and the stream is ended. */
  drop(reason: unknown): void {
    if (this.#dropped !== undefined) return;
    this.#dropped = { reason };
    this.#reject(reason);
    // When it hears of that, and what it makes of it, is of no interest any more.
    Promise.resolve(this.#source.return?.()).catch(() => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #unlessDropped(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#dropped !== undefined) return reject(this.#dropped.reason);
      this.#reject = reject;
      Promise.resolve(work()).then(resolve, reject);
    });
  }
}
