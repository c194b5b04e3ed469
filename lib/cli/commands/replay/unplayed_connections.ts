/**
 * The recorded connections that were not played yet, and which of them a client gets.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type Matcher, ReplayMismatch } from "../../../replay/match.ts";
import type { Progress } from "../../../replay/player.ts";
import { matcherOf, type ReplayOptions } from "../../../replay/replay_transport.ts";
import type { Script } from "../../../replay/script.ts";

/** A recorded connection that is played. */
export interface Taken {
  /** Its place. */
  readonly index: number;
  readonly script: Script;
  /** Has seen what has come so far. */
  readonly matcher: Matcher;
}

/** See the module. */
export class Shelf {
  readonly #scripts: (Script | undefined)[];
  readonly #options: ReplayOptions;

  constructor(scripts: readonly Script[], options: ReplayOptions) {
    this.#scripts = [...scripts];
    this.#options = options;
  }

  /** Takes the next connection; undefined if all are in use or were played. */
  next(): Taken | undefined {
    return this.#find(() => true);
  }

  /**
   * Takes a connection that goes as `progress` went, in which the client has got what `played` sends.
   * Those at the places `tried` are left out.
   */
  fitting(
    { received, sent }: Progress,
    played: Script,
    tried: ReadonlySet<number>,
  ): Taken | undefined {
    const heard = firstBytes(played, sent);
    return this.#find(({ index, script, matcher }) =>
      !tried.has(index) && heard.equals(firstBytes(script, sent)) &&
      takes(matcher, received.map(({ bytes }) => bytes))
    );
  }

  /** Puts one back that was not played to its end. */
  putBack({ index, script }: Taken): void {
    this.#scripts[index] = script;
  }

  #find(fits: (taken: Taken) => boolean): Taken | undefined {
    for (const [index, script] of this.#scripts.entries()) {
      if (script === undefined) continue;
      const taken = { index, script, matcher: matcherOf(script, this.#options) };
      if (!fits(taken)) continue;
      this.#scripts[index] = undefined;
      return taken;
    }
    return undefined;
  }
}

function takes(matcher: Matcher, pieces: readonly Uint8Array[]): boolean {
  try {
    for (const piece of pieces) matcher.feed(piece);
    return true;
  } catch (error) {
    if (error instanceof ReplayMismatch) return false;
    throw error;
  }
}

/** The first bytes that a script sends. */
export function firstBytes({ chunks }: Script, length: number): Buffer {
  return Buffer.concat(chunks.map(({ bytes }) => bytes)).subarray(0, length);
}
