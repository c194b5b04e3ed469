/**
 * The events of one connection as lines of a recording, within bounds: the first ones, and the last.
 *
 * @module
 */

/** The number of first events that are always kept, within half of the characters: they show the opening. */
const FIRST = 100;

/** One event. */
export interface Entry {
  /** From 1, without gaps; what is left out has a number, too. */
  readonly number: number;
  /** Its lines in a recording, each with its line end. */
  readonly lines: string;
}

/** The bounds of a {@linkcode History}. */
export interface HistoryBounds {
  /** The most events; more than 100. */
  readonly events: number;
  /** The most characters of their lines. */
  readonly characters: number;
}

/** See the module. */
export class History {
  readonly #bounds: HistoryBounds;
  readonly #first: Entry[] = [];
  #last: Entry[] = [];
  /** The start of `#last`. The events before it were left out. */
  #start = 0;
  #count = 0;
  #characters = 0;

  constructor(bounds: HistoryBounds) {
    this.#bounds = bounds;
  }

  /** The number of events. */
  get count(): number {
    return this.#count;
  }

  /** The number of them that are kept. */
  get kept(): number {
    return this.#first.length + this.#last.length - this.#start;
  }

  /** The number of characters that those have. */
  get characters(): number {
    return this.#characters;
  }

  /** Adds an event. Leaves out the oldest of the last ones where it is too much. */
  add(lines: string): void {
    const { events, characters } = this.#bounds;
    const entry = { number: ++this.#count, lines };
    this.#characters += lines.length;
    const isFirst = this.#count <= FIRST && this.#last.length === 0 &&
      this.#characters <= characters / 2;
    if (isFirst) this.#first.push(entry);
    else this.#last.push(entry);
    while (
      this.#last.length > this.#start && (this.kept > events || this.#characters > characters)
    ) this.#leaveOut();
  }

  /** The events after number `after` that are kept, in order, at most `most` of them. */
  since(after: number, most: number): Entry[] {
    const { first, last } = this.#entries();
    const behind = (entries: Entry[]) => {
      const found = entries.findIndex(({ number }) => number > after);
      return found === -1 ? [] : entries.slice(found, found + most);
    };
    const early = behind(first);
    return early.length === most ? early : [...early, ...behind(last)].slice(0, most);
  }

  /** Leaves out all events. */
  clear(): void {
    this.#first.length = 0;
    this.#last = [];
    this.#start = 0;
    this.#characters = 0;
  }

  #entries(): { first: Entry[]; last: Entry[] } {
    if (this.#start > 0) {
      this.#last = this.#last.slice(this.#start);
      this.#start = 0;
    }
    return { first: this.#first, last: this.#last };
  }

  #leaveOut(): void {
    this.#characters -= this.#last[this.#start++].lines.length;
    if (this.#start > this.#bounds.events) this.#entries();
  }
}
