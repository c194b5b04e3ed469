/**
 * The lines of a room that are kept, for members who come back.
 *
 * @module
 */

import type { ChatPosition } from "./bus.ts";
import type { ChatMessage } from "./room_messages.ts";

/** A line and its number. */
export interface KeptLine {
  readonly offset: number;
  readonly server: string;
  readonly member: number;
  /** Undefined if what is kept under that number is not a valid line. */
  readonly message: ChatMessage | undefined;
}

/** See the module. */
export class History {
  readonly #limit: number;
  #epoch: string | undefined;
  /** The offset of the line in front of the first one that is here. */
  #start = 0;
  /** The lines, the oldest at #first: those in front of that have been dropped. */
  #lines: (KeptLine | undefined)[] = [];
  #first = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The position of the last line. Undefined before it is known. */
  get end(): ChatPosition | undefined {
    return this.#epoch === undefined ? undefined : {
      epoch: this.#epoch,
      offset: this.#start + this.#lines.length - this.#first,
    };
  }

  /** Begins anew after a position. */
  start({ epoch, offset }: ChatPosition): void {
    this.#epoch = epoch;
    this.#start = offset;
    this.#lines = [];
    this.#first = 0;
  }

  /** Takes the next line. */
  add(line: KeptLine): void {
    this.#lines.push(line);
    if (this.#lines.length - this.#first <= this.#limit) return;
    this.#lines[this.#first++] = undefined;
    this.#start++;
    // Rarely, since it moves all that are left.
    if (this.#first < this.#limit) return;
    this.#lines = this.#lines.slice(this.#first);
    this.#first = 0;
  }

  /** The position of the oldest line that is kept. Undefined before it is known. */
  get begin(): ChatPosition | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, offset: this.#start };
  }

  /** The next lines after an offset, at most `most`. */
  after(offset: number, most: number): readonly KeptLine[] {
    const index = this.#first + Math.max(0, offset - this.#start);
    return this.#lines.slice(index, index + most) as KeptLine[];
  }
}
