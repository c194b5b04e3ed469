/**
 * The command line that all benches have: their flags, what they print first, and how they fail.
 *
 * @module
 */

import { availableParallelism, cpus, release } from "node:os";
import process from "node:process";
import { EXIT } from "../../lib/cli/io/exit.ts";
import {
  type Flag,
  type Flags,
  integer,
  optional,
  parseFlags,
  renderFlags,
  toggle,
  UsageError,
  type Values,
} from "../../lib/cli/io/flags.ts";
import { killAll } from "./children.ts";
import { Missing } from "./tools.ts";

/** What can be chosen on the command line. */
export interface Named {
  readonly name: string;
}

/** Some of the items, by their names; all if the flag is not given. */
export function names(items: readonly Named[], help: string): Flag<readonly string[]> {
  const known = items.map(({ name }) => name);
  const parse = (text: string) => {
    const wanted = text.split(",");
    const wrong = wanted.find((name) => !known.includes(name));
    if (wrong === undefined) return wanted;
    throw new UsageError(`takes names by comma, not '${wrong}': choose from ${listed(items)}`);
  };
  return { arg: "NAMES", help: `${help}, by comma`, fallback: known, parse };
}

/** All names, for the help. */
export function listed(items: readonly Named[]): string {
  return items.map(({ name }) => name).join(", ");
}

/** Those of the items that were chosen. */
export function chosen<T extends Named>(items: readonly T[], names: readonly string[]): T[] {
  return items.filter(({ name }) => names.includes(name));
}

/** A number from 1; it is undefined if not given, since a quick run has another default. */
export function count(arg: string, normally: number, help: string): Flag<number | undefined> {
  return optional(integer(arg, [1, 999_999], normally, `${help} (default ${normally})`));
}

/** The flag `--no-pin`. */
export const NO_PIN: Flag<boolean> = toggle("let the scheduler choose the cores");

/** The mistake of choosing servers and cases that have nothing to do with each other. */
export function nothingChosen(): UsageError {
  return new UsageError("None of these servers is measured in one of these cases");
}

/** A bench, as its command line has it. */
export interface Bench<F extends Flags> {
  /** Its name: `deno task NAME`. */
  readonly task: string;
  /** A sentence for the help: what it measures. */
  readonly about: string;
  /** Its flags, without `--help`. */
  readonly flags: F;
  /** What the help has below the flags. */
  readonly notes: string;
  /** Measures and prints; resolves to the exit code. Throws {@linkcode Missing}. */
  readonly measure: (values: Values<F>, say: (text: string) => void) => Promise<number>;
}

/** Where a bench prints what is not a measurement: its help, and what it says meanwhile. */
export interface Streams {
  readonly print: (text: string) => void;
  readonly say: (text: string) => void;
}

/** Runs a bench with the arguments of its command line; resolves to the exit code. */
export type Run = (args: readonly string[], streams: Streams) => Promise<number>;

/** Makes a bench. However a run of it ends, nothing that it started is left. */
export function bench<F extends Flags>(of: Bench<F>): Run {
  return async (args, streams) => {
    const say = (text: string): void => streams.say(`${of.task}: ${text}`);
    try {
      return await run(of, args, { ...streams, say });
    } catch (error) {
      if (error instanceof UsageError) {
        say(`${error.message}. See 'deno task ${of.task} --help'.`);
        return EXIT.usage;
      }
      if (!(error instanceof Missing)) throw error;
      say(error.message);
      return 1;
    } finally {
      killAll();
    }
  };
}

/** Runs a bench as the command line of this process says. */
export async function runBench(run: Run): Promise<void> {
  process.exitCode = await run(process.argv.slice(2), { print: console.log, say: console.error });
}

async function run<F extends Flags>(
  { task, about, flags, notes, measure }: Bench<F>,
  args: readonly string[],
  { print, say }: Streams,
): Promise<number> {
  const all = { ...flags, help: toggle("this text", "h") };
  const { values, positionals } = parseFlags(all, args);
  if (positionals.length > 0) {
    throw new UsageError(`Options only, not '${positionals[0]}'`);
  }
  if (values.help) {
    print(`${about}\n\nusage: deno task ${task} [options]\n\n${renderFlags(all)}\n\n${notes}`);
    return EXIT.ok;
  }
  if (process.platform !== "linux") throw new Missing("it reads /proc: it needs Linux");
  return await measure(values, say);
}

/** What a report begins with: the machine, how it was measured there, and what a quick run is. */
export function opening(quick: boolean, how = ""): string {
  const model = cpus()[0]?.model ?? "an unknown processor";
  const kernel = release().split("-")[0];
  const cores = availableParallelism();
  const machine = `Deno ${Deno.version.deno}, ${cores} cores (${model}), Linux ${kernel}.`;
  const note = "A quick run, to see that the bench works: conclude nothing from it.";
  return `${machine} ${how}`.trimEnd() + (quick ? `\n\n${note}\n` : "\n");
}
