/**
 * An output of a program.
 *
 * @module
 */

import type { Writable } from "node:stream";

/** A stream to print on. A terminal has `isTTY` set, and `columns` wide lines. */
export type ProgramOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };
