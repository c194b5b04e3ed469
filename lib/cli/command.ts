/**
 * The commands of a script: its protocols, each with flags, help and a `main` of its own.
 *
 * @module
 */

import { noMore, VERSION_LINE } from "./options/common.ts";
import { EXIT } from "./io/exit.ts";
import type { Advice } from "./advice/first_word.ts";
import {
  checkNeeds,
  type Flags,
  type Hints,
  type Parsed,
  parseFlags,
  UsageError,
  type Values,
  withoutSecrets,
} from "./io/flags.ts";
import { nearest } from "../base/nearest.ts";
import { helpAsCalled, otherProgram } from "./program.ts";
import type { Io } from "./io/io.ts";
import type { liveDiagram } from "../recording/live_diagram.ts";
import type { LogOptions } from "./io/log.ts";
import type { InstrumentOptions } from "./options/instrument_flags.ts";
import type { ProxyOptions } from "./options/proxy_protocol.ts";
import type { Session } from "./session.ts";

/**
 * Takes the arguments after its name and resolves to the exit code. If it was not named it takes all
 * of them, and the names that there are: one of them may still come after flags.
 */
export type Command = (
  args: readonly string[],
  session: Session,
  names?: readonly string[],
) => Promise<number>;

/** The commands of a script by name. They are loaded when they are called for. */
export type Commands = Readonly<Record<string, () => Promise<Command>>>;

/** Options that every command has, besides its own. */
export interface CommandOptions {
  readonly log: LogOptions;
  /** The recording, live page and faults of its sockets. Default: none of them. */
  readonly instruments?: InstrumentOptions;
  /** The proxies in front of a server. Default: clients connect themselves. */
  readonly proxies?: ProxyOptions;
}

/** The flags and words of a command line, and the options that they make. */
export interface CommandLine<Options> {
  /** The general flags are among them. */
  readonly flags: Flags;
  /** Makes the options. Throws a UsageError, or rejects with one, for what is not right. */
  parse(values: Values<Flags>, positionals: string[], io: Io): Options | Promise<Options>;
}

/** Puts flags and what is made of them together. The values of the flags go no further than `parse`. */
export function commandLine<F extends Flags, Options>(
  flags: F,
  parse: (values: Values<F>, positionals: string[], io: Io) => Options | Promise<Options>,
): CommandLine<Options> {
  return { flags, parse: (values, positionals, io) => parse(values as Values<F>, positionals, io) };
}

/**
 * Nothing may be left over: for a host or a port the options are named that take one, and for anything
 * else there is `advice`. Rejects with a UsageError.
 */
export async function optionsOnly(positionals: readonly string[], advice: string): Promise<void> {
  if (positionals.length === 0) return;
  const { placeAdvice } = await import("./advice/first_word.ts");
  noMore(positionals, placeAdvice(positionals) ?? advice);
}

/** Options of {@linkcode command}. */
export interface CommandInit<Options extends CommandOptions> {
  /** The protocol, as the command line has it. */
  readonly name: string;
  readonly line: CommandLine<Options>;
  /** The text of `--help`. */
  readonly help: string;
  /** Loads advice for options that it does not have, besides Deno's. Default: no advice. */
  readonly hints?: () => Promise<Hints>;
  /** Does the work. Errors that users can meet are thrown: UsageError, SocketError, CliError. */
  readonly run: (options: Options, session: Session) => Promise<number>;
}

/** Makes a command, which answers `--help` and `--version` by itself. */
export function command<Options extends CommandOptions>(
  { name, line, help, hints, run }: CommandInit<Options>,
): Command {
  return async (args, session, names = []) => {
    const { flags } = line;
    const parsed = await parsedOrHelp(flags, args, hints);
    const { values, positionals } = parsed;
    if (values.help) return await session.printHelp(helpAsCalled(help, session.prefix)), EXIT.ok;
    if (values.version) return await session.print(VERSION_LINE), EXIT.ok;
    // As in `--port 7 echo hello`. The options of others may be others.
    if (names.includes(positionals[0])) {
      const given = positionals.shift();
      if (given !== name) throw new UsageError(`'${given}' goes before the options`);
    }
    checkNeeds(flags, parsed);
    const options = await line.parse(values, positionals, session.io);
    const { instruments } = session;
    const wanted = options.instruments ?? {};
    const typed = { all: [name, ...args], shown: [name, ...withoutSecrets(flags, args)] };
    await instruments.open(wanted, typed, session);
    let isRecorded = false;
    let code: number;
    try {
      session.openLog(options.log, await loadDiagram(options.log, session.io));
      if (options.proxies !== undefined) await session.putBehind(options.proxies);
      code = await run(options, session);
    } finally {
      isRecorded = await instruments.close();
    }
    // The user is to know that the recording is not whole.
    return code === EXIT.ok && !isRecorded ? EXIT.writeFailed : code;
  };
}

/** Loads the diagram of connections if one is drawn: with -v on a terminal, without --log. */
async function loadDiagram(
  { verbose, quiet, log }: LogOptions,
  { stderr }: Io,
): Promise<typeof liveDiagram | undefined> {
  if (!verbose || quiet || log !== undefined || stderr.isTTY !== true) return undefined;
  return (await import("../recording/live_diagram.ts")).liveDiagram;
}

/**
 * Reads a command line. With `--help` on it, mistakes do not count. For another mistake it is read once
 * more, with the advice for options of others, which is loaded only then.
 */
async function parsedOrHelp<F extends Flags>(
  flags: F,
  args: readonly string[],
  hints: CommandInit<CommandOptions>["hints"],
): Promise<Parsed<F>> {
  try {
    return parseFlags(flags, args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const end = args.indexOf("--");
    const options = end === -1 ? args : args.slice(0, end);
    if (options.some((arg) => arg === "--help" || arg === "-h")) {
      return parseFlags(flags, ["--help"]);
    }
    const { GENERAL_HINTS } = await import("./advice/foreign_options.ts");
    return parseFlags(flags, args, { ...GENERAL_HINTS, ...await hints?.() });
  }
}

/** Turns `help web` and `--help web` into `web --help`. */
export function helpLast(args: readonly string[]): readonly string[] {
  const [first, ...rest] = args;
  return ["help", "--help", "-h"].includes(first) ? [...rest, "--help"] : args;
}

/** The commands of a script, and what to make of a line that names none of them. */
export interface Script {
  /** The first is meant where there is no name. */
  readonly commands: Commands;
  /** Whether it goes on when nobody reads what it prints, as a server does. Default: it ends. */
  readonly servesOn?: boolean;
  /** The one that is meant if there is a URL. Default: the first, too. */
  readonly forUrl?: string;
  /** Loads the advice for a word that is not one of them. */
  readonly advice: () => Promise<Advice>;
}

/** Finds the command of `program` that `args` begin with, or that is meant without its name. */
export async function choose(
  args: readonly string[],
  { commands, forUrl, advice }: Script,
  program: string,
): Promise<{ name: string; named: boolean }> {
  const names = Object.keys(commands);
  const [first = ""] = args;
  if (names.includes(first)) return { name: first, named: true };
  const isName = first !== "" && !first.startsWith("-");
  if (forUrl !== undefined && args.some((arg) => /^http(s|\+unix)?:\/\//i.test(arg))) {
    if (!isName || first.includes("://")) return { name: forUrl, named: false };
  }
  if (!isName) return { name: names[0], named: false };
  const elsewhere = otherProgram(first, program);
  if (elsewhere !== undefined) {
    throw new UsageError(`Unknown protocol '${first}': say '${elsewhere}'`);
  }
  const { synonym } = await import("./advice/first_word.ts");
  const near = nearest(first.toLowerCase(), names) ?? synonym(first, names);
  if (near !== undefined) {
    throw new UsageError(`Unknown protocol '${first}'; did you mean ${near}?`);
  }
  const next = args[1]?.startsWith("-") ? undefined : args[1];
  const instead = [`there is: ${names.join(", ")}`, (await advice())(first, next) ?? []].flat();
  throw new UsageError(`Unknown protocol '${first}'; ${instead.join("; ")}`);
}
