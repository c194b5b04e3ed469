/**
 * Throughput, measured side by side. The speed of a shared machine drifts by tens of percent from
 * one second to the next, so no rate means much by itself. All servers run from the start and take
 * turns in short slices; what counts is the ratio of two slices of the same round, and of those
 * ratios the median over many rounds. In a given time, more and shorter slices tell more than fewer
 * and longer ones, since the two that are compared lie closer together: 36 of 200 ms left half of
 * the error of 16 of 500 ms.
 *
 * @module
 */

import { run } from "./children.ts";
import type { Spread } from "./stats.ts";
import { spread } from "./stats.ts";
import { type LoadCase, MOST_FORKS, type Server, type Subject } from "./subjects.ts";

/** What one slice showed. */
export interface Sample {
  /** Echoed messages per second. */
  readonly rate: number;
  /** Microseconds of CPU time that the server spent on a message, all its threads together. */
  readonly serverCpu: number;
  /** Microseconds of CPU time that the load generator spent on a message. */
  readonly loadCpu: number;
  /** The server's CPU time for each second; 1 is a whole core. */
  readonly serverBusy: number;
  /** The load generator's CPU time for each second. */
  readonly loadBusy: number;
}

/** All slices of one case: a row for each subject, an entry for each round. */
export interface CaseResult {
  /** What was measured. */
  readonly load: LoadCase;
  /** By the subject's name. */
  readonly samples: Map<string, Sample[]>;
  /** Why a subject has no samples, by its name. */
  readonly failures: Map<string, string>;
}

/** How to measure. */
export interface RoundOptions {
  /** How many rounds. */
  readonly rounds: number;
  /** Milliseconds of a slice. */
  readonly slice: number;
  /** The load generator, behind its taskset. */
  readonly load: readonly string[];
  /** Is told how far it is. */
  readonly progress: (text: string) => void;
}

/** Before the first round, each server gets this long with each case, for its compiler to settle. */
const FIRST_WARMUP_MS = 1000;

/** Each slice begins with this long unmeasured, in which the echoes are compared byte by byte. */
const WARMUP_MS = 100;

/** On top of what the generator is told to take: connecting, and its own patience. */
const SPARE_MS = 30_000;

/** Measures all subjects in all cases. */
export async function measureRounds(
  subjects: readonly Subject[],
  servers: ReadonlyMap<string, Server>,
  cases: readonly LoadCase[],
  options: RoundOptions,
): Promise<CaseResult[]> {
  const results = cases.map((load): CaseResult => ({
    load,
    samples: new Map(subjects.map(({ name }) => [name, []])),
    failures: new Map(),
  }));
  for (const result of results) {
    options.progress(`warming up: ${result.load.title}`);
    for (const subject of subjects) {
      if (subject.forks && result.load.connections > MOST_FORKS) {
        result.failures.set(subject.name, "a process for each connection: not tried");
        continue;
      }
      await slice(result, subject, servers, FIRST_WARMUP_MS, options);
      result.samples.get(subject.name)!.length = 0;
    }
  }
  for (let round = 0; round < options.rounds; round++) {
    options.progress(`round ${round + 1} of ${options.rounds}`);
    for (const result of results) {
      for (const subject of inTurn(subjects, round)) {
        await slice(result, subject, servers, options.slice, options);
      }
    }
  }
  return results;
}

/** Everyone begins once, and goes before each of the others as often as after it. */
function inTurn<T>(items: readonly T[], round: number): T[] {
  const first = (round >> 1) % items.length;
  const order = [...items.slice(first), ...items.slice(0, first)];
  return round % 2 === 0 ? order : order.reverse();
}

/** Measures one subject for `ms` milliseconds; if it fails, it takes no further part in the case. */
async function slice(
  result: CaseResult,
  subject: Subject,
  servers: ReadonlyMap<string, Server>,
  ms: number,
  options: RoundOptions,
): Promise<void> {
  if (result.failures.has(subject.name)) return;
  const { child, port } = servers.get(subject.name)!;
  const { connections, size } = result.load;
  const args = [port, connections, size, WARMUP_MS, ms, child.pid].map(String);
  try {
    const line = await run([...options.load, "run", ...args], WARMUP_MS + ms + SPARE_MS);
    result.samples.get(subject.name)!.push(sample(JSON.parse(line)));
  } catch (error) {
    result.failures.set(subject.name, `failed: ${error instanceof Error ? error.message : error}`);
    result.samples.set(subject.name, []);
  }
}

/** What the load generator prints: totals of one slice. */
interface Totals {
  messages: number;
  seconds: number;
  serverCpu: number;
  loadCpu: number;
}

function sample({ messages, seconds, serverCpu, loadCpu }: Totals): Sample {
  return {
    rate: messages / seconds,
    serverCpu: serverCpu / messages * 1e6,
    loadCpu: loadCpu / messages * 1e6,
    serverBusy: serverCpu / seconds,
    loadBusy: loadCpu / seconds,
  };
}

/** How one subject's samples compare with another's of the same rounds. */
export function ratios(
  of: readonly Sample[] | undefined,
  to: readonly Sample[] | undefined,
  value: (sample: Sample) => number = (sample) => sample.rate,
): Spread | undefined {
  if (of === undefined || to === undefined || of.length !== to.length) return undefined;
  return spread(of.map((sample, round) => value(sample) / value(to[round])));
}
