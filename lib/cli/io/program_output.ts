/**
 * An output of a program.
 *
 * @module
 */

import type { Writable } from "node:stream";

/**
 * The most bytes that stay together in a pipe when other processes write to it, too (PIPE_BUF on Linux).
 * In a file, all bytes of a write stay together.
 */
export const ATOMIC = 4096;

/** A stream to print on. A terminal has `isTTY` set, and `columns` wide lines. */
export type ProgramOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };
