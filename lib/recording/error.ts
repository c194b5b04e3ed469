/**
 * The error of a recording that cannot be read.
 *
 * @module
 */

import { escapeText } from "../base/escape.ts";

/** A recording that cannot be read; the message says where, why, and what to do. */
export class RecordingError extends Error {
  /** Always `"RecordingError"`. */
  override readonly name = "RecordingError";
  /** The line that is wrong, from 1. */
  readonly line: number;

  /** Makes an error about a line. */
  constructor(line: number, why: string) {
    super(escapeText(`Cannot read the recording: line ${line}: ${why}`));
    this.line = line;
  }
}

/** The error of a recording without a line. */
export function emptyRecording(): RecordingError {
  return new RecordingError(
    1,
    "there is no line in it. Name a file that --record has written.",
  );
}

/** The error of a first line that is not one. */
export function noRecording(): RecordingError {
  return new RecordingError(
    1,
    "it is not the first line of a recording. Name a file in JSON lines that --record has written.",
  );
}
