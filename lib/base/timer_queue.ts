/**
 * Timers in the order in which they ring.
 *
 * @module
 */

/** A timer that has not rung. */
interface Timer {
  readonly at: number;
  /** Of those at the same time, the one that was set first rings first. */
  readonly order: number;
  fn: (() => void) | undefined;
}

/** The number of cancelled timers up to which the heap is not cleaned. */
const MIN_CANCELLED = 64;

/** A queue of timers: setting one and taking the first cost the logarithm of their number. */
export class TimerQueue {
  /** A binary heap: no timer rings before the one at half its index. */
  readonly #heap: Timer[] = [];
  #order = 0;
  /** The number of cancelled timers in the heap. */
  #cancelled = 0;

  /** When the next timer rings. Infinity without timers. */
  get next(): number {
    this.#dropCancelled();
    return this.#heap[0]?.at ?? Infinity;
  }

  /** Sets a timer to ring at a time. Returns a function that cancels it. */
  set(at: number, fn: () => void): () => void {
    const timer: Timer = { at, order: this.#order++, fn };
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return () => this.#cancel(timer);
  }

  /** Takes out the timer that rings next, and returns what it calls. */
  take(): (() => void) | undefined {
    this.#dropCancelled();
    const timer = this.#shift();
    const fn = timer?.fn;
    // To cancel it now changes nothing.
    if (timer !== undefined) timer.fn = undefined;
    return fn;
  }

  #cancel(timer: Timer): void {
    if (timer.fn === undefined) return;
    timer.fn = undefined;
    // Deadlines are set and cancelled all the time: they are not to pile up until they are due.
    if (++this.#cancelled < MIN_CANCELLED || this.#cancelled < this.#heap.length / 2) return;
    const left = this.#heap.filter(({ fn }) => fn !== undefined);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const timer of left) {
      this.#heap.push(timer);
      this.#up(this.#heap.length - 1);
    }
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0].fn === undefined) {
      this.#shift();
      this.#cancelled--;
    }
  }

  #shift(): Timer | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (last === undefined || last === first) return last;
    this.#heap[0] = last;
    this.#down(0);
    return first;
  }

  #up(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(this.#heap[parent], this.#heap[index])) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #down(index: number): void {
    for (;;) {
      let first = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length && isBefore(this.#heap[child], this.#heap[first])) {
          first = child;
        }
      }
      if (first === index) return;
      this.#swap(first, index);
      index = first;
    }
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b], this.#heap[a]];
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || a.at === b.at && a.order < b.order;
}
