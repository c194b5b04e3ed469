// The tests, compiled for Node, on the other runtimes: all of them, or those in files whose paths in
// tests/ contain one of the words.
//
//   deno task test:node [--on 20|26|24|bun]... [WORD...]

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { skippedIn } from "../tests/support/programs.ts";
import { compileTests } from "./compile.ts";
import { ROOT, run } from "./program.ts";
import { type Counts, Report } from "./report.ts";
import { bun, NO_EXTRA_AUTHORITIES, node, type Runtime } from "./runtimes.ts";

/** More than 10 times what one runtime takes on a quiet machine with two cores. */
const DEADLINE_MS = 1_800_000;

/** Files that share nothing run at the same time. Most of a test's time is waiting. */
const CONCURRENCY = 3 * availableParallelism();

/**
 * The folders of tests/ that Node 24 and Bun run: what touches sockets, TLS, HTTP or workers. All else
 * runs on the oldest Node and the newest: values and texts, whose JavaScript does the same on each of
 * them; the programs, which are not for Bun, where some messages about certificates differ and a full
 * disk behind stdout is not noticed; the examples, what is published, and Chromium.
 */
const SOCKETS =
  /^(contract|faults|files|frames|http|library|metrics|net|observe|protocols|proxy_protocol|serve|testing|workers)\//;

/**
 * The files that have a process of their own on Node: they start programs, count what a process has, or
 * measure how a cost grows. Others share one, as all do on Deno and Bun: it takes a quarter of a second
 * of processor time to load the library, and more to load the programs.
 */
const ALONE = /^(browser|examples|package|reliability|workers)\/|\/(growth|web_types|replay)_test/;

/** What a file of cli/ names if it starts our programs as processes, and not with main(args, io) only. */
const STARTS_PROGRAMS =
  /\b(programCommand|startServerProcess|startClientProcess|startService|testInNamespace)\b/;

/** The most files that share a process: a hang or a crash takes no more along. */
const MOST_TOGETHER = 8;

/** How a runtime's test runner is called, and how it reports. */
interface Runner {
  readonly runtime: Runtime;
  readonly args: readonly string[];
  /** Which test files it runs. */
  readonly runs: (file: string) => boolean;
  /** The files that it is given, which run those that were chosen. */
  readonly entries: (chosen: readonly string[]) => string[];
  readonly passed: RegExp;
  readonly failed: readonly RegExp[];
  readonly skipped: RegExp;
  /** Picks the failures from the output. */
  readonly failures: (output: string) => string;
}

function nodeRunner(runtime: Runtime, runs: (file: string) => boolean): Runner {
  return {
    runtime,
    args: [
      `--import=${new URL("untracked_tests.mjs", import.meta.url)}`,
      "--test",
      "--test-reporter=tap",
      `--test-concurrency=${CONCURRENCY}`,
    ],
    runs,
    entries: (chosen) => inProcesses(runtime.name.replace(" ", ""), chosen),
    passed: /^# pass (\d+)/m,
    failed: [/^# fail (\d+)/m, /^# cancelled (\d+)/m],
    skipped: /^# skipped (\d+)/m,
    // In TAP: a failed test's line and its details, up to a line of three dots; and as comments
    // what the tests themselves printed, which tells why a file did not load.
    failures: (output) =>
      output.match(/^ *not ok [^]*?^ *\.\.\.$|^# (?!Subtest: ).*$/gm)?.join("\n") ?? output,
  };
}

/** A third implementation of `node:net`; what differs there is in docs/semantics.md. */
function bunRunner(runtime: Runtime): Runner {
  return {
    runtime,
    args: ["test"],
    runs: (file) => SOCKETS.test(file),
    entries: (chosen) => [...chosen],
    passed: /^ *(\d+) pass$/m,
    failed: [/^ *(\d+) fail$/m, /^ *(\d+) errors?$/m],
    skipped: /^ *(\d+) skip$/m,
    failures: (output) => output,
  };
}

function isAlone(file: string): boolean {
  if (!file.startsWith("cli/")) return ALONE.test(file);
  return STARTS_PROGRAMS.test(readFileSync(join(ROOT, folder, "tests", file), "utf8"));
}

/** Writes modules into tests/NAME that import the files which share a process; returns all entries. */
function inProcesses(name: string, chosen: readonly string[]): string[] {
  const groups = Map.groupBy(chosen, (file) => isAlone(file) ? file : file.split("/", 1)[0]);
  mkdirSync(join(ROOT, folder, "tests", name), { recursive: true });
  return [...groups].flatMap(([group, files]) => {
    const processes = Math.ceil(files.length / MOST_TOGETHER);
    return Array.from({ length: processes }, (_, i) => {
      const together = files.filter((_, j) => j % processes === i);
      if (together.length === 1) return together[0];
      const path = `${name}/${group}_${i + 1}.js`;
      const imports = together.map((file) => `import "../${file}";\n`);
      writeFileSync(join(ROOT, folder, "tests", path), imports.join(""));
      return path;
    });
  });
}

const RUNNERS: Readonly<Record<string, () => Promise<Runner>>> = {
  "20": async () => nodeRunner(await node("20"), () => true),
  "26": async () => nodeRunner(await node("26"), () => true),
  "24": async () => nodeRunner(await node("24"), (file) => SOCKETS.test(file)),
  "bun": async () => bunRunner(await bun()),
};

function count(runner: Runner, code: number, output: string): Counts {
  const number = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  const passed = number(runner.passed);
  const failed = runner.failed.map(number).reduce((a, b) => a + b);
  const nothing = passed + number(runner.skipped) === 0;
  // A runner that ran nothing, or that fell over after the last test, has failed too.
  return { passed, failed: failed === 0 && (code !== 0 || nothing) ? 1 : failed };
}

const { values: { on }, positionals: words } = parseArgs({
  options: { on: { type: "string", multiple: true, default: Object.keys(RUNNERS) } },
  allowPositionals: true,
});
const unknown = on.find((name) => !Object.hasOwn(RUNNERS, name));
if (unknown !== undefined) {
  console.error(`--on takes ${Object.keys(RUNNERS).join(", ")}, not '${unknown}'`);
  process.exit(2);
}

const report = new Report();
let folder = "";
const compiled = await report.check("the sources compile for Node", async () => {
  folder = relative(ROOT, await compileTests());
});
if (!compiled) report.end();

/** All but the one that reports what was skipped, as this script does. */
const files = readdirSync(`${ROOT}/${folder}/tests`, { recursive: true, encoding: "utf8" }).filter((
  name,
) =>
  name.endsWith("_test.js") && name !== "zz_skipped_test.js" &&
  (words.length === 0 || words.some((word) => name.includes(word)))
).sort();

let all = "";

async function runOn(name: string): Promise<void> {
  const runner = await RUNNERS[name]();
  const chosen = files.filter(runner.runs);
  if (chosen.length === 0) return;
  const { runtime, args } = runner;
  const ended = await run(
    [runtime.path, ...args, ...runner.entries(chosen).map((name) => `./${folder}/tests/${name}`)],
    { env: { ...runtime.env, ...NO_EXTRA_AUTHORITIES }, deadline: DEADLINE_MS },
  );
  const output = stripVTControlCharacters(ended.output);
  const counts = count(runner, ended.code, output);
  if (counts.failed > 0) console.log(runner.failures(output));
  all += output;
  console.log(`${runtime.name} | ${counts.passed} passed | ${counts.failed} failed`);
  report.add(counts);
}

// Bun runs one file after the other, and so beside all the Nodes.
const [serial, parallel] = [
  on.filter((name) => name === "bun"),
  on.filter((name) => name !== "bun"),
];
await Promise.all([serial, parallel].map(async (names) => {
  for (const name of names) await runOn(name);
}));
const skipped = skippedIn(all);
if (skipped !== undefined) console.log(skipped);
report.end();
