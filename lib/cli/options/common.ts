/**
 * Flags that all commands have.
 *
 * @module
 */

import { VERSION } from "../../base/version.ts";
import { choice, type Flag, optional, toggle, UsageError, type Values } from "../io/flags.ts";
import type { LogFormat, LogOptions } from "../io/log.ts";

/** The flags that every script ends its list with. */
export const GENERAL_FLAGS: {
  readonly verbose: Flag<boolean>;
  readonly quiet: Flag<boolean>;
  readonly log: Flag<LogFormat | undefined>;
  readonly help: Flag<boolean>;
  readonly version: Flag<boolean>;
} = {
  verbose: toggle("show every step; a terminal gets it drawn without --log", "v"),
  quiet: toggle("show errors only", "q"),
  log: optional(
    choice(["text", "json"], "text", "how to show it: lines for people, or JSON (default text)"),
  ),
  help: toggle("show this help", "h"),
  version: toggle("show the version", "V"),
};

/** Makes the options of the log that the flags say. */
export function parseLog({ verbose, quiet, log }: Values<typeof GENERAL_FLAGS>): LogOptions {
  return { verbose, quiet, log };
}

/** Throws a {@linkcode UsageError} with `advice` if there are arguments left. */
export function noMore(positionals: readonly string[], advice: string): void {
  if (positionals.length === 0) return;
  throw new UsageError(`Too many arguments, from '${positionals[0]}' on; ${advice}`);
}

/** The output of `--version`. */
export const VERSION_LINE: string = `plainsocket ${VERSION}\n`;
