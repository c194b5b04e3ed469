// A clock that tests turn when somebody waits for it.

import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { turn, until } from "./helpers.ts";

/** A virtual clock that knows what it was asked for. */
export class TestClock extends VirtualClock {
  /** How long each of those waits who wait now. */
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

  /** Waits until somebody waits for so many milliseconds. */
  async asked(ms: number): Promise<void> {
    // What is over by now is to be cancelled before.
    await turn();
    await until(() => [...this.#waits.values()].includes(ms), `somebody to wait for ${ms} ms`);
  }

  /** Waits until somebody waits for so many milliseconds, and lets them pass. */
  async pass(ms: number): Promise<void> {
    await this.asked(ms);
    await this.advance(ms);
  }

  /**
   * Lets so many milliseconds pass, and again until `promise` has settled: what comes from the network
   * meanwhile may begin a wait anew.
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
