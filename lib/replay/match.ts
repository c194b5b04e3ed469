/**
 * Whether what comes is what came when it was recorded.
 *
 * @module
 */

import { type Expected, ReplayError, type Script } from "./script.ts";

/** The first difference between what was recorded and what came. */
export class ReplayMismatch extends ReplayError {
  /** Always `"ReplayMismatch"`. */
  override readonly name = "ReplayMismatch";
  /** The number of the connection in the recording. */
  readonly connection: number;
  /** The number of the event that the difference is in. */
  readonly event: number;
  /** The number of bytes that were the same. */
  readonly offset: number;
  /** The bytes that were expected, from the difference on; empty if no more should have come. */
  readonly expected: Uint8Array;
  /** The bytes that came instead; empty if nothing came any more. */
  readonly actual: Uint8Array;

  /** Makes an error; at most the first bytes of both are shown. */
  constructor(
    connection: number,
    event: number,
    offset: number,
    expected: Uint8Array,
    actual: Uint8Array,
  ) {
    super(
      `Connection ${connection} differs from the recording in event ${event}, after ${offset} bytes:\n` +
        `  expected ${shown(expected)}\n  received ${shown(actual)}`,
    );
    this.connection = connection;
    this.event = event;
    this.offset = offset;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The number of bytes of each side that are shown. */
const SHOWN = 24;

function shown(bytes: Uint8Array): string {
  if (bytes.length === 0) return "nothing more";
  const start = bytes.subarray(0, SHOWN);
  const more = bytes.length > SHOWN ? "…" : "";
  const hex = [...start].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const text = [...start].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."
  ).join("");
  return `${hex}${more}  |${text}|`;
}

/** Compares a stream with what is expected. */
export interface Matcher {
  /** Takes bytes that came. Throws a {@linkcode ReplayMismatch}. */
  feed(bytes: Uint8Array): void;
  /** The stream has ended. Throws a {@linkcode ReplayMismatch} if more should have come. */
  end(): void;
  /** The number of bytes of the recorded stream that have come, as far as that is known. */
  readonly position: number;
  /**
   * The number of received bytes that need not be sent to somebody who is to go on: complete HTTP
   * requests. Of other protocols it is 0, since what comes later may depend on what came before.
   */
  readonly settled: number;
}

/** Compares byte by byte. */
export class StreamMatcher implements Matcher {
  position = 0;
  readonly settled = 0;
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
  }

  feed(bytes: Uint8Array): void {
    const { expected } = this.#script;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === expected[this.position]) this.position++;
      else throw mismatch(this.#script, this.position, bytes.subarray(i));
    }
  }

  end(): void {
    if (this.position < this.#script.expected.length) {
      throw mismatch(this.#script, this.position, new Uint8Array(0));
    }
  }
}

/** The error for a difference at `offset`; `wanted` is what should have come, if that is not all. */
export function mismatch(
  script: Script,
  offset: number,
  actual: Uint8Array,
  wanted?: Uint8Array,
): ReplayMismatch {
  const { connection, expected, expectedEvents } = script;
  const index = eventAt(expectedEvents, offset);
  const event = expectedEvents[index]?.event ?? 0;
  const rest = wanted ?? expected.subarray(offset, expectedEvents[index + 1]?.at);
  return new ReplayMismatch(connection, event, offset, rest, actual);
}

/** The index of the event that the byte at `offset` came with; the last one for what is behind them. */
function eventAt(events: readonly Expected[], offset: number): number {
  return events.findLastIndex(({ at }) => at <= offset);
}
