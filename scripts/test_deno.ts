// The tests on Deno that a change can break: those that reach a changed file through their imports
// or name it. Or those in files whose paths contain one of the words, or all, or all that are quick.
//
//   deno task test [--all | --quick | WORD...]

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { skippedIn } from "../tests/support/programs.ts";
import { must, ROOT, run } from "./program.ts";

/** More than 10 times what all takes on a quiet machine with two cores. */
const DEADLINE_MS = 1_800_000;

const TESTS = join(ROOT, "tests");

/** What every test depends on. */
const CONFIGURATION: readonly string[] = [
  "deno.json",
  "deno.lock",
  "examples/deno.json",
  "tests/deno.json",
  ".dvmrc",
];

/** Folders of tests that take long: whole programs, beside others. They are not quick. */
const SLOW: readonly string[] = [
  "browser",
  "examples",
  "package",
  "reliability",
  "simulate",
  "workers",
].map((folder) => `${join(TESTS, folder)}/`);

/** What differs from the last commit, new files included, as paths from the root. */
async function changedFiles(): Promise<string[]> {
  const lists = await Promise.all([
    must(["git", "diff", "--name-only", "HEAD"]),
    must(["git", "ls-files", "--others", "--exclude-standard"]),
  ]);
  return lists.flatMap((list) => list.split("\n")).filter((path) => path !== "");
}

/** The files that each test file imports, itself included, directly or not. */
async function reachedBy(tests: readonly string[]): Promise<Map<string, Set<string>>> {
  mkdirSync(join(ROOT, ".node"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, ".node", "graph-"));
  try {
    const all = join(dir, "all.ts");
    writeFileSync(all, tests.map((path) => `import "${pathToFileURL(path)}";\n`).join(""));
    const graph = JSON.parse(await must([Deno.execPath(), "info", "--json", all]));
    const imports = new Map<string, string[]>();
    for (const { specifier, dependencies = [] } of graph.modules) {
      const targets = dependencies.flatMap((
        { code, type }: Record<string, { specifier?: string }>,
      ) => [code?.specifier, type?.specifier].filter((target) => target !== undefined));
      imports.set(specifier, targets);
    }
    return new Map(tests.map((test) => [test, reachable(String(pathToFileURL(test)), imports)]));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function reachable(from: string, imports: ReadonlyMap<string, string[]>): Set<string> {
  const found = new Set([from]);
  for (const specifier of found) for (const next of imports.get(specifier) ?? []) found.add(next);
  const files = [...found].filter((specifier) => specifier.startsWith("file:"));
  return new Set(files.map((specifier) => fileURLToPath(specifier)));
}

/** The test files that a changed file can make fail. */
async function testsFor(changed: readonly string[], tests: readonly string[]): Promise<string[]> {
  const paths = changed.map((path) => join(ROOT, path));
  // What a test starts as a process, or reads, is named in it: `"docs/semantics.md"`, and examples
  // and the tutorial by their folder.
  const folders = ["examples/", "docs/tutorial/"];
  const names = changed.map((path) =>
    folders.find((folder) => path.startsWith(folder)) ?? `"${path}"`
  );
  const reached = await reachedBy(tests);
  return tests.filter((test) => {
    const files = reached.get(test)!;
    if (paths.some((path) => files.has(path))) return true;
    const ours = [...files].filter((file) => file.startsWith(TESTS) && existsSync(file))
      .map((file) => readFileSync(file, "utf8"));
    return names.some((name) => ours.some((text) => text.includes(name)));
  });
}

const { values: { all, quick }, positionals: words } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const tests = (await must(["git", "ls-files", "--cached", "--others", "--exclude-standard"]))
  .split("\n")
  // All but the one that reports what was skipped, as this script does.
  .filter((path) => path.endsWith("_test.ts") && !path.endsWith("/zz_skipped_test.ts"))
  .filter((path) => existsSync(join(ROOT, path))).sort()
  .map((path) => join(ROOT, path));

async function chosen(): Promise<string[]> {
  if (all) return tests;
  if (quick) return tests.filter((path) => !SLOW.some((folder) => path.startsWith(folder)));
  if (words.length > 0) {
    return tests.filter((path) => words.some((word) => relative(ROOT, path).includes(word)));
  }
  const changed = await changedFiles();
  if (changed.some((path) => CONFIGURATION.includes(path))) return tests;
  if (changed.some((path) => path.endsWith(".node.ts"))) {
    console.log("What is for Node has changed: deno task test:node runs the tests there.");
  }
  return changed.length === 0 ? [] : await testsFor(changed, tests);
}

const files = await chosen();
if (files.length === 0) {
  console.log(
    words.length > 0
      ? `No test file has '${words.join("' or '")}' in its path.`
      : "No test reaches a file that has changed since the last commit. --all runs all.",
  );
  process.exit(words.length > 0 ? 1 : 0);
}
// Files share nothing, and most of a test's time is waiting.
const jobs = String(2 * availableParallelism());
const colour: Record<string, string> = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
// Whoever wants it quick has the types checked beside it.
const flags = ["-A", "--parallel", ...quick ? ["--no-check"] : []];
const { code, output } = await run(
  [Deno.execPath(), "test", ...flags, ...files],
  {
    env: { DENO_JOBS: jobs, ...colour },
    deadline: DEADLINE_MS,
    onOutput: (text) => void process.stdout.write(text),
  },
);
const skipped = skippedIn(stripVTControlCharacters(output));
if (skipped !== undefined) console.log(skipped);
if (quick) console.log(`Left out: ${SLOW.map((path) => relative(ROOT, path)).join(", ")}`);
process.exit(code);
