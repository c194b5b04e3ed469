// A virtual clock that tests advance once a timer waits for it.

import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { turn, until } from "./helpers.ts";

/** A virtual clock that knows the times of its pending timers. */
export class TestClock extends VirtualClock {
  /** The times of the pending timers, in milliseconds. */
  readonly #waits = new Map<object, number>();

  override setTimer(ms: number, fn: () => void): () => void {
    const key = {};
    this.#waits.set(key, ms);
    const cancel = super.setTimer(ms, () => {
      this.#waits.delete(key);
      fn();
    });
    return () => {
      this.#waits.delete(key);
      cancel();
    };
  }

  /** Waits until a timer of `ms` milliseconds is pending. */
  async asked(ms: number): Promise<void> {
    // What has ended by now cancels its timers first.
    await turn();
    await until(() => [...this.#waits.values()].includes(ms), `a timer of ${ms} ms`);
  }

  /** Waits until a timer of `ms` milliseconds is pending, and advances the clock by as much. */
  async pass(ms: number): Promise<void> {
    await this.asked(ms);
    await this.advance(ms);
  }

  /**
   * Advances the clock by `ms` milliseconds, again and again, until `promise` has settled: what comes from
   * the network meanwhile may restart a timer.
   */
  async passUntil(promise: Promise<unknown>, ms: number): Promise<void> {
    let settled = false;
    const settle = () => settled = true;
    promise.then(settle, settle);
    for (let i = 0; i < 1000 && !settled; i++) {
      await this.advance(ms);
      await turn();
    }
  }
}
