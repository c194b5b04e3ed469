/**
 * A bounded cache. Which of its entries goes when it is full is found by second chance (the clock
 * algorithm): a hit only marks the entry, so it costs no more than the lookup.
 *
 * @module
 */

/** An entry of a cache. */
export interface Cacheable {
  /** The part of the cache's size that it takes. {@linkcode Cache.charge} adds to it. */
  cost: number;
  /** Whether it was used since the cache last looked for something to drop. */
  used: boolean;
}

/** See the module. */
export class Cache<V extends Cacheable> {
  readonly #limit: number;
  readonly #entries = new Map<string, V>();
  #cost = 0;

  /** The costs of all entries are `limit` at most. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The cost of all entries. */
  get cost(): number {
    return this.#cost;
  }

  /** The entry of a key. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.used = true;
    return entry;
  }

  /** Puts an entry in, in place of the one there is. */
  set(key: string, entry: V): void {
    this.delete(key);
    this.#entries.set(key, entry);
    this.#cost += entry.cost;
    this.#shrink();
  }

  /** Drops the entry of a key; if `entry` is given, only if it is that one. */
  delete(key: string, entry?: V): void {
    const present = this.#entries.get(key);
    if (present === undefined || (entry !== undefined && entry !== present)) return;
    this.#entries.delete(key);
    this.#cost -= present.cost;
  }

  /** An entry has grown. One that is not in the cache any more only takes note. */
  charge(key: string, entry: V, cost: number): void {
    entry.cost += cost;
    if (this.#entries.get(key) !== entry) return;
    this.#cost += cost;
    this.#shrink();
  }

  #shrink(): void {
    // A map goes through its entries in the order they came, those that are put back included.
    for (const [key, entry] of this.#entries) {
      if (this.#cost <= this.#limit) return;
      this.#entries.delete(key);
      if (entry.used) {
        entry.used = false;
        this.#entries.set(key, entry);
      } else this.#cost -= entry.cost;
    }
  }
}
