/**
 * Throughput, measured side by side. The speed of a shared machine drifts by tens of percent from
 * one second to the next, so no rate means much by itself. All servers run from the start, each case
 * with its own and with connections that stay; they take turns in short slices. What counts is the
 * ratio of two slices of the same round, and of those ratios the median over many rounds. In a given
 * time, more and shorter slices tell more than fewer and longer ones, since the two that are
 * compared lie closer together.
 *
 * @module
 */

import { Child } from "../common/children.ts";
import { FIRST_WARMUP_MS, takeSlice, type Totals, WARMUP_MS } from "../common/generator.ts";
import { addSample, type CaseResult, thereAndBack, whyNot } from "../common/rounds.ts";
import { type LoadCase, MOST_FORKS, type Ready, type Server, start } from "./subjects.ts";
import type { Pinning } from "../common/tools.ts";

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
  /** The load generator's CPU time for each second, without what it spun away. */
  readonly loadBusy: number;
}

/** All slices of one case. */
export type EchoResult = CaseResult<LoadCase, Sample>;

/** How to measure. */
export interface RoundOptions {
  /** How many rounds. */
  readonly rounds: number;
  /** Milliseconds of a slice. */
  readonly slice: number;
  /** The load generator. */
  readonly load: string;
  /** The cores for both sides. */
  readonly pins: Pinning;
  /** Whether the load generator never sleeps: only where nothing else needs its core. */
  readonly spin: boolean;
  /** Is told how far it is. */
  readonly progress: (text: string) => void;
}

/** A server and the load generator that holds connections to it. */
interface Lane {
  readonly result: EchoResult;
  readonly name: string;
  readonly server: Server;
  readonly load: Child;
}

/** Measures all subjects in all cases. */
export async function measureRounds(
  subjects: readonly Ready[],
  cases: readonly LoadCase[],
  options: RoundOptions,
): Promise<EchoResult[]> {
  if (subjects.length === 0) return [];
  const results = cases.map((load): EchoResult => ({
    load,
    samples: new Map(subjects.map(({ subject }) => [subject.name, []])),
    failures: new Map(),
  }));
  const lanes: Lane[][] = [];
  for (const result of results) {
    options.progress(`starting: ${result.load.title}`);
    const ofCase: Lane[] = [];
    for (const ready of subjects) {
      const lane = await open(ready, result, options);
      if (lane !== undefined) ofCase.push(lane);
    }
    lanes.push(ofCase);
  }
  for (let round = 0; round < options.rounds && lanes.length > 0; round++) {
    options.progress(`round ${round + 1} of ${options.rounds}`);
    for (const ofCase of lanes) {
      for (const lane of inTurn(ofCase, round)) {
        await measure(lane, WARMUP_MS, options.slice);
      }
    }
  }
  for (const { load, server } of lanes.flat()) {
    await load.stop();
    await server.child.stop();
  }
  return results;
}

/** Starts a server and its load, and warms them up. */
async function open(
  ready: Ready,
  result: EchoResult,
  { load, pins, spin }: RoundOptions,
): Promise<Lane | undefined> {
  const { name, forks, websocket, only = result.load.name } = ready.subject;
  const { connections, size, framing, cast = false } = result.load;
  if (only !== result.load.name || cast && websocket !== true) return undefined;
  if (forks && connections > MOST_FORKS) {
    result.failures.set(name, "a process for each connection: not tried");
    return undefined;
  }
  try {
    const server = await start(ready, pins.server);
    const args = [server.port, connections, size, server.child.pid].map(String);
    if (websocket) args.push("ws", ...cast ? ["cast"] : []);
    else if (framing !== undefined) args.push(framing);
    if (spin) args.push("spin");
    const lane = { result, name, server, load: new Child([...pins.load, load, "run", ...args]) };
    await measure(lane, FIRST_WARMUP_MS, 1);
    result.samples.get(name)!.length = 0;
    return lane;
  } catch (error) {
    result.failures.set(name, whyNot(error));
  }
}

/** Everyone begins in turn, and goes before each of the others as often as after it. */
function inTurn<T>(items: readonly T[], round: number): readonly T[] {
  const first = (round >> 1) % items.length;
  const order = [...items.slice(first), ...items.slice(0, first)];
  return thereAndBack(order, round);
}

/** Measures one slice. */
function measure({ result, name, load }: Lane, warmup: number, ms: number): Promise<void> {
  return addSample(result, name, async () => sample(await takeSlice(load, warmup, ms)));
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
