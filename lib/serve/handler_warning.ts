/**
 * How servers tell of mistakes in their handlers when nobody has asked to be told.
 *
 * @module
 */

import process from "node:process";
import { inspect } from "node:util";
import { escapeText } from "../base/escape.ts";

/**
 * Makes a process warning of what a handler threw, with its stack; `doing` says what the handler was
 * doing, as in `for GET / from 127.0.0.1:50000`.
 */
export function warn(error: unknown, doing: string): void {
  const warning = new Error(escapeText(`A handler failed ${doing}`), { cause: error });
  warning.name = "HandlerWarning";
  const detail = inspect(error).split("\n").map(escapeText).join("\n");
  // The runtimes print a warning without its stack, and `detail` behind it.
  process.emitWarning(Object.assign(warning, { detail }));
}
