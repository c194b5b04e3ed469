/**
 * A message that is read piece by piece.
 *
 * @module
 */

import { type Deferred, deferred } from "../../base/wait.ts";

/** A message that comes piece by piece; see {@linkcode WsConn.readStream}. */
export interface WsIncoming extends AsyncIterable<Uint8Array> {
  /** The type of its content. Pieces of text are cut anywhere, also inside a character. */
  readonly type: "text" | "binary";
}

/** See the module. At most one piece waits: then nothing more is received. */
export class Incoming implements WsIncoming, AsyncIterableIterator<Uint8Array> {
  readonly type: "text" | "binary";
  readonly #onTaken: () => void;
  readonly #pieces: Uint8Array[];
  #wanted: Deferred<IteratorResult<Uint8Array>> | undefined;
  #over = false;
  #failure: unknown;
  /** Whether the rest is not wanted. */
  dropped = false;

  /** `onTaken` is called when a piece was taken; `pieces` are those that are there already. */
  constructor(type: "text" | "binary", pieces: Uint8Array[], onTaken: () => void) {
    this.type = type;
    this.#pieces = pieces;
    this.#onTaken = onTaken;
  }

  /** Whether a piece waits to be taken. */
  get full(): boolean {
    return this.#pieces.length > 0;
  }

  push(piece: Uint8Array): void {
    if (this.dropped || piece.length === 0) return;
    if (this.#wanted === undefined) return void this.#pieces.push(piece);
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted.resolve({ done: false, value: piece });
  }

  /** The message has come to its end, or never will if there is a failure. */
  end(failure?: unknown): void {
    this.#over = true;
    this.#failure = failure;
    if (failure === undefined) this.#wanted?.resolve(END);
    else this.#wanted?.reject(failure);
    this.#wanted = undefined;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const value = this.#pieces.shift();
    if (value !== undefined) {
      this.#onTaken();
      return { done: false, value };
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#over || this.dropped) return END;
    return await (this.#wanted ??= deferred()).promise;
  }

  /** The rest is not wanted: it is received and thrown away. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.dropped = true;
    this.#pieces.length = 0;
    this.#onTaken();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
