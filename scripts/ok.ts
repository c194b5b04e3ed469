// Everything that CI does, step after step: a failed one does not stop the others. The last line
// counts what all of them reported.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ROOT, run } from "./program.ts";
import { type Counts, Report } from "./report.ts";

const DEADLINE_MS = 900_000;

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

/** The command by which the README runs the tests, word for word, since that is what people type. */
function readmeTestCommand(): string[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const command = /^npx --yes deno@\S+ test -A/m.exec(readme)?.[0];
  return command?.split(" ") ?? ["sh", "-c", "echo README.md has no test command; exit 1"];
}

function task(name: string, ...args: string[]): Step {
  return { name, command: [Deno.execPath(), "task", name, ...args] };
}

const STEPS: readonly Step[] = [
  { name: "test", command: readmeTestCommand() },
  task("fmt"),
  task("lint"),
  task("check"),
  task("doc"),
  task("publish:check"),
  task("test:node"),
  task("build:npm", "--builder", "deno2node"),
];

/** What a step counted, in Deno's words or our own; a step that does not count is one. */
function count(code: number, output: string): Counts {
  const last = [...output.matchAll(/(\d+) passed[^|,\n]*[|,] (\d+) failed/g)].at(-1);
  if (last === undefined) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const [passed, failed] = [Number(last[1]), Number(last[2])];
  const hollow = code !== 0 || passed === 0;
  return { passed, failed: failed === 0 && hollow ? 1 : failed };
}

/** Passes on what a step prints with a bar before each line, so that it is not taken for ours. */
function barred(): (text: string) => void {
  let midLine = false;
  return (text) => {
    for (const part of text.split(/(?<=\n)/)) {
      if (part === "") continue;
      Deno.stdout.writeSync(new TextEncoder().encode(midLine ? part : `| ${part}`));
      midLine = !part.endsWith("\n");
    }
  };
}

const report = new Report();
const summary: string[] = [];
for (const { name, command } of STEPS) {
  console.log(`\n${command.join(" ")}`);
  const start = performance.now();
  const ended = await run(command, { deadline: DEADLINE_MS, onOutput: barred() });
  const counts = count(ended.code, stripVTControlCharacters(ended.output));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  report.add(counts);
  summary.push(
    `${counts.failed === 0 ? "ok    " : "not ok"} ${name.padEnd(14)} ` +
      `${counts.passed} passed, ${counts.failed} failed (${seconds} s)`,
  );
}
console.log(`\n${summary.join("\n")}\n`);
report.end();
