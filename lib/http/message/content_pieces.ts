/**
 * The content of a message as something to iterate.
 *
 * @module
 */

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * Iterates what `read` gives until that is `null`. Leaving it earlier calls `close` at once, even
 * while a piece is waited for: a generator would only hear of it afterwards.
 */
export class Pieces implements AsyncIterableIterator<Uint8Array> {
  readonly #read: () => Promise<Uint8Array | null>;
  readonly #close: () => void;
  #over = false;

  constructor(read: () => Promise<Uint8Array | null>, close: () => void = () => {}) {
    this.#read = read;
    this.#close = close;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#over) return END;
    try {
      const value = await this.#read();
      if (value !== null && !this.#over) return { done: false, value };
    } catch (error) {
      // Leaving it fails the step that waits.
      if (!this.#over) {
        this.#end();
        throw error;
      }
    }
    this.#end();
    return END;
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#end();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    this.#over = true;
    this.#close();
  }
}
