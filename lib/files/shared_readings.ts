/**
 * Readings of directories, shared: a page of a hundred thousand files is sent to many, and read once.
 *
 * @module
 */

import { sleep, systemClock } from "../base/clock.ts";
import { Semaphore } from "./semaphore.ts";
import type { Reading } from "./directory_reading.ts";

/**
 * The entries of all readings that are held. Beyond that the oldest go, and with them who is sent
 * them.
 */
const MOST_HELD = 500_000;

/** The most directories that are read at once. */
const reading = new Semaphore(4);

/** The time in which requests share a reading, in milliseconds: clients come in bursts. */
const TOGETHER_MS = 10;

/** A run that is under way, or yet to begin. */
interface Run {
  readonly result: Promise<Reading>;
  readonly stop: AbortController;
  /** The number of requests that want it. */
  wanted: number;
}

/** A reading in use. */
interface Held {
  readonly path: string;
  readonly reading: Reading;
  /** Callbacks that tell its users to drop it. */
  readonly users: Set<(reason: Error) => void>;
}

/** A reading that is being used, and is given back when it is disposed of. */
export interface Use extends Disposable {
  readonly reading: Reading;
}

/** See the module. */
export class Readings {
  readonly #read: (path: string, signal: AbortSignal) => Promise<Reading>;
  readonly #running = new Map<string, Run>();
  readonly #next = new Map<string, Run>();
  /** Oldest first. */
  readonly #held = new Set<Held>();
  readonly #newest = new Map<string, Held>();
  #entries = 0;

  /** `read` reads the directory at a path; it is stopped when nobody wants it any more. */
  constructor(read: (path: string, signal: AbortSignal) => Promise<Reading>) {
    this.#read = read;
  }

  /**
   * Returns the entries of a directory. A run is shared by all who asked before it began; who asks
   * now shares the next. Rejects as reading does, and with the signal's reason. `onDrop` is called
   * when it must not be used any more.
   */
  async use(path: string, signal: AbortSignal, onDrop: (reason: Error) => void): Promise<Use> {
    signal.throwIfAborted();
    let run = this.#next.get(path);
    if (run === undefined || run.stop.signal.aborted) run = this.#start(path);
    const found = await this.#share(run, signal);
    return this.#hold(path, found, onDrop);
  }

  #share(run: Run, signal: AbortSignal): Promise<Reading> {
    run.wanted++;
    return new Promise<Reading>((resolve, reject) => {
      const leave = () => {
        if (--run.wanted === 0) run.stop.abort(signal.reason);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      const stay = () => signal.removeEventListener("abort", leave);
      run.result.finally(stay).then(resolve, reject);
    });
  }

  #start(path: string): Run {
    const stop = new AbortController();
    const begin = async () => {
      if (this.#next.get(path) === run) this.#next.delete(path);
      stop.signal.throwIfAborted();
      this.#running.set(path, run);
      try {
        const found = await this.#read(path, stop.signal);
        // Nothing has changed, as a rule: then one is held for all.
        const newest = this.#newest.get(path)?.reading;
        return newest?.equals(found) ? newest : found;
      } finally {
        this.#running.delete(path);
      }
    };
    const enter = () => reading.run(begin);
    const before = this.#running.get(path)?.result ?? sleep(TOGETHER_MS, systemClock);
    const run: Run = { stop, wanted: 0, result: before.then(enter, enter) };
    this.#next.set(path, run);
    return run;
  }

  #hold(path: string, found: Reading, onDrop: (reason: Error) => void): Use {
    let held = this.#newest.get(path);
    if (held?.reading !== found) {
      held = { path, reading: found, users: new Set() };
      this.#held.add(held);
      this.#newest.set(path, held);
      this.#entries += found.entries.length;
      for (const oldest of this.#held) {
        if (this.#entries <= MOST_HELD || oldest === held) break;
        this.#letGo(oldest);
        const message = `The listing of ${oldest.path} was taken too slowly`;
        const reason = Object.assign(new Error(message), { code: "EBUSY" });
        for (const drop of oldest.users) drop(reason);
      }
    }
    return this.#use(held, onDrop);
  }

  #use(held: Held, onDrop: (reason: Error) => void): Use {
    // One may have many uses.
    const drop = (reason: Error) => onDrop(reason);
    held.users.add(drop);
    return {
      reading: held.reading,
      [Symbol.dispose]: () => {
        if (held.users.delete(drop) && held.users.size === 0) this.#letGo(held);
      },
    };
  }

  #letGo(held: Held): void {
    if (!this.#held.delete(held)) return;
    this.#entries -= held.reading.entries.length;
    if (this.#newest.get(held.path) === held) this.#newest.delete(held.path);
  }
}
