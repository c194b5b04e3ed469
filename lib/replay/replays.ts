/**
 * One side of a recording, played on real connections: each gets a recorded connection of its own.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  checkArgument,
  checkOptions,
  CONN,
  integer,
  type Kinds,
  oneOf,
} from "../base/arguments.ts";
import { systemClock } from "../base/clock.ts";
import type { Conn } from "../net/transport.ts";
import { checkRecording } from "../recording/arguments.ts";
import { connectionsOf, type Party } from "../recording/connections.ts";
import type { Recording } from "../recording/format.ts";
import { type Matcher, ReplayMismatch } from "./match.ts";
import { play, type PlayerOptions, playUntilMiss, type ReplayProgress } from "./player.ts";
import {
  ignoredFields,
  matcherOf,
  REPLAY_OPTIONS,
  type ReplayOptions,
} from "./replay_transport.ts";
import { playable, type Script, scriptOf } from "./script.ts";

/** Options of {@linkcode Replays}. */
export interface ReplaysOptions extends ReplayOptions {
  /** The number of times that each recorded connection can be played. Default: 1. */
  readonly times?: number;
}

const OPTIONS: Kinds<ReplaysOptions> = { ...REPLAY_OPTIONS, times: integer(1) };

/** A connection that went another way than all recorded ones that were left. */
export interface ReplayMiss extends ReplayProgress {
  /** The first difference from the recorded connection that was tried last. */
  readonly error: ReplayMismatch;
  /**
   * The number of received bytes whose answers are complete: whole requests, with `match: "http"`. Of
   * other protocols it is 0, since what comes later may depend on what came before.
   */
  readonly settled: number;
}

/** A recorded connection that is being played. */
interface Taken {
  readonly index: number;
  readonly script: Script;
  /** Has seen what has come so far. */
  readonly matcher: Matcher;
}

/**
 * The connections of a recording, to be played on connections of any transport. Each is taken once, or
 * as often as `times` says.
 *
 * @example A server that answers as the recorded one did
 * ```ts
 * import { serve, systemTransport } from "@plainsocket/plainsocket";
 * import { readRecording, record } from "@plainsocket/plainsocket/recording";
 * import { Replays } from "@plainsocket/plainsocket/replay";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * let text = "";
 * const network = record(new MemoryTransport(), (lines) => text += lines);
 * using recorded = await network.listen({ port: 7 });
 * const client = await network.connect({ host: "localhost", port: 7 });
 * const peer = await recorded.accept();
 * await peer.write(new TextEncoder().encode("welcome\n"));
 * await client.read(new Uint8Array(100));
 * client.close();
 * peer.close();
 *
 * const replays = new Replays(await readRecording(text), "server");
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serve(listener, (conn) => replays.playNext(conn));
 * using conn = await systemTransport.connect(listener.addr);
 * assert.equal(await conn.read(new Uint8Array(100)), 8);
 * conn.close();
 * await server.stop();
 * ```
 */
export class Replays {
  readonly #scripts: (Script | undefined)[];
  readonly #options: ReplayOptions & PlayerOptions;
  /** The number of scripts, and the index before which all are taken. */
  #left: number;
  #first = 0;

  /**
   * Plays `side` of the recording. Throws a {@linkcode ReplayError} if it cannot be played, or has no
   * messages to compare as `match` says.
   */
  constructor(recording: Recording, side: Party, options: ReplaysOptions = {}) {
    checkRecording("new Replays", recording);
    checkArgument("new Replays", side, oneOf("client", "server"));
    checkOptions("new Replays", options, OPTIONS, '{ match: "lines" }');
    const { times = 1, ...compared } = options;
    this.#options = {
      ...compared,
      ignoreFields: options.ignoreFields ?? ignoredFields(recording),
      speed: options.speed ?? 0,
      clock: options.clock ?? systemClock,
    };
    const scripts = playable(connectionsOf(recording)).map((one) => scriptOf(one, side));
    for (const script of scripts) matcherOf(script, this.#options);
    this.#scripts = Array.from({ length: times }, () => scripts).flat();
    this.#left = this.#scripts.length;
  }

  /** The number of recorded connections that can still be played. */
  get left(): number {
    return this.#left;
  }

  /**
   * Plays the next recorded connection on `conn`, and closes it at the end. Rejects with the first
   * {@linkcode ReplayMismatch}, with `conn` reset. Resets `conn` if none is left.
   */
  async playNext(conn: Conn): Promise<void> {
    checkArgument("playNext", conn, CONN);
    const taken = this.#take(() => true);
    if (taken === undefined) return conn.reset();
    await play(conn, taken.script, taken.matcher, this.#options);
  }

  /**
   * Plays the first recorded connection that goes as `conn` goes, and closes `conn` at the end. If
   * `conn` goes another way than all that are left, it resolves to the miss and leaves `conn` open. So
   * it does if none is left from the start, with `"none left"`.
   */
  async playFitting(conn: Conn): Promise<ReplayMiss | "played" | "none left"> {
    checkArgument("playFitting", conn, CONN);
    const tried = new Set<number>();
    let miss: ReplayMiss | undefined;
    for (let taken = this.#take(() => true); taken !== undefined;) {
      miss = await this.#playTaken(conn, taken, miss);
      if (miss === undefined) return "played";
      tried.add(taken.index);
      taken = this.#fitting(miss, taken.script, tried);
    }
    return miss ?? "none left";
  }

  /** Plays a recorded connection, and puts it back if it was not played to its end. */
  async #playTaken(
    conn: Conn,
    { index, script, matcher }: Taken,
    progress: ReplayProgress | undefined,
  ): Promise<ReplayMiss | undefined> {
    let played = false;
    try {
      const miss = await playUntilMiss(conn, script, matcher, this.#options, progress);
      played = miss === undefined;
      return miss && { ...miss, settled: matcher.settled };
    } finally {
      if (!played) this.#putBack(index, script);
    }
  }

  /**
   * Takes a connection that goes as `progress` went, in which the other side has got what `played`
   * sends. Those at the indexes `tried` are left out.
   */
  #fitting(
    { received, sent }: ReplayProgress,
    played: Script,
    tried: ReadonlySet<number>,
  ): Taken | undefined {
    const heard = firstBytes(played, sent);
    return this.#take(({ index, script, matcher }) =>
      !tried.has(index) && heard.equals(firstBytes(script, sent)) &&
      takes(matcher, received.map(({ bytes }) => bytes))
    );
  }

  /** Takes the first connection that fits; undefined if none does. */
  #take(fits: (taken: Taken) => boolean): Taken | undefined {
    while (this.#first < this.#scripts.length && this.#scripts[this.#first] === undefined) {
      this.#first++;
    }
    for (let index = this.#first; index < this.#scripts.length; index++) {
      const script = this.#scripts[index];
      if (script === undefined) continue;
      const taken = { index, script, matcher: matcherOf(script, this.#options) };
      if (!fits(taken)) continue;
      this.#scripts[index] = undefined;
      this.#left--;
      return taken;
    }
    return undefined;
  }

  #putBack(index: number, script: Script): void {
    this.#scripts[index] = script;
    this.#left++;
    this.#first = Math.min(this.#first, index);
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
function firstBytes({ chunks }: Script, length: number): Buffer {
  return Buffer.concat(chunks.map(({ bytes }) => bytes)).subarray(0, length);
}
