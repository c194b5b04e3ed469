/**
 * Throughput and its cost, measured side by side as bench/echo/rounds.ts does it: all servers run
 * the whole time and take turns in short slices, and what counts is the ratio of two slices of the
 * same round. Nothing is pinned to a core, since two workers are to have both.
 *
 * @module
 */

import { Child } from "../common/children.ts";
import { FIRST_WARMUP_MS, takeSlice, WARMUP_MS } from "../common/generator.ts";
import { thereAndBack } from "../common/rounds.ts";
import { cpuSeconds, family, machineSeconds, memory } from "../common/processes.ts";
import { CONNECTIONS, type LoadCase, SIZE, type Subject } from "./subjects.ts";

/** What one slice showed. */
export interface Sample {
  /** Messages per second. */
  readonly rate: number;
  /** The CPU time of the server's processes for each second; 1 is a whole core. */
  readonly serverBusy: number;
  /** That of the load generator. */
  readonly loadBusy: number;
  /** That of all other programs on the machine. */
  readonly othersBusy: number;
}

/** What was measured of one subject in one case. */
export interface Result {
  readonly subject: Subject;
  readonly load: LoadCase;
  /** A slice for each round. */
  readonly samples: Sample[];
  /** Milliseconds from its start until it has told its port, an entry for each start. */
  readonly starts: number[];
  /** Bytes of memory after the last slice. */
  memory: number;
}

/** How to measure. */
export interface RoundOptions {
  readonly rounds: number;
  /** Milliseconds of a slice. */
  readonly slice: number;
  /** How often each server is started, for the time that this takes. */
  readonly starts: number;
  /** The load generator. */
  readonly load: string;
  readonly progress: (text: string) => void;
}

interface Lane {
  readonly result: Result;
  readonly server: Child;
  readonly pids: readonly number[];
  readonly load: Child;
}

/** Measures all subjects in one case. */
export async function measureCase(
  subjects: readonly Subject[],
  load: LoadCase,
  options: RoundOptions,
): Promise<Result[]> {
  options.progress(`starting: ${load.title}`);
  const lanes: Lane[] = [];
  for (const subject of subjects) lanes.push(await open(subject, load, options));
  for (let round = 0; round < options.rounds; round++) {
    options.progress(`${load.name}: round ${round + 1} of ${options.rounds}`);
    for (const lane of thereAndBack(lanes, round)) {
      lane.result.samples.push(await measure(lane, WARMUP_MS, options.slice));
    }
  }
  for (const { result, server, load, pids } of lanes) {
    result.memory = memory(pids);
    await load.stop();
    await server.stop();
  }
  return lanes.map(({ result }) => result);
}

/** Starts a server, as often as is asked for, and its load, and warms them up. */
async function open(subject: Subject, load: LoadCase, options: RoundOptions): Promise<Lane> {
  const command = await subject.command(load.work);
  const result: Result = { subject, load, samples: [], starts: [], memory: 0 };
  for (;;) {
    const started = performance.now();
    const server = new Child(command);
    const port = await server.line();
    result.starts.push(performance.now() - started);
    if (result.starts.length < options.starts) {
      await server.stop();
      continue;
    }
    const args = [port, CONNECTIONS, SIZE, server.pid].map(String);
    const generator = new Child([options.load, "run", ...args]);
    const lane = { result, server, pids: family(server.pid), load: generator };
    await measure(lane, FIRST_WARMUP_MS, 1);
    return lane;
  }
}

async function measure({ pids, load }: Lane, warmup: number, ms: number): Promise<Sample> {
  const started = performance.now();
  const before = cpuSeconds(pids);
  const machineBefore = machineSeconds();
  const { messages, seconds, loadCpu } = await takeSlice(load, warmup, ms);
  // The kernel counts in hundredths of a second, so the warm-up is taken in: it is the same load.
  const all = (performance.now() - started) / 1000;
  const serverBusy = (cpuSeconds(pids) - before) / all;
  const loadBusy = loadCpu / seconds;
  const othersBusy = (machineSeconds() - machineBefore) / all - serverBusy - loadBusy;
  return { rate: messages / seconds, serverBusy, loadBusy, othersBusy };
}
