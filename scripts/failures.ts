// What failed, and why, read from what test runners print: Deno's own, Node's TAP, Bun's, and
// scripts/report.ts.

import { stripVTControlCharacters } from "node:util";

/** A test or a check that failed. */
export interface Failure {
  /** The runtime on which it failed, if the output names one. */
  readonly runtime?: string;
  readonly name: string;
  /** Where it failed, if the output says so, and the first lines of the error. */
  readonly lines: readonly string[];
}

/** How many lines of an error are of use in a list of failures. */
const MAX_LINES = 8;

/** The line with which scripts/test_node.ts ends what a runtime has printed. */
const COUNTS = /^(.+) \| \d+ passed \| \d+ failed$/gm;

/** Returns the failures in what a step has printed, in their order. */
export function failuresIn(output: string): Failure[] {
  const text = stripVTControlCharacters(output);
  const found: Failure[] = [];
  let start = 0;
  for (const { 0: line, 1: runtime, index } of text.matchAll(COUNTS)) {
    for (const failure of failuresOf(text.slice(start, index))) found.push({ ...failure, runtime });
    start = index + line.length;
  }
  return [...found, ...failuresOf(text.slice(start))];
}

function failuresOf(text: string): Failure[] {
  return [...reported(text), ...deno(text), ...bun(text)];
}

/** Returns the last lines of what was printed. */
export function lastLines(output: string): string[] {
  return stripVTControlCharacters(output).split("\n").filter((line) => line.trim() !== "")
    .slice(-MAX_LINES);
}

/** A test file and a line of it, in a stack; what is compiled lies in another folder. */
const PLACE = /\b(?:bench|scripts|tests)\/(?!out\/)\S+_test\.[jt]s:\d+/;

/** A failure, from an error's message with or without its stack. */
function failure(name: string, error: string): Failure {
  const [message] = error.split(/^ *at /m, 1);
  const lines = message.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const place = PLACE.exec(error)?.[0];
  return { name, lines: [...place === undefined ? [] : [place], ...lines].slice(0, MAX_LINES) };
}

/** Lines `not ok`, and below each what TAP or scripts/report.ts says of it. */
function* reported(text: string): Generator<Failure> {
  const failed = /^( *)not ok (?:\d+ )?- (.+)\n((?:\1 +.*\n|\n)*)/gm;
  for (const { 2: name, 3: details, index } of text.matchAll(failed)) {
    if (details.trimStart().startsWith("---")) {
      yield failure(name.replaceAll("\\#", "#"), tapError(details, text.slice(0, index)));
    } else {
      yield failure(name, withoutIndent(details));
    }
  }
}

const withoutIndent = (lines: string) => lines.replaceAll(/^ {4}/gm, "");

/** The error and the stack in what TAP says of a test. */
function tapError(details: string, before: string): string {
  const error = /^ *error: (?:(['"`])(.*)\1|\|-\n((?: {4}.*\n)+))/m;
  const [, , line, lines = ""] = error.exec(details) ?? [];
  if (line === "test failed") {
    // A file that did not load has printed why, which TAP has as comments before it.
    const printed = /(?:^# .*\n)+(?![^])/m.exec(before)?.[0].replaceAll(/^# /gm, "") ?? line;
    return printed.slice(Math.max(0, printed.search(/^\w*Error\b/m)));
  }
  const stack = /^ *stack: [^]*/m.exec(details)?.[0].replace("stack:", "at") ?? "";
  return `${line ?? withoutIndent(lines)}\n${stack}`;
}

/** The tests below the line ERRORS, each with its error, up to the line FAILURES. */
function* deno(text: string): Generator<Failure> {
  const [, errors = ""] = /^ ERRORS $([^]*?)^ FAILURES $/m.exec(text) ?? [];
  const head = /^(.+?)(?: => \S+:\d+:\d+| \(uncaught error\))\nerror: /m;
  // What precedes the first head, and then a name and an error by turns.
  const [, ...parts] = errors.split(head);
  for (let i = 0; i < parts.length; i += 2) yield failure(parts[i], parts[i + 1]);
}

/** Errors, each below lines of code with a mark, and above the name of its test or a line. */
function* bun(text: string): Generator<Failure> {
  const parts = text.split(/^(\(\w+\) .+|-{31})$/m);
  for (let i = 1; i < parts.length; i += 2) {
    const error = /^ +\^\n([^]*)/m.exec(parts[i - 1])?.[1];
    const name = /^\(fail\) (.+?)(?: \[[\d.]+m?s\])?$/.exec(parts[i])?.[1];
    if (name !== undefined) yield failure(name, error ?? "");
    else if (parts[i].startsWith("-") && error !== undefined) yield failure("a file", error);
  }
}
