/**
 * The path of a Unix socket's file on the command line.
 *
 * @module
 */

import { whyNoSocketPath } from "../../base/addr.ts";
import { type Flag, path, UsageError } from "../io/flags.ts";

/** A flag for such a path. */
export function socketPath(help: string): Flag<string> {
  const flag = path(help);
  return { ...flag, parse: (text, sofar) => checkSocketPath(flag.parse(text, sofar)) };
}

/** Returns the path. Throws a {@linkcode UsageError} if no socket can have it. */
export function checkSocketPath(path: string): string {
  const why = whyNoSocketPath(path);
  if (why === undefined) return path;
  throw new UsageError(`takes the path of a socket, not '${path}': ${why}`);
}
