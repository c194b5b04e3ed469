/**
 * Memory per idle connection: how much a server's resident memory grows when very many connections
 * are opened and then say nothing. Each number comes from a server of its own, freshly started,
 * since an allocator does not give back what an earlier case made it take. Garbage that is not
 * collected yet counts, as it does for the person who runs a server; at 10,000 connections that
 * repeats to within 2 %, so nothing is forced.
 *
 * @module
 */

import { Child, sleep } from "../common/children.ts";
import { resident } from "../common/processes.ts";
import { addSample, type CaseResult } from "../common/rounds.ts";
import { type IdleCase, type Ready, start } from "./subjects.ts";

/** Bytes per connection, an entry for each repetition. */
export type IdleResult = CaseResult<IdleCase, number>;

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
  const results = cases.map((load): IdleResult => ({
    load,
    samples: new Map(subjects.map(({ subject }) => [subject.name, []])),
    failures: new Map(),
  }));
  for (let repeat = 0; repeat < options.repeats && results.length > 0; repeat++) {
    options.progress(`idle connections ${repeat + 1} of ${options.repeats}`);
    for (const result of results) {
      for (const ready of subjects) {
        await addSample(result, ready.subject.name, () => measure(ready, result.load, options));
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
    const before = resident([server.child.pid]);
    const args = [server.port, connections, idle.size].map(String);
    if (ready.subject.websocket) args.push("ws");
    const holder = new Child([load, "idle", ...args]);
    try {
      await holder.line(OPEN_MS);
      await sleep(SETTLE_MS);
      return (resident([server.child.pid]) - before) / connections;
    } finally {
      await holder.stop();
    }
  } finally {
    await server.child.stop();
  }
}
