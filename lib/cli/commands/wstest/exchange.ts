/**
 * Plays a case on a connection that is open, and notes what the other side does.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { Expected, FrameCase, Sent } from "./case.ts";
import { close, encodeFrame, type Frame, ping, type Role, utf8 } from "./frame.ts";
import type { FrameReader, ReceivedClose } from "./frame_reader.ts";
import type { Link } from "./case_connection.ts";
import { isClose, isComplete, isPossible, type Seen } from "./match.ts";

/** Options of {@linkcode exchange}. */
export interface ExchangeOptions {
  /** Our side of the connection. */
  readonly role: Role;
  /** Bytes that have come after the handshake. */
  readonly rest: Uint8Array;
  /** The time for the case, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
}

/** The payload of the Ping that shows whether the other side goes on. */
export const PROBE: Uint8Array = utf8("still there?");

/** How long a side may take to fail the connection before it is asked, as part of the timeout. */
const MOMENT = 1 / 16;

/** See the module. */
export async function exchange(
  one: FrameCase,
  link: Link,
  reader: FrameReader,
  options: ExchangeOptions,
): Promise<Seen> {
  const { role, timeout, clock } = options;
  const expected = [...one.expect, ...one.allowed ?? []];
  const mayEcho = expected.some(({ type }) => type === "echo");
  const bytesOf = (frames: FrameCase["send"]) => joined(frames, role);
  const until = clock.now() + timeout;
  const events = () => reader.events.filter(({ type }) => type !== "ping");
  const questions = questionsOf(one, expected);
  let end: Seen["end"] = "open";
  let sentLate = false;
  let hasClosed = one.send.some(isClose);
  void link.write(bytesOf(one.send), one.by);
  await reader.push(options.rest);
  while (!isOver(reader, expected, events())) {
    if (mayEcho && !hasClosed && expected.some((one) => isComplete(one, events()))) {
      hasClosed = true;
      void link.write(bytesOf([close(1000)]));
    }
    const left = Math.max(0, until - clock.now());
    // After Close, and where something is to be shown by doing nothing, a moment is enough.
    const isBrief = questions.length > 0 || mayEcho && hasClosed;
    const got = await link.read(isBrief ? Math.min(left, timeout * MOMENT) : left);
    if (got === undefined) {
      const question = left === 0 ? undefined : questions.shift();
      if (question === undefined) break;
      if (question === "silence") break;
      sentLate ||= question === one.late;
      void link.write(bytesOf(question));
    } else if (typeof got === "string") {
      end = got;
      break;
    } else await reader.push(got);
  }
  // Not awaited: a side that does not read would hold it up. Closing sends it.
  if (reader.close !== undefined && !hasClosed) void link.write(bytesOf([answerTo(reader.close)]));
  const judgesEnd = expected.some(({ type }) => type === "close");
  if (reader.close !== undefined && reader.wrong === undefined && end === "open" && judgesEnd) {
    if (role === "client") end = await link.readEnd(Math.max(0, until - clock.now()));
    else end = "ours";
  }
  return { events: events(), close: reader.close, wrong: reader.wrong, end, sentLate };
}

/** The bytes to send when the other side does nothing, one after the other. */
function questionsOf(one: FrameCase, expected: readonly Expected[]) {
  if (expected.some(({ type }) => type === "silence")) return ["silence" as const];
  const fails = expected.every(({ type }) => type === "failure");
  const late = one.late === undefined ? [] : [one.late];
  return fails ? [...late, [ping(PROBE)]] : [];
}

function isOver(reader: FrameReader, expected: readonly Expected[], events: readonly Sent[]) {
  return reader.done || !expected.some((one) => isPossible(one, events));
}

/** The Close that answers one. */
function answerTo({ code }: ReceivedClose): Frame {
  return close(code);
}

/** The bytes of frames that `role` sends. */
function joined(parts: FrameCase["send"], role: Role): Uint8Array {
  const pieces = parts.map((part) => part instanceof Uint8Array ? part : encodeFrame(part, role));
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
