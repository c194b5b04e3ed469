/**
 * The runtimes that frames are measured on, and the servers on each.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/program.ts";
import { buildForNode, node } from "../common/tools.ts";
import { type LoadCase, source as echoSource, type Subject } from "../echo/subjects.ts";

/** A runtime, and how to run a script on it. */
export interface Runtime {
  /** For the names of its servers. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** The command that runs a script with plainsocket on it. */
  readonly command: (script: string) => Promise<string[]>;
  /** The raw echo server of the echo benchmark. */
  readonly rawEcho: string;
}

function source(name: string): string {
  return join(import.meta.dirname!, name);
}

function onNode(major: number): Runtime {
  return {
    name: `node${major}`,
    title: `Node ${major}`,
    command: async (script) => {
      await buildForNode();
      return [
        await node(major),
        script,
        pathToFileURL(join(ROOT, ".node/package/out/mod.js")).href,
      ];
    },
    rawEcho: "subjects/plainsocket-node.mjs",
  };
}

/** All runtimes, in the order of the tables. */
export const RUNTIMES: readonly Runtime[] = [
  {
    name: "deno",
    title: "Deno",
    command: (script) => {
      const module = pathToFileURL(join(ROOT, "mod.ts")).href;
      return Promise.resolve([Deno.execPath(), "run", "-A", "--no-check", script, module]);
    },
    rawEcho: "subjects/plainsocket-deno.ts",
  },
  onNode(20),
  onNode(24),
];

/** The script that measures rates in memory. */
export const RATES: string = source("rates.mjs");

/** Frames of 60 bytes behind 4 of length. */
export const LOAD: LoadCase = {
  name: "64x64",
  title: "64 B frames on 64 connections",
  connections: 64,
  size: 64,
  framing: "u32",
};

const LOADED = { throughput: true, memory: false };

/** On each runtime, a server that echoes frames, and one that echoes bytes. */
export const SUBJECTS: readonly Subject[] = RUNTIMES.flatMap((runtime) => [
  {
    ...LOADED,
    name: `bytes-${runtime.name}`,
    title: `echo() on ${runtime.title}`,
    command: () => runtime.command(echoSource(runtime.rawEcho)),
  },
  {
    ...LOADED,
    name: `frames-${runtime.name}`,
    title: `frames on ${runtime.title}`,
    reference: `bytes-${runtime.name}`,
    command: () => runtime.command(source("echo.mjs")),
  },
]);
