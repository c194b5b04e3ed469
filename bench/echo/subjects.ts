/**
 * The servers that are measured, and what they are measured with.
 *
 * @module
 */

import { join } from "node:path";
import { Child, listeningPort } from "../common/children.ts";
import { whyNot } from "../common/rounds.ts";
import { buildForNode, compile, node, tool } from "../common/tools.ts";

/** A server to measure. */
export interface Subject {
  /** For `--only`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** The subject that it is compared with besides the C loop, by name. */
  readonly reference?: string;
  /** Whether it is measured under load. */
  readonly throughput: boolean;
  /** Whether the memory of its idle connections is measured. */
  readonly memory: boolean;
  /** Speaks WebSocket: each message is the payload of a frame. */
  readonly websocket?: boolean;
  /** Forks for every connection, which bounds the cases that it can do and hides its CPU time. */
  readonly forks?: boolean;
  /** The only case that it is measured in. Default: all. */
  readonly only?: string;
  /** Does not print the port that it listens at. */
  readonly silent?: boolean;
  /** The command that runs it. Throws {@linkcode Missing} when something is not installed. */
  readonly command: () => string[] | Promise<string[]>;
}

/** One kind of load: a closed loop. */
export interface LoadCase {
  /** For `--case`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** How many connections. */
  readonly connections: number;
  /** How many bytes a message has. */
  readonly size: number;
  /** Each message is a frame: it begins with the length of the rest, in 4 bytes. */
  readonly framing?: "u32";
  /** The first connection sends, and all get each message: only for servers that speak WebSocket. */
  readonly cast?: boolean;
}

/** What the connections have done before they fall idle. */
export interface IdleCase {
  /** For `--case`. */
  readonly name: string;
  /** For the tables. */
  readonly title: string;
  /** The size of the one message echoed on each connection; 0 for none. */
  readonly size: number;
}

/** The cases of load. */
export const LOAD_CASES: readonly LoadCase[] = [
  { name: "64x64", title: "64 B on 64 connections", connections: 64, size: 64 },
  { name: "8x64k", title: "64 KiB on 8 connections", connections: 8, size: 64 * 1024 },
  { name: "1000x64", title: "64 B on 1,000 connections", connections: 1000, size: 64 },
];

/** The cases of idleness. */
export const IDLE_CASES: readonly IdleCase[] = [
  { name: "idle", title: "from the start", size: 0 },
  { name: "idle-64", title: "after a 64 B echo", size: 64 },
  { name: "idle-64k", title: "after a 64 KiB echo", size: 64 * 1024 },
];

/** A server that forks for each connection is not asked for more. */
export const MOST_FORKS = 64;

/** The file of one of this bench's own programs. */
export function source(name: string): string {
  return join(import.meta.dirname!, name);
}

function deno(name: string, ...args: string[]): string[] {
  return [Deno.execPath(), "run", "-A", "--no-check", source(`subjects/${name}-deno.ts`), ...args];
}

/** The server with a recording of all that goes by, which is compared with the one without. */
function recorded(name: string, what: string, redaction: string): Subject {
  return {
    name,
    title: `plainsocket on Deno, recording ${what}`,
    reference: "plainsocket-deno",
    throughput: true,
    memory: false,
    silent: true,
    command: () => deno("recorded", redaction),
  };
}

async function plainsocketNode(major: number): Promise<string[]> {
  await buildForNode();
  return [await node(major), source("subjects/plainsocket-node.mjs")];
}

function onNode(major: number): Subject[] {
  const both = { throughput: true, memory: true };
  return [{
    ...both,
    name: `plainsocket-node${major}`,
    title: `plainsocket on Node ${major}`,
    reference: `pipe-node${major}`,
    command: () => plainsocketNode(major),
  }, {
    ...both,
    name: `pipe-node${major}`,
    title: `socket.pipe(socket) on Node ${major}`,
    command: async () => [await node(major), source("subjects/pipe-node.mjs")],
  }];
}

/** All servers, in the order of the tables. */
export const SUBJECTS: readonly Subject[] = [
  {
    name: "c",
    title: "C epoll loop",
    throughput: true,
    memory: false,
    command: () => [compile(source("epoll.c"))],
  },
  {
    name: "floor-deno",
    title: "Deno's floor: a pending read, no buffer",
    throughput: false,
    memory: true,
    command: () => deno("floor"),
  },
  {
    name: "bare-deno",
    title: "bare Deno loop, 64 KiB buffers",
    throughput: true,
    memory: true,
    command: () => deno("bare"),
  },
  {
    name: "plainsocket-deno",
    title: "plainsocket on Deno",
    reference: "bare-deno",
    throughput: true,
    memory: true,
    command: () => deno("plainsocket"),
  },
  recorded("recorded-sizes", "sizes", "payloads"),
  recorded("recorded", "all bytes", "none"),
  recorded("recorded-redacted", "all but credentials", "fields"),
  {
    name: "watched",
    title: "plainsocket on Deno, with its live page",
    reference: "plainsocket-deno",
    throughput: true,
    memory: false,
    silent: true,
    command: () => deno("watched"),
  },
  ...onNode(20),
  ...onNode(24),
  {
    name: "ncat",
    title: "ncat --exec /bin/cat",
    throughput: true,
    memory: false,
    forks: true,
    silent: true,
    command: () =>
      tool("ncat", "-l", "--keep-open", "-m", "200", "--exec", "/bin/cat", "127.0.0.1", "0"),
  },
  {
    name: "socat",
    title: "socat … PIPE",
    throughput: true,
    memory: false,
    forks: true,
    silent: true,
    command: () => tool("socat", "TCP4-LISTEN:0,bind=127.0.0.1,fork,backlog=511,nodelay", "PIPE"),
  },
];

/** A subject of which all is installed. */
export interface Ready {
  /** Which one. */
  readonly subject: Subject;
  /** The command that runs it. */
  readonly command: readonly string[];
}

/** The subjects of which all is installed; of the others, by title, why not. */
export async function prepare(
  subjects: readonly Subject[],
): Promise<{ ready: Ready[]; absent: Map<string, string> }> {
  const ready: Ready[] = [];
  const absent = new Map<string, string>();
  for (const subject of subjects) {
    try {
      ready.push({ subject, command: await subject.command() });
    } catch (error) {
      absent.set(subject.title, whyNot(error));
    }
  }
  return { ready, absent };
}

/** A subject that runs. */
export interface Server {
  /** Its process. */
  readonly child: Child;
  /** The port of 127.0.0.1 that it listens at, chosen by the kernel. */
  readonly port: number;
}

/** Starts a subject, behind `prefix` (taskset and its arguments). */
export async function start(
  { subject, command }: Ready,
  prefix: readonly string[] = [],
): Promise<Server> {
  const child = new Child([...prefix, ...command]);
  try {
    const port = subject.silent ? await listeningPort(child.pid) : Number(await child.line());
    if (!(port > 0)) throw new Error(`${child.command}: it printed no port`);
    return { child, port };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
