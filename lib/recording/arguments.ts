/**
 * Recordings as arguments: mistakes of callers.
 *
 * @module
 */

import { checkArgument, isBytes, type Kind } from "../base/arguments.ts";
import type { Recording } from "./format.ts";

const RECORDING: Kind = {
  takes: "a recording, such as await readRecording(…)",
  is(value) {
    const { head, events } = Object(value) as Partial<Recording>;
    return typeof head?.started === "string" && Array.isArray(events);
  },
};

const SOURCE: Kind = {
  takes: "a text, or bytes in pieces, such as createReadStream(path)",
  is: (value) =>
    typeof value === "string" ||
    !isBytes(value) && (Symbol.iterator in Object(value) || Symbol.asyncIterator in Object(value)),
  instead: (value) => isBytes(value) ? "[bytes]" : undefined,
};

const PART: Kind = {
  takes: "the head or an event of a recording",
  is: (value) => typeof value === "object" && value !== null,
};

/** Throws a TypeError unless `part` can be a line of a recording. */
export function checkPart(part: unknown): void {
  checkArgument("recordingLine", part, PART);
}

/** Throws a TypeError unless `recording`, an argument of the function `where`, is a recording. */
export function checkRecording(where: string, recording: unknown): void {
  checkArgument(where, recording, RECORDING);
}

/** Throws a TypeError unless a recording can be read from `source`. */
export function checkSource(source: unknown): void {
  checkArgument("readRecording", source, SOURCE);
}
