/**
 * The servers that echo messages of WebSocket, and what they are measured with.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/program.ts";
import { bun, install } from "../../scripts/runtimes.ts";
import { buildForNode, node } from "../common/tools.ts";
import {
  type IdleCase,
  type LoadCase,
  source as echoSource,
  type Subject,
} from "../echo/subjects.ts";

/** The package that WebSocket on Node is mostly done with, for comparison. */
const WS = { ws: "8.23.0" };

/** A message of one goes to all: what is counted is what arrives. */
export const CAST = "cast";

/** The cases of load. */
export const LOAD_CASES: readonly LoadCase[] = [
  { name: "64x64", title: "64 B text on 64 connections", connections: 64, size: 64 },
  { name: "8x64k", title: "64 KiB binary on 8 connections", connections: 8, size: 64 * 1024 },
  { name: CAST, title: "64 B text to 1,000 members", connections: 1000, size: 64, cast: true },
];

/** The case of idleness. */
export const IDLE: IdleCase = { name: "idle", title: "after the handshake", size: 0 };

function source(name: string): string {
  return join(import.meta.dirname!, name);
}

const MEASURED = { throughput: true, memory: true, websocket: true };

function onDeno(script: string, ...args: string[]): string[] {
  return [Deno.execPath(), "run", "-A", "--no-check", script, ...args];
}

async function onNode(major: number, script: string): Promise<string[]> {
  await buildForNode();
  const modules = pathToFileURL(join(ROOT, ".node/package/out")).href;
  return [await node(major), script, `${modules}/mod.js`, `${modules}/lib/`, "js"];
}

async function wsOnNode(major: number, ...args: string[]): Promise<string[]> {
  const folder = join(ROOT, ".node/bench-ws");
  await install(folder, WS);
  const module = pathToFileURL(join(folder, "node_modules/ws/wrapper.mjs")).href;
  return [await node(major), source("ws-node.mjs"), module, ...args];
}

const BYTES = { ...MEASURED, websocket: false };
const NODES = [20, 24];

/** The servers that echo messages, behind those that echo plain bytes, in the order of the tables. */
export const SUBJECTS: readonly Subject[] = [
  {
    ...BYTES,
    name: "bytes-deno",
    title: "plain echo() on Deno",
    command: () => onDeno(echoSource("subjects/plainsocket-deno.ts")),
  },
  ...NODES.map((major): Subject => ({
    ...BYTES,
    name: `bytes-node${major}`,
    title: `plain echo() on Node ${major}`,
    command: async () => {
      await buildForNode();
      return [await node(major), echoSource("subjects/plainsocket-node.mjs")];
    },
  })),
  {
    ...MEASURED,
    name: "plainsocket-deno",
    title: "plainsocket on Deno",
    reference: "deno",
    command: () => {
      const root = pathToFileURL(ROOT).href.replace(/\/?$/, "/");
      return onDeno(source("echo.mjs"), `${root}mod.ts`, `${root}lib/`, "ts");
    },
  },
  {
    ...MEASURED,
    name: "deno",
    title: "Deno.upgradeWebSocket",
    command: () => onDeno(source("upgrade-deno.ts")),
  },
  ...NODES.flatMap((major): Subject[] => [
    {
      ...MEASURED,
      name: `plainsocket-node${major}`,
      title: `plainsocket on Node ${major}`,
      reference: `ws-node${major}`,
      command: () => onNode(major, source("echo.mjs")),
    },
    {
      ...MEASURED,
      name: `ws-node${major}`,
      title: `ws on Node ${major}`,
      command: () => wsOnNode(major),
    },
    {
      ...MEASURED,
      name: `ws-framed-node${major}`,
      title: `ws on Node ${major}, framed once by hand`,
      only: CAST,
      memory: false,
      command: () => wsOnNode(major, "framed"),
    },
  ]),
  {
    ...MEASURED,
    name: "bun",
    title: "Bun.serve, the ceiling",
    command: async () => [(await bun()).path, source("serve-bun.ts")],
  },
];
