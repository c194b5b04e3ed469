/**
 * Compares what a case has shown with what is expected.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Expected, FrameCase, Sent } from "./case.ts";
import { type Frame, OPCODE } from "./frame.ts";
import type { ReceivedClose } from "./frame_reader.ts";
import type { StreamEnd } from "./case_connection.ts";

/** The observations of a case. */
export interface Seen {
  /** The messages of the other side, without Close and without its Pings. */
  readonly events: readonly Sent[];
  readonly close: ReceivedClose | undefined;
  /** The rule that the other side's own frames break. */
  readonly wrong: string | undefined;
  /**
   * The end of TCP: `ours` is that we may end it first, `open` that it has not ended in time,
   * `more` that bytes have come after Close.
   */
  readonly end: StreamEnd | "ours" | "open" | "more";
  /** Whether {@linkcode FrameCase.late} was sent. */
  readonly sentLate: boolean;
}

/** The result of a case. */
export type Verdict = "pass" | "non-strict" | "fail" | "skipped";

/** A verdict with its reason, which a `pass` has not. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly why?: string;
}

/** Whether a part of what is sent is a Close. */
export function isClose(part: Frame | Uint8Array): boolean {
  return !(part instanceof Uint8Array) && part.opcode === OPCODE.close;
}

const isMessage = ({ type }: Sent) => type !== "pong";

function isSame(a: Sent | undefined, b: Sent | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.type === b.type && Buffer.compare(a.data, b.data) === 0;
}

/** Whether `short` is how `long` begins. */
function begins(long: readonly Sent[], short: readonly Sent[]): boolean {
  return short.length <= long.length && short.every((one, i) => isSame(one, long[i]));
}

/** Whether these events can still become what is expected. */
export function isPossible(expected: Expected, events: readonly Sent[]): boolean {
  const whole = expectedEvents(expected);
  if (expected.type === "failure") return begins(whole, events);
  return begins(whole.filter(isMessage), events.filter(isMessage));
}

function expectedEvents(expected: Expected): readonly Sent[] {
  if (expected.type === "echo") return expected.events;
  return expected.type === "silence" ? [] : expected.before ?? [];
}

/** Whether all that is expected has come back. A Pong may stand for earlier ones. */
export function isComplete(expected: Expected, events: readonly Sent[]): boolean {
  if (expected.type !== "echo") return false;
  const lastPong = expected.events.findLast(({ type }) => type === "pong");
  const hasPong = lastPong === undefined || events.some((one) => isSame(one, lastPong));
  const count = (list: readonly Sent[]) => list.filter(isMessage).length;
  return hasPong && count(events) === count(expected.events);
}

/** Judges what a case has shown. */
export function judge(one: FrameCase, seen: Seen): Judgement {
  if (seen.wrong !== undefined) return { verdict: "fail", why: seen.wrong };
  const answersClose = seen.close !== undefined && [undefined, 1000].includes(seen.close.code);
  if (
    answersClose && one.send.some(isClose) && one.expect.every(({ type }) => type === "failure")
  ) {
    return { verdict: "fail", why: "it answers the Close as if nothing was wrong" };
  }
  const judged = one.expect.map((expected) => compare(expected, seen));
  const best = judged.find(({ verdict }) => verdict === "pass") ??
    judged.find(({ verdict }) => verdict === "non-strict");
  if (best !== undefined) return best;
  const isAllowed = one.allowed?.some((expected) => compare(expected, seen).verdict !== "fail");
  return { ...judged[0], ...isAllowed && { verdict: "non-strict" } };
}

function compare(expected: Expected, seen: Seen): Judgement {
  switch (expected.type) {
    case "echo":
      return compareEvents(expected.events, seen);
    case "failure":
      return compareFailure(expected.codes, expected.before ?? [], seen);
    case "close":
      return compareClose(expected.codes, expected.before ?? [], seen);
    case "silence":
      if (seen.events.length > 0) return { verdict: "fail", why: "it answers" };
      return seen.end === "open" && seen.close === undefined
        ? { verdict: "pass" }
        : { verdict: "fail", why: "it closes the connection" };
  }
}

function compareEvents(expected: readonly Sent[], { events, close, end }: Seen): Judgement {
  if (events.length === expected.length && begins(expected, events)) return { verdict: "pass" };
  const messages = expected.filter(isMessage);
  const came = events.filter(isMessage);
  if (!begins(messages, came)) return { verdict: "fail", why: "another message comes back" };
  const [pongs, answers] = [expected, events].map((list) => list.filter((one) => !isMessage(one)));
  const isWhole = came.length === messages.length && isSame(pongs.at(-1), answers.at(-1)) &&
    isWithin(answers, pongs);
  if (isWhole) {
    return isPrompt(events, expected)
      ? { verdict: "pass" }
      : { verdict: "non-strict", why: "a Pong comes later than it could" };
  }
  if (close !== undefined) {
    return { verdict: "fail", why: `it closes with ${closeName(close.code)}` };
  }
  if (end !== "open") return { verdict: "fail", why: "it closes the connection" };
  const missing = came.length < messages.length ? "a message" : "a Pong";
  return { verdict: "fail", why: `${missing} does not come back` };
}

/** Whether each Pong comes as early among the messages as is expected, or earlier. */
function isPrompt(events: readonly Sent[], expected: readonly Sent[]): boolean {
  const messagesBefore = (list: readonly Sent[], pong: Sent) =>
    list.slice(0, list.findLastIndex((one) => isSame(one, pong))).filter(isMessage).length;
  return events.filter((one) => !isMessage(one))
    .every((pong) => messagesBefore(events, pong) <= messagesBefore(expected, pong));
}

/** Whether `some` are among `all`, in the same order. A Pong may answer earlier Pings, too. */
function isWithin(some: readonly Sent[], all: readonly Sent[]): boolean {
  let at = 0;
  for (const one of all) if (isSame(one, some[at])) at++;
  return at === some.length;
}

function compareFailure(
  codes: readonly number[],
  before: readonly Sent[],
  { events, close, end, sentLate }: Seen,
): Judgement {
  if (!begins(before, events)) {
    return { verdict: "fail", why: "it goes on as if nothing was wrong" };
  }
  if (close === undefined) {
    return end === "open"
      ? { verdict: "fail", why: "the connection does not fail" }
      : { verdict: "non-strict", why: "it closes TCP without Close" };
  }
  if (close.code === undefined || !codes.includes(close.code)) {
    return { verdict: "non-strict", why: `it closes with ${closeName(close.code)}` };
  }
  if (!sentLate) return { verdict: "pass" };
  return { verdict: "non-strict", why: "it waits for the end before it fails" };
}

function compareClose(
  codes: readonly (number | undefined)[],
  before: readonly Sent[],
  { events, close, end }: Seen,
): Judgement {
  if (!begins(before, events)) return { verdict: "fail", why: "something else comes back" };
  if (close === undefined) {
    const why = end === "open" ? "Close is not answered" : "it closes TCP without Close";
    return { verdict: "fail", why };
  }
  if (end === "more") return { verdict: "fail", why: "it sends more behind its Close" };
  if (!codes.includes(close.code)) {
    return { verdict: "non-strict", why: `it closes with ${closeName(close.code)}` };
  }
  if (events.length < before.length) {
    return { verdict: "non-strict", why: "what came before Close is not answered" };
  }
  if (end === "open") return { verdict: "non-strict", why: "it leaves TCP open" };
  return { verdict: "pass" };
}

/** A close code, in words. */
export function closeName(code: number | undefined): string {
  return code === undefined ? "no code" : String(code);
}
