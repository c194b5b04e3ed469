/**
 * The ways to serve that are measured, and what they are measured with.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/program.ts";
import { buildForNode, node } from "../common/tools.ts";

/** A way to serve, on a runtime. */
export interface Subject {
  /** For `--only`. */
  readonly name: string;
  /** The runtime, for the tables. */
  readonly runtime: string;
  /** The way, for the tables. */
  readonly title: string;
  /** The one loop of the same runtime, by name. */
  readonly loop: string;
  /** The command that runs it. Throws `Missing` when something is not installed. */
  readonly command: (load: LoadCase) => Promise<string[]>;
}

/** One kind of load: a closed loop. */
export interface LoadCase {
  /** For `--case`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** What is counted. */
  readonly unit: "message" | "request";
  /** Whether each message costs work. */
  readonly work?: boolean;
  /** What two workers are to reach of one, where the load generator leaves a core to each. */
  readonly target: number;
}

/** How many connections there are, and how many bytes a message has. */
export const CONNECTIONS = 64;
export const SIZE = 64;

/** The cases of load. */
export const LOAD_CASES: readonly LoadCase[] = [
  { name: "work", title: "each message hashes 256 KiB", unit: "message", work: true, target: 1.6 },
  { name: "echo", title: "each message is echoed", unit: "message", target: 1.6 },
  { name: "web", title: "`web` serves a file of 64 KiB", unit: "request", target: 1.7 },
];

/** The name of the file that `web` serves. */
export const FILE = "64k.bin";

/** Makes the folder that `web` serves. */
function makeSite(): string {
  const dir = join(ROOT, ".node/bench-workers");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, FILE), new Uint8Array(64 * 1024));
  return dir;
}

const TITLES = { loop: "one loop", processes: "2 processes", threads: "2 threads" } as const;

type Way = keyof typeof TITLES;

const SERVER = join(import.meta.dirname!, "server.mjs");

/** The arguments of a runtime; `out` is the folder of the modules, whose names end in `extension`. */
function argsOf(out: string, extension: string, way: Way, { unit, work }: LoadCase): string[] {
  if (unit === "message") {
    const mod = pathToFileURL(join(ROOT, out, `mod.${extension}`)).href;
    return [SERVER, mod, way, work ? "1" : "0"];
  }
  const workers = way === "loop" ? [] : ["--workers", "2", "--worker-kind", way];
  const web = ["web", makeSite(), "--quiet", "--host", "127.0.0.1", "--port", "0", ...workers];
  return [join(ROOT, out, `server.${extension}`), ...web];
}

function subjects(
  short: string,
  runtime: string,
  ways: readonly Way[],
  command: (way: Way, load: LoadCase) => Promise<string[]>,
): Subject[] {
  return ways.map((way) => ({
    name: `${short}-${way}`,
    runtime,
    title: TITLES[way],
    loop: `${short}-loop`,
    command: (load) => command(way, load),
  }));
}

function onNode(major: number, ways: readonly Way[]): Subject[] {
  return subjects(`node${major}`, `Node ${major}`, ways, async (way, load) => {
    await buildForNode();
    return [await node(major), ...argsOf(".node/package/out", "js", way, load)];
  });
}

/** All of them, in the order of the tables. */
export const SUBJECTS: readonly Subject[] = [
  ...subjects("deno", "Deno", ["loop", "processes", "threads"], (way, load) => {
    const run = [Deno.execPath(), "run", "-A", "--no-check", "--unstable-net"];
    return Promise.resolve([...run, ...argsOf("", "ts", way, load)]);
  }),
  ...onNode(20, ["loop", "processes"]),
  ...onNode(24, ["loop", "processes", "threads"]),
];
