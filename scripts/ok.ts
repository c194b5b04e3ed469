// Everything that CI does. The steps of a lane run one after the other, and the lanes beside each
// other; a step that fails does not stop the others. The last line counts what all of them reported.
//
//   deno task ok [--quick]

import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { failuresIn, lastLines } from "./failures.ts";
import { ROOT, run } from "./program.ts";
import { type Counts, Report } from "./report.ts";

/** More than 5 times what the longest step takes on a quiet machine with two cores. */
const DEADLINE_MS = 3_000_000;

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

/** The command by which the README runs the tests, word for word, since that is what people type. */
function readmeTestCommand(): string[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const command = /^npx --yes deno@\S+ test [^#\n]+/m.exec(readme)?.[0].trim();
  return command?.split(" ") ?? ["sh", "-c", "echo README.md has no test command; exit 1"];
}

function task(name: string, ...args: string[]): Step {
  return { name, command: [Deno.execPath(), "task", name, ...args] };
}

/** A minute under a load that takes little processor time: CI has none to spare. */
const SOAK_FLAGS = ["--on", "deno", "--seconds", "60", "--pause", "5"];
const SOAK_LOAD = ["--idle", "500", "--active", "200", "--opened", "2000"];

const LINT = [task("fmt"), task("lint"), task("check")];

/** All of it: tests wait as much as they compute, and the rest runs beside them. */
const LANES: readonly (readonly Step[])[] = [
  [{ name: "test", command: readmeTestCommand() }],
  [task("test:node")],
  [
    ...LINT,
    task("doc"),
    task("publish:check"),
    task("build:npm", "--builder", "typescript"),
    task("check:npm"),
    task("soak", ...SOAK_FLAGS, ...SOAK_LOAD),
    task("audit"),
  ],
];

/** What is worth waiting for before a commit. */
const QUICK_LANES: readonly (readonly Step[])[] = [[task("test", "--quick")], LINT];

/** What a step counted, in Deno's words or our own; a step that does not count is one. */
function count(code: number, output: string): Counts {
  const last = [...output.matchAll(/(\d+) passed[^|,\n]*[|,] (\d+) failed/g)].at(-1);
  if (last === undefined) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const [passed, failed] = [Number(last[1]), Number(last[2])];
  const hollow = code !== 0 || passed === 0;
  return { passed, failed: failed === 0 && hollow ? 1 : failed };
}

/** How many failures of a step the end names. */
const MAX_FAILURES = 20;

/** Says what failed in a step, on which runtime, and why. */
function failureLines(step: string, printed: string): string[] {
  const found = failuresIn(printed).slice(0, MAX_FAILURES);
  const indented = (lines: readonly string[]) => lines.map((line) => `    ${line}`);
  if (found.length === 0) {
    return [`not ok ${step}. Its last lines:`, ...indented(lastLines(printed))];
  }
  return found.flatMap(({ runtime, name, lines }) => [
    `not ok ${step}: ${runtime === undefined ? "" : `${runtime}: `}${name}`,
    ...indented(lines),
  ]);
}

/** Passes on what a step prints, a line at a time and with its name before it. */
class NamedOutput {
  readonly #name: string;
  #rest = "";

  constructor(name: string) {
    this.#name = name;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) console.log(`${this.#name} | ${line}`);
  }

  /** Prints a last line that has no end. */
  end(): void {
    if (this.#rest !== "") this.add("\n");
  }
}

/**
 * The environment of the steps, in which `python3` is Python. Elsewhere it may be a script that chooses
 * one (pyenv's is), which takes several times as long as most of what tests do with it.
 */
async function environment(): Promise<Record<string, string>> {
  const program = "import os, sys; print(os.path.dirname(sys.executable))";
  const { code, stdout } = await run(["python3", "-c", program]);
  const path = process.env.PATH ?? "";
  const folder = stdout.trim();
  if (code !== 0 || path.split(delimiter).includes(folder)) return {};
  return { PATH: `${folder}${delimiter}${path}` };
}

const { quick } = parseArgs({ options: { quick: { type: "boolean", default: false } } }).values;
const env = await environment();
const report = new Report();
const summary: string[] = [];
const skipped = new Set<string>();
const failures: string[] = [];

const secondsSoFar = () => process.uptime().toFixed(0);

async function runStep({ name, command }: Step): Promise<void> {
  console.log(`${name} | ${command.join(" ")}`);
  const start = secondsSoFar();
  const output = new NamedOutput(name);
  const ended = await run(command, {
    env,
    deadline: DEADLINE_MS,
    onOutput: (text) => output.add(text),
  });
  output.end();
  const printed = stripVTControlCharacters(ended.output);
  const counts = count(ended.code, printed);
  for (const [line] of printed.matchAll(/^\d+ tests? (was|were) skipped, .*$/gm)) {
    skipped.add(`${name}: ${line}`);
  }
  if (counts.failed > 0) failures.push(...failureLines(name, printed));
  report.add(counts);
  summary.push(
    `${counts.failed === 0 ? "ok    " : "not ok"} ${name.padEnd(14)} ` +
      `${counts.passed} passed, ${counts.failed} failed (from ${start} s to ${secondsSoFar()} s)`,
  );
}

await Promise.all((quick ? QUICK_LANES : LANES).map(async (lane) => {
  for (const step of lane) await runStep(step);
}));
console.log(
  `\n${[...summary, ...skipped, ...failures].join("\n")}\n\n${secondsSoFar()} s in all`,
);
report.end();
