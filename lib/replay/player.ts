/**
 * Plays one side of a recorded connection on a real one.
 *
 * @module
 */

import { type Clock, sleep } from "../base/clock.ts";
import type { Conn } from "../net/transport.ts";
import { type Matcher, mismatch } from "./match.ts";
import type { Script } from "./script.ts";

const RECEIVE_SIZE = 64 * 1024;

/** How a connection is played. */
export interface PlayerOptions {
  /** How many times faster than recorded; 0 does not wait at all. */
  readonly speed: number;
  readonly clock: Clock;
}

/** What is to be sent next, and what it waits for. */
interface Cue {
  readonly after: number;
  readonly afterEnd: boolean;
  readonly pause: number;
  readonly act: () => Promise<void> | void;
}

/** Plays `script` on `conn`, and closes it. Rejects with the first {@linkcode ReplayMismatch}. */
export async function play(
  conn: Conn,
  script: Script,
  matcher: Matcher,
  options: PlayerOptions,
): Promise<void> {
  await new Player(conn, script, matcher, options).run();
}

class Player {
  readonly #conn: Conn;
  readonly #script: Script;
  readonly #matcher: Matcher;
  readonly #options: PlayerOptions;
  #ended = false;
  #failed = false;
  #wake: (() => void) | undefined;

  constructor(conn: Conn, script: Script, matcher: Matcher, options: PlayerOptions) {
    this.#conn = conn;
    this.#script = script;
    this.#matcher = matcher;
    this.#options = options;
  }

  async run(): Promise<void> {
    try {
      await Promise.all([this.#receive(), this.#send()]);
      this.#conn.close();
    } catch (error) {
      this.#failed = true;
      this.#notify();
      this.#conn.reset();
      throw error;
    }
  }

  async #receive(): Promise<void> {
    const { end, expected } = this.#script;
    const buffer = new Uint8Array(RECEIVE_SIZE);
    // Whoever closed or reset the recorded connection did not wait for the end of the other side.
    const leaves = end !== undefined && end.kind !== "fin" && !end.afterEnd;
    while (!(leaves && this.#matcher.position >= expected.length)) {
      const n = await this.#conn.read(buffer);
      if (n === null) {
        this.#matcher.end();
        this.#ended = true;
        return this.#notify();
      }
      this.#matcher.feed(buffer.subarray(0, n));
      this.#notify();
    }
  }

  async #send(): Promise<void> {
    for (const cue of this.#cues()) {
      while (!this.#isDue(cue)) {
        if (this.#failed) return;
        if (this.#ended) throw mismatch(this.#script, this.#matcher.position, new Uint8Array(0));
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      await this.#pause(cue.pause);
      if (this.#failed) return;
      await cue.act();
    }
  }

  #cues(): Cue[] {
    const { chunks, end } = this.#script;
    const cues: Cue[] = chunks.map(({ after, pause, bytes }) => ({
      after,
      afterEnd: false,
      pause,
      act: () => this.#conn.write(bytes),
    }));
    if (end === undefined) return cues;
    const act = end.kind === "reset" ? () => this.#conn.reset() : () => this.#conn.closeWrite();
    return [...cues, { after: end.after, afterEnd: end.afterEnd, pause: end.pause, act }];
  }

  #isDue({ after, afterEnd }: Cue): boolean {
    return afterEnd ? this.#ended : this.#matcher.position >= after;
  }

  #pause(ms: number): Promise<void> {
    const { speed, clock } = this.#options;
    if (speed === 0 || ms === 0) return Promise.resolve();
    return sleep(ms / speed, clock);
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
