/**
 * The state of a file by its file system. The numbers need not make sense: a time may be beyond
 * what a `Date` can hold, a size beyond what a number can. Nothing here throws for those.
 *
 * @module
 */

import type { Stats } from "node:fs";

/** The state of a file. A change of the file changes one of these. */
export interface FileState {
  readonly kind: "file" | "directory" | "other";
  /** Bytes; imprecise from 2^53 on. */
  readonly size: number;
  /** When its content was last modified, in milliseconds since 1970; NaN if it is unknown. */
  readonly mtimeMs: number;
  /** When it was last changed in any way, likewise; Deno knows the second only. */
  readonly ctimeMs: number;
  readonly ino: number;
  readonly dev: number;
  readonly mode: number;
}

/** A name in a directory, as the directory has it. */
export interface NameFound {
  readonly name: string;
  /** The kind of the file itself. "other" also where the file system does not say. */
  readonly kind: FileState["kind"] | "link";
}

/**
 * Converts the stats of the runtime. Numbers, since bigints throw on Deno for a time beyond those
 * of a `Date`, and outside of the promise at that.
 */
export function stateOf(stats: Stats): FileState {
  const { size, mtimeMs, ctimeMs, ino, dev, mode } = stats;
  return {
    kind: kindOf(stats.isFile(), stats.isDirectory()),
    size,
    mtimeMs,
    ctimeMs,
    ino,
    dev,
    mode,
  };
}

/** How often {@linkcode stateAfter} looks at most. */
const MOST_LOOKS = 4;

/**
 * The state of an open file that was in the state `before`. Kernels that append to a file set its times
 * first, and then its size: if only the times are new, it is looked at again, since it may be growing.
 */
export async function stateAfter(
  before: FileState,
  handle: { stat(): Promise<Stats> },
): Promise<FileState> {
  for (let looks = 1;; looks++) {
    const now = stateOf(await handle.stat());
    const mayBeGrowing = now.size === before.size && !isUnmodified(before, now);
    if (!mayBeGrowing || looks === MOST_LOOKS) return now;
  }
}

/** The kind of what is one of these, or neither. */
export function kindOf(isFile: boolean, isDirectory: boolean): FileState["kind"] {
  return isFile ? "file" : isDirectory ? "directory" : "other";
}

/** Whether both are the same file in the same state. */
export function isSame(a: FileState, b: FileState): boolean {
  return isUnmodified(a, b) && isSameFile(a, b) && Object.is(a.ctimeMs, b.ctimeMs) &&
    a.mode === b.mode;
}

/** Whether its content is what it was; who may read it, and its names, may have changed. */
export function isUnmodified(before: FileState, after: FileState): boolean {
  return before.size === after.size && Object.is(before.mtimeMs, after.mtimeMs);
}

/** Whether the same file has become longer, as a log does: what it had is taken to be there still. */
export function hasGrown(before: FileState, after: FileState): boolean {
  return after.size > before.size && isSameFile(before, after);
}

function isSameFile(a: FileState, b: FileState): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/**
 * The second of a time, in milliseconds since 1970; NaN if no HTTP-date can tell it, which has a year
 * of four digits.
 */
export function httpSecond(ms: number): number {
  return ms >= FIRST_MS && ms < END_MS ? Math.floor(ms / 1000) * 1000 : NaN;
}

const FIRST_MS = Date.parse("0001-01-01T00:00:00Z");
const END_MS = Date.parse("+010000-01-01T00:00:00Z");
