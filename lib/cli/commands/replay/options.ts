/**
 * Options of both sides of `replay`: the comparison and the speed.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Recording } from "../../../recording/format.ts";
import { connectionsOf, type RecordedConnection } from "../../../recording/connections.ts";
import type { ReplayMismatch } from "../../../replay/match.ts";
import type { ReplayOptions } from "../../../replay/replay_transport.ts";
import { Replays, type ReplaysOptions } from "../../../replay/replays.ts";
import { ReplayError } from "../../../replay/script.ts";
import type { Party } from "../../../recording/connections.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import { choice, type Flag, integer, text, UsageError, type Values } from "../../io/flags.ts";
import type { Log } from "../../io/log.ts";
import { noMore } from "../../options/common.ts";
import type { Session } from "../../session.ts";
import {
  FRAME_LIMIT_FLAG,
  type FrameValues,
  type FramingChoice,
  framingFlag,
  framingOf,
} from "../connect/framing_flag.ts";
import { openRecording } from "../recording/recording.ts";

/** The values of `--match`. */
type MatchWord = "stream" | "lines" | "frames" | "http";

/** The flags. */
export const REPLAY_FLAGS: {
  readonly match: Flag<MatchWord>;
  readonly frame: Flag<FramingChoice | undefined>;
  readonly "frame-limit": Flag<number>;
  readonly ignore: Flag<string>;
  readonly "ignore-field": Flag<readonly string[]>;
  readonly speed: Flag<number>;
  readonly times: Flag<number>;
} = {
  match: choice(
    ["stream", "lines", "frames", "http"],
    "stream",
    "compare bytes, lines, frames or HTTP messages (default stream)",
  ),
  frame: framingFlag("with --match frames: how they are framed, such as u32, varint or fixed:16"),
  "frame-limit": FRAME_LIMIT_FLAG,
  ignore: text("REGEXP", "", "text that may differ in a line, a frame, a header field or a body"),
  "ignore-field": {
    arg: "NAMES",
    help: "header fields that may differ: date,etag (default date, and covered ones)",
    fallback: [],
    parse: (value, sofar) => [...sofar, ...value.split(",").map((name) => name.trim())],
  },
  speed: {
    arg: "N",
    help: "times as fast as recorded; 0 does not wait (default 0)",
    fallback: 0,
    parse: (value) => {
      const speed = /^\d+\.?\d*$/.test(value) ? Number(value) : NaN;
      if (speed <= 1e6) return speed;
      throw new UsageError(`takes a number from 0 to 1000000, not '${value}'`);
    },
  },
  times: integer("N", [1, 1e6], 1, "play all connections N times (default 1)"),
};

/** The most connections that are played in one run: they are in memory. */
const MAX_PLAYED = 10_000_000;

/** Options of both sides of `replay`. */
export interface ReplayChoice {
  /** `-` is stdin. */
  readonly file: string;
  readonly match: NonNullable<ReplayOptions["match"]>;
  readonly ignore: RegExp | undefined;
  readonly ignoreFields: readonly string[];
  readonly speed: number;
  readonly times: number;
}

/** Makes what the command line says. Throws a {@linkcode UsageError}. */
export function parseReplay(
  values: Values<typeof REPLAY_FLAGS>,
  positionals: string[],
): ReplayChoice {
  const { match: word, "ignore-field": ignoreFields, speed, times } = values;
  const file = positionals.shift();
  if (file === undefined) throw new UsageError("replay needs a FILE that --record has written");
  noMore(positionals, "replay takes one FILE");
  const ignore = values.ignore === "" ? undefined : regexp(values.ignore);
  if (ignore !== undefined && word === "stream") {
    throw new UsageError("Option --ignore goes with --match lines, frames or http");
  }
  if (ignoreFields.length > 0 && word !== "http") {
    throw new UsageError("Option --ignore-field goes with --match http");
  }
  const match = matchOf(word, values);
  return { file, match, ignore, ignoreFields, speed, times };
}

/** Returns the comparison: for frames their framing. Throws a {@linkcode UsageError}. */
function matchOf(word: MatchWord, values: FrameValues): NonNullable<ReplayOptions["match"]> {
  const framing = framingOf(values);
  if (word !== "frames") {
    if (framing === undefined) return word;
    throw new UsageError("Option --frame goes with --match frames");
  }
  if (framing !== undefined) return framing;
  throw new UsageError("Option --match frames needs --frame FRAMING, such as --frame u32");
}

/** A recording to play. */
export interface Replay {
  readonly recording: Recording;
  readonly replays: Replays;
  /** Advice if something differs. Undefined if there is no advice. */
  readonly hint: string | undefined;
}

/** The beginning of a request or a response of HTTP. */
const HTTP_START = /^([A-Z]+ [^ ]+ HTTP\/1\.|HTTP\/1\.\d \d{3})/;

/** HTTP that is compared byte by byte differs in its date, if in nothing else. */
function hintFor(match: ReplayChoice["match"], recording: Recording, side: Party) {
  const isHttp = connectionsOf(recording).some(({ steps }) => {
    const first = steps.find(({ kind, from }) => kind === "data" && from !== side)?.data;
    return HTTP_START.test(Buffer.from(first ?? []).toString("latin1"));
  });
  if (match !== "stream" || !isHttp) return undefined;
  return "This is HTTP: with --match http dates, credentials and the order of fields may differ.";
}

/** Reads the recording, and what `side` does in it. Rejects with a CliError. */
export async function openReplay(
  { file, match, ignore, ignoreFields, speed, times }: ReplayChoice,
  side: Party,
  session: Session,
): Promise<Replay> {
  const recording = await openRecording(file, session);
  if (recording.warning !== undefined) session.log.note(recording.warning);
  const options = {
    match,
    ignore,
    ignoreFields: ignoreFields.length > 0 ? ignoreFields : undefined,
    speed,
    clock: session.io.clock,
  };
  const once = makeReplays(recording, side, options);
  if (once.left * times > MAX_PLAYED) {
    throw new UsageError(
      `Option --times ${times} would play ${once.left * times} connections: at most ${MAX_PLAYED}`,
    );
  }
  const replays = times === 1 ? once : makeReplays(recording, side, { ...options, times });
  return { recording, replays, hint: hintFor(match, recording, side) };
}

/** Throws a CliError if the recording cannot be played. */
function makeReplays(recording: Recording, side: Party, options: ReplaysOptions): Replays {
  try {
    return new Replays(recording, side, options);
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    throw new CliError(EXIT.badInput, error.message);
  }
}

/** Throws a CliError if there is nothing to play. */
export function checkPlayable({ recording, replays }: Replay, file: string): void {
  if (replays.left > 0) return;
  const why = whyNone(connectionsOf(recording));
  throw new CliError(EXIT.badInput, `'${file}' has no connection that can be played: ${why}.`);
}

/** Why there is nothing to play, in words. */
function whyNone(connections: readonly RecordedConnection[]): string {
  if (connections.length === 0) return "nobody had connected when it was recorded";
  return connections.every(({ datagrams }) => datagrams)
    ? "it has datagrams only, and what is played is TCP and Unix sockets"
    : "no attempt to connect had succeeded";
}

/** Shows the first difference, and what to try; returns the exit code. */
export function logMismatch({ message }: ReplayMismatch, { hint }: Replay, log: Log): number {
  for (const line of message.split("\n")) log.error(line);
  if (hint !== undefined) log.error(hint);
  return EXIT.differed;
}

function regexp(source: string): RegExp {
  try {
    return new RegExp(source, "g");
  } catch (error) {
    throw new UsageError(`Option --ignore takes a regular expression: ${(error as Error).message}`);
  }
}
