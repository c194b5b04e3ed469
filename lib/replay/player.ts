/**
 * Plays one side of a recorded connection on a real one.
 *
 * @module
 */

import { type Clock, sleep } from "../base/clock.ts";
import type { Conn } from "../net/transport.ts";
import { type Matcher, mismatch, ReplayMismatch } from "./match.ts";
import type { Script } from "./script.ts";

const RECEIVE_SIZE = 64 * 1024;

/** Options for playing a connection. */
export interface PlayerOptions {
  /** The speed as a multiple of the recorded one. 0 does not wait at all. */
  readonly speed: number;
  readonly clock: Clock;
}

/** Bytes that came from the other side at once. */
export interface ReplayPiece {
  /** The bytes. */
  readonly bytes: Uint8Array;
  /** The number of bytes that had been sent to the other side before. */
  readonly after: number;
}

/** The progress of a connection. */
export interface ReplayProgress {
  /** All that came. */
  readonly received: readonly ReplayPiece[];
  /** The number of bytes that were sent. */
  readonly sent: number;
  /** Whether the other side has ended its stream. */
  readonly ended: boolean;
}

/** A connection that went another way than the recorded one. */
export interface Miss extends ReplayProgress {
  /** The first difference. */
  readonly error: ReplayMismatch;
}

/** The next bytes to send, and the input that they wait for. */
interface Cue {
  readonly after: number;
  readonly afterEnd: boolean;
  readonly pause: number;
  /** The bytes to send. Undefined is the end. */
  readonly bytes: Uint8Array | undefined;
}

/** Plays `script` on `conn`, and closes it. Rejects with the first {@linkcode ReplayMismatch}. */
export async function play(
  conn: Conn,
  script: Script,
  matcher: Matcher,
  options: PlayerOptions,
): Promise<void> {
  await new Player(conn, script, matcher, options, undefined).run();
}

/**
 * Plays `script` on `conn`, from where `progress` has brought it, which `matcher` has seen. Closes it at
 * the end. At the first difference it sends what is still due, leaves the connection open, and returns
 * the miss.
 */
export async function playUntilMiss(
  conn: Conn,
  script: Script,
  matcher: Matcher,
  options: PlayerOptions,
  progress: ReplayProgress = { received: [], sent: 0, ended: false },
): Promise<Miss | undefined> {
  return await new Player(conn, script, matcher, options, progress).run();
}

class Player {
  readonly #conn: Conn;
  readonly #script: Script;
  readonly #matcher: Matcher;
  readonly #options: PlayerOptions;
  /** The received bytes. Kept only if a miss is returned. */
  readonly #received: ReplayPiece[] | undefined;
  #sent: number;
  #ended: boolean;
  #failed = false;
  #missed: ReplayMismatch | undefined;
  #wake: (() => void) | undefined;

  constructor(
    conn: Conn,
    script: Script,
    matcher: Matcher,
    options: PlayerOptions,
    progress: ReplayProgress | undefined,
  ) {
    this.#conn = conn;
    this.#script = script;
    this.#matcher = matcher;
    this.#options = options;
    this.#received = progress && [...progress.received];
    this.#sent = progress?.sent ?? 0;
    this.#ended = progress?.ended ?? false;
  }

  async run(): Promise<Miss | undefined> {
    try {
      await Promise.all([this.#receive(), this.#send()].map((part) => this.#orMiss(part)));
    } catch (error) {
      this.#failed = true;
      this.#notify();
      this.#conn.reset();
      throw error;
    }
    if (this.#missed === undefined) return void this.#conn.close();
    const [error, received] = [this.#missed, this.#received ?? []];
    return { error, received, sent: this.#sent, ended: this.#ended };
  }

  /** Settles as `part` does, except that a difference becomes a miss. */
  async #orMiss(part: Promise<void>): Promise<void> {
    try {
      await part;
    } catch (error) {
      if (this.#received === undefined || !(error instanceof ReplayMismatch)) throw error;
      this.#missed ??= error;
      this.#notify();
    }
  }

  async #receive(): Promise<void> {
    const { end, expected } = this.#script;
    if (this.#ended) return this.#matcher.end();
    const buffer = new Uint8Array(RECEIVE_SIZE);
    // The side that closed or reset the recorded connection did not wait for the end of the other.
    const leaves = end !== undefined && end.kind !== "fin" && !end.afterEnd;
    while (!(leaves && this.#matcher.position >= expected.length)) {
      const n = await this.#conn.read(buffer);
      if (n === null) {
        this.#ended = true;
        this.#matcher.end();
        return this.#notify();
      }
      this.#received?.push({ bytes: buffer.slice(0, n), after: this.#sent });
      this.#matcher.feed(buffer.subarray(0, n));
      this.#notify();
    }
  }

  async #send(): Promise<void> {
    for (const cue of this.#cues()) {
      while (!this.#isDue(cue)) {
        if (this.#failed || this.#missed !== undefined) return;
        if (this.#ended) throw mismatch(this.#script, this.#matcher.position, new Uint8Array(0));
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      await this.#pause(cue.pause);
      // A connection that is passed on must stay open.
      if (this.#failed || cue.bytes === undefined && this.#missed !== undefined) return;
      await this.#act(cue);
    }
  }

  /** Returns the cues that are left. */
  #cues(): Cue[] {
    const { chunks, end } = this.#script;
    let at = 0;
    const cues: Cue[] = [];
    for (const { after, pause, bytes } of chunks) {
      const left = bytes.subarray(Math.max(0, this.#sent - at));
      at += bytes.length;
      if (left.length > 0) cues.push({ after, afterEnd: false, pause, bytes: left });
    }
    if (end === undefined) return cues;
    const { after, afterEnd, pause } = end;
    return [...cues, { after, afterEnd, pause, bytes: undefined }];
  }

  async #act({ bytes }: Cue): Promise<void> {
    if (bytes !== undefined) {
      this.#sent += bytes.length;
      await this.#conn.write(bytes);
    } else if (this.#script.end?.kind === "reset") this.#conn.reset();
    else await this.#conn.closeWrite();
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
