/**
 * Memory per idle connection: how much a server's resident memory grows when very many connections
 * are opened and then say nothing. Each number comes from a server of its own, freshly started,
 * since an allocator does not give back what an earlier case made it take. Garbage that is not
 * collected yet counts, as it does for the person who runs a server; at 10,000 connections that
 * repeats to within 2 %, so nothing is forced.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { Child, sleep } from "../common/children.ts";
import { type IdleCase, type Ready, start } from "./subjects.ts";

/** Bytes per connection, an entry for each repetition. */
export interface IdleResult {
  /** What was measured. */
  readonly idle: IdleCase;
  /** By the subject's name. */
  readonly bytes: Map<string, number[]>;
  /** Why a subject has no numbers, by its name. */
  readonly failures: Map<string, string>;
}

/** How to measure. */
export interface MemoryOptions {
  /** How many connections. */
  readonly connections: number;
  /** How often. */
  readonly repeats: number;
  /** The load generator. */
  readonly load: string;
  /** Is told how far it is. */
  readonly progress: (text: string) => void;
}

/** How long all is left alone before the memory is read. */
const SETTLE_MS = 2000;

/** How long the connections may take to open and to echo. */
const OPEN_MS = 60_000;

/** Measures all subjects in all cases. */
export async function measureMemory(
  subjects: readonly Ready[],
  cases: readonly IdleCase[],
  options: MemoryOptions,
): Promise<IdleResult[]> {
  if (subjects.length === 0) return [];
  const results = cases.map((idle): IdleResult => ({
    idle,
    bytes: new Map(subjects.map(({ subject }) => [subject.name, []])),
    failures: new Map(),
  }));
  for (let repeat = 0; repeat < options.repeats && results.length > 0; repeat++) {
    options.progress(`idle connections ${repeat + 1} of ${options.repeats}`);
    for (const { idle, bytes, failures } of results) {
      for (const ready of subjects) {
        const { name } = ready.subject;
        if (failures.has(name)) continue;
        try {
          bytes.get(name)!.push(await measure(ready, idle, options));
        } catch (error) {
          failures.set(name, `failed: ${error instanceof Error ? error.message : error}`);
          bytes.set(name, []);
        }
      }
    }
  }
  return results;
}

async function measure(
  ready: Ready,
  idle: IdleCase,
  { connections, load }: MemoryOptions,
): Promise<number> {
  const server = await start(ready);
  try {
    await sleep(SETTLE_MS / 4);
    const before = residentBytes(server.child.pid);
    const args = [server.port, connections, idle.size].map(String);
    const holder = new Child([load, "idle", ...args]);
    try {
      await holder.line(OPEN_MS);
      await sleep(SETTLE_MS);
      return (residentBytes(server.child.pid) - before) / connections;
    } finally {
      await holder.stop();
    }
  } finally {
    await server.child.stop();
  }
}

function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no memory: it ended`);
  return Number(kib) * 1024;
}
