/**
 * What the benches need from the machine: compiled C programs, Node in two versions, the build for
 * it, and a core for each side.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { must, ROOT } from "../../scripts/program.ts";
import { node as nodeRuntime } from "../../scripts/runtimes.ts";

/** What the benches make and install; not in git. */
export const BIN: string = join(ROOT, "bench/bin");

/** Something is missing that the person can install. */
export class Missing extends Error {}

/** Where Debian has servers, which is not on the path of those who are not root. */
const SBIN = "/usr/sbin";

/** A program's path, if it is installed. */
function which(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), SBIN]) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
}

/** Packages of Debian that are not named as the program in them. */
const PACKAGES: Readonly<Record<string, string>> = { nginx: "nginx-light" };

/** The command of a program from Debian. */
export function tool(name: string, ...args: string[]): string[] {
  const program = which(name);
  if (program === undefined) {
    throw new Missing(`not installed: apt-get install ${PACKAGES[name] ?? name}`);
  }
  return [program, ...args];
}

/** Compiles a C program, and gives the path of what it became. */
export function compile(source: string): string {
  const compiler = which("cc") ?? which("gcc") ?? which("clang");
  if (compiler === undefined) {
    throw new Missing("there is no C compiler: apt-get install gcc libc6-dev");
  }
  mkdirSync(BIN, { recursive: true });
  const program = join(BIN, basename(source, ".c"));
  const { status, stderr } = spawnSync(
    compiler,
    ["-O2", "-Wall", "-o", program, source],
    { encoding: "utf8", timeout: 60_000 },
  );
  if (status !== 0) {
    throw new Missing(
      `${basename(source)} does not compile (apt-get install gcc libc6-dev?):\n${stderr}`,
    );
  }
  return program;
}

/** Node of one major version, from npm as for the tests. */
export async function node(major: number): Promise<string> {
  const runtime = await nodeRuntime(String(major)).catch((error) => {
    throw new Missing(`npm cannot install Node ${major}: ${error.message}`);
  });
  return runtime.path;
}

/** Compiles plainsocket for Node, unless what is there is newer than its sources. */
export async function buildForNode(): Promise<void> {
  const built = statSync(join(ROOT, ".node/package/out/mod.js"), { throwIfNoEntry: false });
  const library = readdirSync(join(ROOT, "lib"), { recursive: true, encoding: "utf8" });
  const sources = [join(ROOT, "mod.ts"), ...library.map((file) => join(ROOT, "lib", file))];
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (built !== undefined && built.mtimeMs > newest) return;
  // In a process of its own, since the compiler talks on stdout, where our tables go.
  const script = pathToFileURL(join(ROOT, "scripts/compile.ts"));
  await must([
    Deno.execPath(),
    "eval",
    `import { compilePackage } from "${script}"; await compilePackage();`,
  ]);
}

/** The cores that servers and the load generator are held to. */
export interface Pinning {
  /** Put before a server's command. */
  readonly server: readonly string[];
  /** Put before the generator's command. */
  readonly load: readonly string[];
  /** Whether the generator has its core for itself. */
  readonly apart: boolean;
  /** Tells the reader of the report. */
  readonly note: string;
}

/**
 * Gives the generator the last core for itself, and the servers all the others. Left alone, the
 * scheduler now and then puts both sides on one core, since each wakes the other: a message then
 * costs half of the CPU time (nothing moves between caches), the rate is that of server and
 * generator together instead of the server's, and all ratios shrink towards 1. Which of the two
 * worlds a slice is measured in is chance, so no number of rounds averages that out.
 *
 * The servers' side is not narrowed to one core where there are more, since the threads of an
 * engine (compiler, garbage collector) are part of what a user gets.
 */
export function pinning(wanted: boolean): Pinning {
  const cores = allowedCores();
  const taskset = which("taskset");
  if (!wanted || taskset === undefined || cores.length < 2) {
    const why = !wanted ? "--no-pin" : taskset === undefined ? "no taskset" : "a single core";
    return { server: [], load: [], apart: false, note: `Nothing is pinned to a core (${why}).` };
  }
  const last = String(cores[cores.length - 1]);
  const others = cores.slice(0, -1).join(",");
  return {
    server: [taskset, "-c", others],
    load: [taskset, "-c", last],
    apart: true,
    note: `The servers run on core ${others}, the load generator on core ${last}.`,
  };
}

function allowedCores(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
