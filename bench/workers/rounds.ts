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
import { tool } from "../common/tools.ts";
import { runWrk } from "../common/wrk.ts";
import { CONNECTIONS, FILE, type LoadCase, SIZE, type Subject } from "./subjects.ts";

/** What one slice showed. */
export interface Sample {
  /** Messages or requests per second. */
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
  readonly generator: Generator;
}

/** What puts load on a server. */
interface Generator {
  /** Takes a slice of so many milliseconds, behind a warm-up. */
  take(warmup: number, ms: number): Promise<Slice>;
  stop(): Promise<void>;
}

interface Slice {
  readonly rate: number;
  /** The CPU time of the generator for each second. */
  readonly loadBusy: number;
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
  for (const { result, server, generator, pids } of lanes) {
    result.memory = memory(pids);
    await generator.stop();
    await server.stop();
  }
  return lanes.map(({ result }) => result);
}

/** Starts a server, as often as is asked for, and its load, and warms them up. */
async function open(subject: Subject, load: LoadCase, options: RoundOptions): Promise<Lane> {
  const command = await subject.command(load);
  const result: Result = { subject, load, samples: [], starts: [], memory: 0 };
  for (;;) {
    const started = performance.now();
    const server = new Child(command);
    const [port] = /\d+(?=\/?$)/.exec(await server.line())!;
    result.starts.push(performance.now() - started);
    if (result.starts.length < options.starts) {
      await server.stop();
      continue;
    }
    const generator = load.unit === "message"
      ? messages(options.load, port, server.pid)
      : requests(port);
    const lane = { result, server, pids: family(server.pid), generator };
    await measure(lane, FIRST_WARMUP_MS, 1);
    return lane;
  }
}

function messages(program: string, port: string, serverPid: number): Generator {
  const load = new Child([program, "run", ...[port, CONNECTIONS, SIZE, serverPid].map(String)]);
  return {
    async take(warmup, ms) {
      const { messages, seconds, loadCpu } = await takeSlice(load, warmup, ms);
      return { rate: messages / seconds, loadBusy: loadCpu / seconds };
    },
    stop: () => load.stop(),
  };
}

/** wrk takes whole seconds. */
function requests(port: string): Generator {
  return {
    async take(_warmup, ms) {
      const url = `http://127.0.0.1:${port}/${FILE}`;
      const totals = await runWrk(tool("wrk"), url, CONNECTIONS, Math.ceil(ms / 1000));
      const { responses, seconds, cpu } = totals;
      return { rate: responses / seconds, loadBusy: cpu / seconds };
    },
    stop: () => Promise.resolve(),
  };
}

async function measure({ pids, generator }: Lane, warmup: number, ms: number): Promise<Sample> {
  const started = performance.now();
  const before = cpuSeconds(pids);
  const machineBefore = machineSeconds();
  const { rate, loadBusy } = await generator.take(warmup, ms);
  // The kernel counts in hundredths of a second, so the warm-up is taken in: it is the same load.
  const all = (performance.now() - started) / 1000;
  const serverBusy = (cpuSeconds(pids) - before) / all;
  const othersBusy = (machineSeconds() - machineBefore) / all - serverBusy - loadBusy;
  return { rate, serverBusy, loadBusy, othersBusy };
}
