/**
 * What the commands have in common: their general flags, and their log.
 *
 * @module
 */

import { VERSION } from "../version.ts";
import { choice, type Flag, toggle, UsageError } from "./flags.ts";
import { Log, type LogFormat, type LogOptions } from "./log.ts";
import { print } from "./print.ts";

/** The flags that every script ends its list with. */
export const GENERAL_FLAGS: {
  readonly verbose: Flag<boolean>;
  readonly quiet: Flag<boolean>;
  readonly log: Flag<LogFormat>;
  readonly help: Flag<boolean>;
  readonly version: Flag<boolean>;
} = {
  verbose: toggle("show every step of the conversation", "v"),
  quiet: toggle("show errors only", "q"),
  log: choice(["text", "json"], "text", "how to show it: lines for people, or JSON (default text)"),
  help: toggle("show this help", "h"),
  version: toggle("show the version", "V"),
};

let log = new Log({ verbose: false, quiet: false, log: "text" });

/** Makes the log of a command, which errors go to from now on. */
export function openLog(options: LogOptions): Log {
  return log = new Log(options);
}

/** Where errors are told: once the command line is read, as it asks. */
export function currentLog(): Log {
  return log;
}

/** Nothing may be left over; if something is, `advice` is what to say of it. */
export function noMore(positionals: readonly string[], advice: string): void {
  if (positionals.length === 0) return;
  throw new UsageError(`Too many arguments, from '${positionals[0]}' on; ${advice}`);
}

export function printVersion(): Promise<void> {
  return print(`plainsocket ${VERSION}\n`);
}
