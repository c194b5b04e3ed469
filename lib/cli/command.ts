/**
 * What a script can be told to do: its protocols, each with flags, help and a `main` of its own.
 *
 * @module
 */

import { printVersion } from "./common.ts";
import { EXIT } from "./exit.ts";
import {
  checkNeeds,
  type Flags,
  type Hints,
  parseFlags,
  UsageError,
  type Values,
} from "./flags.ts";
import { nearest } from "./nearest.ts";
import { print } from "./print.ts";
import { helpAsCalled } from "./program.ts";

/**
 * Takes the arguments behind its name, or, if it is not `named`, all of them; resolves to the exit
 * code.
 */
export type Command = (args: readonly string[], named: boolean) => Promise<number>;

/** The commands of a script by name. They are loaded when they are called for. */
export type Commands = Readonly<Record<string, () => Promise<Command>>>;

/** What {@linkcode command} makes a command of. */
export interface CommandInit<F extends Flags> {
  /** The protocol, as the command line has it. */
  readonly name: string;
  /** Its flags, the general ones included. */
  readonly flags: F & Flags;
  /** What `--help` prints. */
  readonly help: string;
  /** What to say of options that it has not. Default: nothing. */
  readonly hints?: Hints;
  /** Does the work. Errors that users can meet are thrown: UsageError, SocketError, CliError. */
  readonly run: (values: Values<F>, positionals: string[]) => Promise<number>;
}

/** Makes a command, which answers `--help` and `--version` by itself. */
export function command<F extends Flags>(
  { name, flags, help, hints, run }: CommandInit<F>,
): Command {
  return async (args, named) => {
    const parsed = parseFlags(flags, args, hints);
    const { values, positionals } = parsed;
    if (values.help) return await print(helpAsCalled(help)), EXIT.ok;
    if (values.version) return await printVersion(), EXIT.ok;
    checkNeeds(flags, parsed);
    // Behind flags, as in `--port 7 echo hello`, a name may still come.
    if (!named && positionals[0] === name) positionals.shift();
    return await run(values, positionals);
  };
}

/** Turns `help web` and `--help web` into `web --help`. */
export function helpLast(args: readonly string[]): readonly string[] {
  const [first, ...rest] = args;
  return ["help", "--help", "-h"].includes(first) ? [...rest, "--help"] : args;
}

/**
 * Finds the command that `args` begin with. Without a name there it is the first of `commands`, or,
 * if there is a URL among them, `forUrl`.
 */
export function choose(
  args: readonly string[],
  commands: Commands,
  forUrl?: string,
): { name: string; named: boolean } {
  const names = Object.keys(commands);
  const [first = ""] = args;
  if (names.includes(first)) return { name: first, named: true };
  const isName = first !== "" && !first.startsWith("-");
  if (forUrl !== undefined && args.some((arg) => /^http(s|\+unix)?:\/\//i.test(arg))) {
    if (!isName || first.includes("://")) return { name: forUrl, named: false };
  }
  if (isName) {
    const asUrl = forUrl !== undefined && /[.:/]/.test(first)
      ? `; or say '${forUrl} ${first}'`
      : "";
    const near = nearest(first, names);
    throw new UsageError(
      near === undefined
        ? `Unknown protocol '${first}'; there is: ${names.join(", ")}${asUrl}`
        : `Unknown protocol '${first}'; did you mean ${near}?`,
    );
  }
  return { name: names[0], named: false };
}
