/**
 * The start and the end of a script, and its failures.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { isExhausted } from "../base/backoff.ts";
import { nodeFs } from "../base/builtins.deno.ts";
import { SocketError } from "../base/errors.ts";
import { choose, helpLast, type Script } from "./command.ts";
import { CliError, EXIT, exitCodeOf } from "./io/exit.ts";
import { UsageError } from "./io/flags.ts";
import { flushed, type Io } from "./io/io.ts";
import { asCalled } from "./program.ts";
import { Session } from "./session.ts";

/** Runs a script with the arguments after its name; resolves to the exit code and never rejects. */
export type Main = (args: readonly string[], io: Io, prefix?: string) => Promise<number>;

/** Makes the {@linkcode Main} of a script, `server.ts` or `client.ts`. */
export function mainOf(file: string, script: Script): Main {
  return async (args, io, prefix) => {
    const session = new Session(io, prefix);
    const code = await Promise.race([session.ended, runWatched(file, script, args, session)]);
    await session.finish();
    await session.instruments.closePage();
    await flushed(io.stderr);
    return code;
  };
}

/** Whether the module with this `import.meta` is what the process was started with. */
export function isMain(meta: ImportMeta): boolean {
  const { main } = meta as { main?: boolean };
  if (main !== undefined) return main;
  // Node has it since 24.2. The file may have been named without its ending, and through a link.
  const file = fileURLToPath(meta.url);
  const started = process.argv[1] ?? "";
  const { realpathSync } = nodeFs();
  return [started, `${started}.js`].some((path) => {
    try {
      return realpathSync(path) === realpathSync(file);
    } catch {
      return false;
    }
  });
}

/** Runs the command. If it has a live page, waits for those who look at that. */
async function runWatched(
  file: string,
  script: Script,
  args: readonly string[],
  session: Session,
): Promise<number> {
  const code = await run(file, script, args, session);
  await session.instruments.linger();
  return code;
}

/**
 * Calls the command that the arguments name; resolves to its exit code. Errors that users can meet
 * become one line on stderr.
 */
async function run(
  file: string,
  script: Script,
  args: readonly string[],
  session: Session,
): Promise<number> {
  const program = asCalled(file, session.prefix);
  if (script.servesOn) serveOn(program, session);
  else {
    endUnread(program, session);
    endWithTerminal(session);
  }
  let called = program;
  try {
    const ordered = helpLast(args);
    const { name, named } = await choose(ordered, script, program);
    if (named) called += ` ${name}`;
    const command = await script.commands[name]();
    return await (named
      ? command(ordered.slice(1), session)
      : command(ordered, session, Object.keys(script.commands)));
  } catch (error) {
    return await explain(program, called, error, session);
  }
}

/** Ends the run when nobody reads what it prints, and when that cannot be written. */
export function endUnread(program: string, session: Session): void {
  // The reader of our output has gone away, as in `… | head`: nobody would read a message.
  onStdoutError(program, session, () => session.end(EXIT.ok));
  // The content on stdout may not be whole, so this is a failure. A log that cannot be written for
  // another reason, such as a full disk, does not end the run.
  session.io.stderr.on("error", (error: Error & { code?: string }) => {
    if (error.code === "EPIPE") session.end(EXIT.unheard);
  });
}

/** Lets the run go on when nobody reads what it prints, and without a terminal: a server has more to do. */
function serveOn(program: string, session: Session): void {
  onStdoutError(program, session, () => {});
  session.io.stderr.on("error", () => {});
  session.outliveHangups();
}

/**
 * Lets SIGHUP, the end of the terminal, end the run if it has one. A run without a terminal goes on, as
 * under nohup: Node does not keep SIGHUP ignored, as nohup has set it.
 */
function endWithTerminal({ io }: Session): void {
  if (!io.hasTerminal()) io.onSignal("SIGHUP", () => {});
}

function onStdoutError(program: string, session: Session, unread: () => void): void {
  session.onStdoutError = (error) => {
    // EIO is a terminal that is gone.
    if (error.code === "EPIPE" || error.code === "EIO") return unread();
    // Anything else, such as a full disk, means that the output is not whole.
    session.log.error(`${program}: Cannot write to stdout: ${error.message}`);
    session.end(EXIT.writeFailed);
  };
}

/** `called` is the program with the command that was named. */
async function explain(
  program: string,
  called: string,
  error: unknown,
  session: Session,
): Promise<number> {
  const { log } = session;
  if (error instanceof UsageError) {
    const end = error.message.endsWith("?") ? "" : ".";
    log.error(`${program}: ${error.message}${end} See '${called} --help'.`);
    return EXIT.usage;
  }
  if (error instanceof SocketError || error instanceof CliError) {
    log.error(`${program}: ${await explainedMessage(error, called, session)}`);
    return error instanceof CliError ? error.exitCode : exitCodeOf(error);
  }
  log.mistake(error, `${program}: `);
  return EXIT.internal;
}

/** The message of an error with its cause, which is looked for now. */
async function explainedMessage(
  error: SocketError | CliError,
  called: string,
  { attempt, prefix }: Session,
): Promise<string> {
  // Without descriptors nothing can be loaded.
  if (error instanceof SocketError && isExhausted(error.code)) return error.message;
  const { explained } = await import("./explain/explain.ts");
  const names = { client: asCalled("client.ts", prefix), command: called };
  return await explained(error, attempt, names);
}
