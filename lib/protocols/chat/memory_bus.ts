/**
 * The bus of a single process.
 *
 * @module
 */

import { checkOptions, integer, type Kinds } from "../../base/arguments.ts";
import { type Bus, type BusListener, type BusMessage, type ChatPosition, epochOf } from "./bus.ts";

/** Options of {@linkcode memoryBus}. */
export interface MemoryBusOptions {
  /** The number of lines that are kept for those who come back. Default: 0. */
  readonly history?: number;
}

const OPTIONS: Kinds<MemoryBusOptions> = { history: integer(0) };

/**
 * Makes a bus in the memory of this process. It is always up. Rooms that are given the same one are one
 * room.
 *
 * @example
 * ```ts
 * import { chatRoom, memoryBus } from "@plainsocket/plainsocket/chat";
 *
 * const room = chatRoom({ bus: memoryBus({ history: 1000 }) });
 * ```
 */
export function memoryBus(options: MemoryBusOptions = {}): Bus {
  checkOptions("memoryBus", options, OPTIONS, "{ history: 1000 }");
  return new MemoryBus(options.history ?? 0);
}

interface Kept {
  readonly message: BusMessage;
  readonly position: ChatPosition;
}

class MemoryBus implements Bus {
  readonly state = "up";
  readonly isLocal = true;
  readonly history: number;
  readonly #listeners = new Set<BusListener>();
  readonly #kept: Kept[] = [];
  /** The deliveries under way, and those that wait for them. */
  #waiting: Partial<Kept>[] = [];
  /** The position of the last line. */
  #last: ChatPosition = { epoch: epochOf(Date.now()), offset: 0 };

  constructor(history: number) {
    this.history = history;
  }

  publish(message: BusMessage): void {
    const position = this.history > 0 && message.type === "said" ? this.#keep(message) : undefined;
    this.#waiting.push({ message, position });
    if (this.#waiting.length > 1) return;
    // Messages that are published meanwhile follow it, for all listeners.
    for (const one of this.#waiting) {
      for (const listener of this.#listeners) listener.onMessage(one.message, one.position);
    }
    this.#waiting = [];
  }

  subscribe(listener: BusListener): () => void {
    if (this.history > 0) this.#replay(listener);
    this.#listeners.add(listener);
    listener.onState?.("up");
    return () => void this.#listeners.delete(listener);
  }

  #keep(message: BusMessage): ChatPosition {
    const position = { ...this.#last, offset: this.#last.offset + 1 };
    this.#last = position;
    this.#kept.push({ message, position });
    if (this.#kept.length > this.history) this.#kept.shift();
    return position;
  }

  #replay(listener: BusListener): void {
    const start = { ...this.#last, offset: this.#last.offset - this.#kept.length };
    const { from = start } = listener;
    const exact = from.epoch === start.epoch && from.offset >= start.offset &&
      from.offset <= this.#last.offset;
    const { offset } = exact ? from : start;
    listener.onStart?.({ ...start, offset });
    for (const { message, position } of this.#kept) {
      if (position.offset > offset) listener.onMessage(message, position);
    }
  }
}
