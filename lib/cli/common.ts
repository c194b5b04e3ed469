/**
 * What the scripts have in common: their general flags, and how they start, fail and end.
 *
 * @module
 */

import process from "node:process";
import { SocketError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { EXIT, exitCodeOf } from "./exit.ts";
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

/** Where errors are told: once the command line is read, as it asks. */
let log = new Log({ verbose: false, quiet: false, log: "text" });

/** Makes the log of a script, which errors go to from now on. */
export function openLog(options: LogOptions): Log {
  return log = new Log(options);
}

/** The first positional names the protocol; without one it is echo. */
export function protocolOf(positionals: string[], known: readonly string[]): string {
  const name = positionals.shift() ?? "echo";
  if (known.includes(name)) return name;
  throw new UsageError(`Unknown protocol '${name}'; there is: ${known.join(", ")}`);
}

/** Nothing may be left over. */
export function noMore(positionals: readonly string[]): void {
  if (positionals.length === 0) return;
  throw new UsageError(`Too many arguments, from '${positionals[0]}' on`);
}

/**
 * Runs a script's `main` and ends the process with the code it resolves to. Errors that users can
 * meet become one line on stderr.
 */
export async function run(
  script: string,
  main: (args: string[]) => Promise<number>,
): Promise<void> {
  // The reader of our output has gone away, as in `… | head`: there is nobody left to tell.
  process.stdout.on("error", () => process.exit(EXIT.ok));
  let code: number;
  try {
    code = await main(process.argv.slice(2));
  } catch (error) {
    code = explain(script, error);
  }
  process.exit(code);
}

export function printVersion(): Promise<void> {
  return print(`plainsocket ${VERSION}\n`);
}

function explain(script: string, error: unknown): number {
  if (error instanceof UsageError) {
    log.error(`${script}: ${error.message}. See '${script} --help'.`);
    return EXIT.usage;
  }
  if (error instanceof SocketError) {
    log.error(`${script}: ${error.message}`);
    return exitCodeOf(error);
  }
  log.error(`${script}: ${error instanceof Error ? error.stack : error}`);
  return EXIT.internal;
}
