/**
 * Frames and messages in the words of a report.
 *
 * @module
 */

import { quote } from "../../io/quote.ts";
import type { Expected, Sent } from "./case.ts";
import { closeName, type Seen } from "./match.ts";

/** The most bytes that a report shows in hex, and the most messages that it names. */
const [MOST_BYTES, MOST_EVENTS] = [32, 3];

/** Bytes in hex; what is long is cut, with its length after it. */
export function hex(bytes: Uint8Array): string {
  const shown = Array.from(
    bytes.subarray(0, MOST_BYTES),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
  return bytes.length > MOST_BYTES ? `${shown}… (${bytes.length} bytes)` : shown;
}

function describeEvents(events: readonly Sent[]): string[] {
  const shown = events.slice(0, MOST_EVENTS).map(({ type, data }) => `${type} ${quote(data)}`);
  return events.length > MOST_EVENTS ? [...shown, `${events.length - MOST_EVENTS} more`] : shown;
}

/** Describes what the other side has done. */
export function describeSeen({ events, close, wrong, end }: Seen): string {
  const closing = close === undefined ? [] : [`Close with ${closeName(close.code)}`];
  const ends = { end: "the end of TCP", reset: "a reset", ours: "", open: "", more: "more bytes" };
  const parts = [...describeEvents(events), ...closing, wrong ?? "", ends[end]];
  return parts.filter((part) => part !== "").join(", ") || "nothing";
}

/** Describes the expectation. */
export function describeExpected(all: readonly Expected[]): string {
  return all.map(describeOne).join(", or ");
}

function describeOne(expected: Expected): string {
  switch (expected.type) {
    case "echo":
      return describeEvents(expected.events).join(", ");
    case "failure":
      return `Close with ${expected.codes.join(" or ")}`;
    case "close":
      return `Close with ${expected.codes.map(closeName).join(" or ")}, the end of TCP`;
    case "silence":
      return "nothing";
  }
}
