/**
 * A queue whose first item is taken in the same time however long the queue is. `Array.shift` moves all
 * that is behind the first item.
 *
 * @module
 */

/** See the module. */
export class Queue<T> {
  #items: T[] = [];
  /** The index of the first item. Those before it were taken. */
  #start = 0;

  /** The number of items. */
  get length(): number {
    return this.#items.length - this.#start;
  }

  /** The first item. Undefined if it is empty. */
  get first(): T | undefined {
    return this.#items[this.#start];
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Removes the first item, and those after it for which `also` holds, up to the first other one. */
  take(also: (item: T) => boolean = () => false): T[] {
    let end = this.#start + 1;
    while (end < this.#items.length && also(this.#items[end])) end++;
    const taken = this.#items.slice(this.#start, end);
    this.#start = end;
    if (2 * this.#start > this.#items.length) this.#drop();
    return taken;
  }

  /** Removes all items. */
  takeAll(): T[] {
    this.#drop();
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #drop(): void {
    this.#items = this.#items.slice(this.#start);
    this.#start = 0;
  }
}
