/**
 * How a script starts, fails and ends.
 *
 * @module
 */

import process from "node:process";
import { SocketError } from "../errors.ts";
import { choose, helpLast, type Script } from "./command.ts";
import { currentLog } from "./common.ts";
import { CliError, EXIT, exitCodeOf } from "./exit.ts";
import { UsageError } from "./flags.ts";
import { asCalled } from "./program.ts";

/**
 * Calls the command that a script's arguments name, and ends the process with the code it resolves to. Errors that users can
 * meet become one line on stderr.
 */
export async function run(file: string, script: Script): Promise<void> {
  const program = asCalled(file);
  if (script.servesOn) serveOnUnread(program);
  else endUnread(program);
  let code: number;
  let called = program;
  try {
    const args = helpLast(process.argv.slice(2));
    const { name, named } = choose(args, script);
    if (named) called += ` ${name}`;
    const command = await script.commands[name]();
    code = await (named ? command(args.slice(1)) : command(args, Object.keys(script.commands)));
  } catch (error) {
    code = explain(program, called, error);
  }
  process.exit(code);
}

/** From now on the process ends when nobody reads what it prints, and when that cannot be written. */
export function endUnread(program: string): void {
  // The reader of our output has gone away, as in `… | head`: there is nobody left to tell.
  onStdoutError(program, () => process.exit(EXIT.ok));
  // Here what is on stdout may not be whole, so that is no success. A log that cannot be written for
  // another reason, such as a full disk, ends nothing.
  process.stderr.on("error", (error: Error & { code?: string }) => {
    if (error.code === "EPIPE") process.exit(EXIT.unheard);
  });
}

/** From now on the process goes on when nobody reads what it prints: a server has more to do. */
export function serveOnUnread(program: string): void {
  onStdoutError(program, () => {});
  process.stderr.on("error", () => {});
}

function onStdoutError(program: string, unread: () => void): void {
  process.stdout.on("error", (error: Error & { code?: string }) => {
    if (error.code === "EPIPE") return unread();
    // Anything else, such as a full disk, means that the output is not whole.
    currentLog().error(`${program}: Cannot write to stdout: ${error.message}`);
    process.exit(EXIT.writeFailed);
  });
}

/** `called` is the program with the command that was named. */
function explain(program: string, called: string, error: unknown): number {
  const log = currentLog();
  if (error instanceof UsageError) {
    const end = error.message.endsWith("?") ? "" : ".";
    log.error(`${program}: ${error.message}${end} See '${called} --help'.`);
    return EXIT.usage;
  }
  if (error instanceof SocketError) {
    log.error(`${program}: ${error.message}`);
    return exitCodeOf(error);
  }
  if (error instanceof CliError) {
    log.error(`${program}: ${error.message}`);
    return error.exitCode;
  }
  log.error(`${program}: ${error instanceof Error ? error.stack : error}`);
  return EXIT.internal;
}
