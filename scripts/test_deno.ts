// The tests on Deno that a change can break: those that reach a changed file through their imports
// or name it. Or those in files whose names contain one of the words, or all.
//
//   deno task test [--all | WORD...]

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { must, ROOT } from "./program.ts";

const TESTS = join(ROOT, "tests");

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
  // What a test starts as a process, or reads, is named in it: without its ending, as for
  // `programCommand("examples/echo_server")`.
  const names = changed.map((path) => path.replace(/\.ts$/, ""))
    .filter((path) => path.includes("/") || path.endsWith(".md"));
  const reached = await reachedBy(tests);
  return tests.filter((test) => {
    const files = reached.get(test)!;
    if (paths.some((path) => files.has(path))) return true;
    const ours = [...files].filter((file) => file.startsWith(TESTS)).map((file) =>
      readFileSync(file, "utf8")
    );
    return names.some((name) => ours.some((text) => text.includes(`"${name}"`)));
  });
}

const { values: { all }, positionals: words } = parseArgs({
  options: { all: { type: "boolean", default: false } },
  allowPositionals: true,
});
const tests = readdirSync(TESTS).filter((name) => name.endsWith("_test.ts")).sort()
  .map((name) => join(TESTS, name));

async function chosen(): Promise<string[]> {
  if (all) return tests;
  if (words.length > 0) {
    return tests.filter((path) => words.some((word) => basename(path).includes(word)));
  }
  const changed = (await changedFiles()).filter((path) => existsSync(join(ROOT, path)));
  return changed.length === 0 ? [] : await testsFor(changed, tests);
}

const files = await chosen();
if (files.length === 0) {
  console.log(
    words.length > 0
      ? `No test file has '${words.join("' or '")}' in its name.`
      : "No test reaches a file that has changed since the last commit. --all runs all.",
  );
  process.exit(words.length > 0 ? 1 : 0);
}
const args = ["test", "-A", "--parallel", ...files];
const child = spawn(Deno.execPath(), args, { cwd: ROOT, stdio: "inherit" });
const [code] = await once(child, "exit");
process.exit(code ?? 1);
