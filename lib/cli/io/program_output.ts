/**
 * An output of a program.
 *
 * @module
 */

import type { Writable } from "node:stream";

/**
 * So many bytes that are written at once stay together in a pipe into which other processes write, too
 * (PIPE_BUF on Linux). In a file, all do.
 */
export const ATOMIC = 4096;

/** A stream to print on. A terminal has `isTTY` set, and `columns` wide lines. */
export type ProgramOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };
