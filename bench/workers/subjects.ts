/**
 * The ways to serve that are measured, and what they are measured with.
 *
 * @module
 */

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
  readonly command: (work: boolean) => Promise<string[]>;
}

/** One kind of load: a closed loop. */
export interface LoadCase {
  /** For `--case`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** Whether each message costs work. */
  readonly work: boolean;
}

/** How many connections there are, and how many bytes a message has. */
export const CONNECTIONS = 64;
export const SIZE = 64;

/** The cases of load. */
export const LOAD_CASES: readonly LoadCase[] = [
  { name: "work", title: "each message hashes 256 KiB", work: true },
  { name: "echo", title: "each message is echoed", work: false },
];

const TITLES = { loop: "one loop", processes: "2 processes", threads: "2 threads" } as const;

type Way = keyof typeof TITLES;

const SERVER = join(import.meta.dirname!, "server.mjs");

function commandOf(mod: string, way: Way, work: boolean): string[] {
  return [SERVER, pathToFileURL(join(ROOT, mod)).href, way, work ? "1" : "0"];
}

function subjects(
  short: string,
  runtime: string,
  ways: readonly Way[],
  command: (way: Way, work: boolean) => Promise<string[]>,
): Subject[] {
  return ways.map((way) => ({
    name: `${short}-${way}`,
    runtime,
    title: TITLES[way],
    loop: `${short}-loop`,
    command: (work) => command(way, work),
  }));
}

function onNode(major: number, ways: readonly Way[]): Subject[] {
  return subjects(`node${major}`, `Node ${major}`, ways, async (way, work) => {
    await buildForNode();
    return [await node(major), ...commandOf(".node/package/out/mod.js", way, work)];
  });
}

/** All of them, in the order of the tables. */
export const SUBJECTS: readonly Subject[] = [
  ...subjects("deno", "Deno", ["loop", "processes", "threads"], (way, work) => {
    const run = [Deno.execPath(), "run", "-A", "--no-check", "--unstable-net"];
    return Promise.resolve([...run, ...commandOf("mod.ts", way, work)]);
  }),
  ...onNode(20, ["loop", "processes"]),
  ...onNode(24, ["loop", "processes", "threads"]),
];
