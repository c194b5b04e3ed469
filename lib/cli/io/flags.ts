/**
 * Command-line flags: declared once, parsed by `node:util`, checked, and shown by `--help`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { parseDuration } from "../../base/duration.ts";
import { nearest } from "../../base/nearest.ts";
import { parseSize } from "../../base/size.ts";

/** The command line asks for something that is not there. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One flag. Without `arg` it is a switch. */
export interface Flag<T> {
  /** One letter. */
  readonly short?: string;
  /** The name of its value in the help. */
  readonly arg?: string;
  readonly help: string;
  readonly fallback: T;
  /** The name of a flag without which this one means nothing. */
  readonly needs?: string;
  /** Whether its value may be a secret, which is left out of recordings. Default: false. */
  readonly secret?: boolean;
  /**
   * Turns the text given into the value, or throws a {@linkcode UsageError} that says what it takes.
   * `sofar` is the value of what stood before on the command line: the last one wins, or all count.
   */
  parse(text: string, sofar: T): T;
}

/** A set of flags by name. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The values of a set of flags. */
export type Values<F> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

export function toggle(help: string, short?: string): Flag<boolean> {
  return { short, help, fallback: false, parse: () => true };
}

export function text(arg: string, fallback: string, help: string, short?: string): Flag<string> {
  return { short, arg, help, fallback, parse: (value) => value };
}

/** The path of a file. An empty one is a mistake, as of a variable in a script that is not set. */
export function path(help: string, arg = "PATH"): Flag<string> {
  const parse = (value: string) => {
    if (value !== "") return value;
    throw new UsageError("takes a path, not ''");
  };
  return { arg, help, fallback: "", parse };
}

/** A flag that may be given again and again: all of its values, in order. */
export function list(arg: string, help: string, short?: string): Flag<readonly string[]> {
  return { short, arg, help, fallback: [], parse: (value, sofar) => [...sofar, value] };
}

/** A flag without a fallback: its value shows whether it was given. */
export function optional<T>(flag: Flag<T>): Flag<T | undefined> {
  return {
    ...flag,
    fallback: undefined,
    parse: (text, sofar) => flag.parse(text, sofar ?? flag.fallback),
  };
}

/** A flag that means nothing without the one that `needs` names. */
export function needing<T>(needs: string, flag: Flag<T>): Flag<T> {
  return { ...flag, needs };
}

/** A whole number from `min` to `max`. */
export function integer(
  arg: string,
  [min, max]: readonly [number, number],
  fallback: number,
  help: string,
): Flag<number> {
  const parse = (value: string) => {
    const n = /^\d+$/.test(value) ? Number(value) : NaN;
    if (n >= min && n <= max) return n;
    throw new UsageError(`takes a whole number from ${min} to ${max}, not '${value}'`);
  };
  return { arg, help, fallback, parse };
}

/** A number of bytes from `min` to `max`, which may have a unit, as `64K` and `10MB` have. */
export function size(
  [min, max]: readonly [number, number],
  fallback: number,
  help: string,
): Flag<number> {
  const parse = (value: string) => {
    const n = parseSize(value);
    if (n !== undefined && Number.isInteger(n) && n >= min && n <= max) return n;
    throw new UsageError(
      `takes a whole number from ${min} to ${max}, not '${value}'; it may have a unit: 64K, 10MB, 1GiB`,
    );
  };
  return { arg: "BYTES", help, fallback, parse };
}

/**
 * A number of seconds, or of another unit that stands after it, with fractions, as milliseconds. A
 * timer takes 24 days at the most.
 */
export function seconds(fallback: number, help: string): Flag<number> {
  const parse = (value: string) => {
    const ms = parseDuration(value, "s");
    if (ms !== undefined && ms <= 2_000_000_000) return ms;
    throw new UsageError(
      `takes a number of seconds from 0 to 2000000, not '${value}'; it may have a unit: 500ms, 5m, 1h`,
    );
  };
  return { arg: "SECONDS", help, fallback: fallback * 1000, parse };
}

/** One of several words. */
export function choice<T extends string>(words: readonly T[], fallback: T, help: string): Flag<T> {
  const parse = (value: string) => {
    const word = words.find((word) => word === value);
    if (word !== undefined) return word;
    throw new UsageError(`takes ${words.join(" or ")}, not '${value}'`);
  };
  return { arg: words.join("|"), help, fallback, parse };
}

/** Advice for options of other programs, by what users type. */
export type Hints = Readonly<Record<string, string>>;

/** A command line that has been read. */
export interface Parsed<F extends Flags> {
  readonly values: Values<F>;
  readonly positionals: string[];
  /** The names of the flags that it has. */
  readonly given: ReadonlySet<string>;
}

/** Reads a command line. Throws a {@linkcode UsageError} for a flag or value that is not right. */
export function parseFlags<F extends Flags>(
  flags: F,
  args: readonly string[],
  hints: Hints = {},
): Parsed<F> {
  const { tokens, positionals } = takenApart(flags, args);
  const values: Record<string, unknown> = {};
  for (const [name, { fallback }] of Object.entries(flags)) values[name] = fallback;
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const whole = longWithOneDash(args[token.index], flags);
    if (whole !== undefined) throw new UsageError(`Unknown option -${whole}: say --${whole}`);
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (flag === undefined) throw new UsageError(unknown(rawName, flags, hints));
    if (flag.arg === undefined && value !== undefined) {
      throw new UsageError(`Option ${rawName} takes no value`);
    }
    if (flag.arg !== undefined && value === undefined) {
      throw new UsageError(`Option ${rawName} needs a value: ${rawName} ${flag.arg}`);
    }
    values[name] = ofOption(rawName, () => flag.parse(value ?? "", values[name]));
    given.add(name);
  }
  return { values: values as Values<F>, positionals, given };
}

/** Takes a command line apart as `node:util` does, which knows the flags. */
function takenApart(flags: Flags, args: readonly string[]) {
  return parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { short, arg }]) => [
        name,
        {
          type: arg === undefined ? "boolean" : "string",
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
  });
}

/** The arguments with `***` for the values of secret flags, however they are written, and in URLs. */
export function withoutSecrets(flags: Flags, args: readonly string[]): string[] {
  const shown = [...args];
  for (const token of takenApart(flags, args).tokens) {
    if (token.kind !== "option" || !token.value || !flags[token.name]?.secret) continue;
    // As in `-u me:secret`, `-ume:secret`, `-vu me:secret` and `--user=me:secret`.
    const at = token.inlineValue ? token.index : token.index + 1;
    shown[at] = `${shown[at].slice(0, -token.value.length)}***`;
  }
  return shown.map((arg) => arg.replace(/(:\/\/)[^/?#]*@/g, "$1***@"));
}

/** Has a {@linkcode UsageError} tell which option it is about: `option` is as users write it. */
export function ofOption<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Option ${option} ${error.message}`);
  }
}

/** Throws a {@linkcode UsageError} for a flag that is given without the one that it needs. */
export function checkNeeds<F extends Flags>(flags: F, { values, given }: Parsed<F>): void {
  for (const name of given) {
    const { needs } = flags[name];
    if (needs === undefined || values[needs] !== flags[needs].fallback) continue;
    throw new UsageError(`Option --${name} needs --${needs}`);
  }
}

/** The name of a flag that stands after one dash, as `-help`, which is `-h -e -l -p` by the rules. */
function longWithOneDash(arg: string, flags: Flags): string | undefined {
  const [, name = ""] = /^-(\w[\w-]+)(?:=|$)/.exec(arg) ?? [];
  return Object.hasOwn(flags, name) ? name : undefined;
}

function unknown(rawName: string, flags: Flags, hints: Hints): string {
  const wrong = `Unknown option ${rawName}`;
  const name = rawName.replace(/^-+/, "");
  const isLong = rawName.startsWith("--");
  // `--p` means `-p`, and long names have no capitals.
  const meant = isLong ? name.length === 1 ? `-${name}` : rawName.toLowerCase() : rawName;
  const hint = [rawName, meant].find((option) => Object.hasOwn(hints, option));
  if (hint !== undefined) return `${wrong}: ${hints[hint]}`;
  if (isLong && name.length === 1) {
    const own = Object.keys(flags).find((flag) => flags[flag].short === name);
    if (own !== undefined) return `${wrong}; did you mean ${bothNames(flags, own)}?`;
  }
  const near = nearest(name.toLowerCase(), Object.keys(flags));
  return wrong + (near === undefined ? "" : `; did you mean --${near}?`);
}

/** Returns both names of a flag, for messages where the typed one is not known. */
export function bothNames(flags: Flags, name: string): string {
  const { short } = flags[name];
  return short === undefined ? `--${name}` : `-${short} (--${name})`;
}

/** The text of the help about values with units, by the name of the value. */
const UNITS_HELP: Readonly<Record<string, string>> = {
  BYTES: "BYTES may have a unit: 64K and 64KiB are 65536, 10MB is 10000000.",
  SECONDS: "SECONDS may have another unit: 500ms, 5m, 1h.",
};

/** The flags as lines of the help. */
export function renderFlags(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, { short, arg, help }]) => {
    const usage = `${short === undefined ? "    " : `-${short}, `}--${name}`;
    return [arg === undefined ? usage : `${usage} ${arg}`, help] as const;
  });
  const width = Math.max(...rows.map(([usage]) => usage.length)) + 2;
  const lines = rows.map(([usage, help]) => `  ${usage.padEnd(width)}${help}`).join("\n");
  const taken = new Set(Object.values(flags).map(({ arg = "" }) => arg));
  const units = Object.keys(UNITS_HELP).filter((arg) => taken.has(arg)).map((arg) =>
    UNITS_HELP[arg]
  );
  return units.length === 0 ? lines : `${lines}\n\n${units.join("\n")}`;
}
