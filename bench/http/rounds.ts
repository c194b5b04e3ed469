/**
 * Rates, measured side by side: all servers of a case run from the start and take turns, since the
 * speed of a shared machine drifts. What counts is the ratio of two slices of the same round, and of
 * those ratios the median over the rounds.
 *
 * @module
 */

import { cpuSeconds, family } from "../common/processes.ts";
import { addSample, type CaseResult, thereAndBack, whyNot } from "../common/rounds.ts";
import { type Running, start } from "../common/web_server.ts";
import type { Pinning } from "../common/tools.ts";
import { runWrk } from "../common/wrk.ts";
import type { LoadCase, Subject } from "./subjects.ts";

/** What one slice showed. */
export interface Sample {
  /** Responses per second; of large files parts of one count, too. */
  readonly rate: number;
  /** Microseconds of CPU time that the server, with its children, spent on a response. */
  readonly cpu: number;
}

/** All slices of one case. */
export type HttpResult = CaseResult<LoadCase, Sample>;

/** How to measure. */
export interface RoundOptions {
  readonly rounds: number;
  /** Seconds of a slice. */
  readonly slice: number;
  readonly wrk: string;
  /** What is served. */
  readonly dir: string;
  readonly pins: Pinning;
  readonly progress: (text: string) => void;
}

/** Starts a server with the path that it is asked for first, and waits until it answers. */
export async function startSubject(
  subject: Subject,
  path: string,
  dir: string,
  prefix: readonly string[],
): Promise<Running> {
  const command = async (port: number) => [...prefix, ...await subject.command(port, dir)];
  return await start(command, (port) => `http://127.0.0.1:${port}${path}`);
}

/**
 * Measures all subjects in all cases. Cases that ask for the same on more or fewer connections are
 * compared with each other, so a server goes through them one right after the other.
 */
export async function measureRounds(
  subjects: readonly Subject[],
  cases: readonly LoadCase[],
  options: RoundOptions,
): Promise<HttpResult[]> {
  const results = cases.map((load): HttpResult => ({
    load,
    samples: new Map(),
    failures: new Map(),
  }));
  for (const path of new Set(cases.map((load) => load.path))) {
    const same = results.filter(({ load }) => load.path === path);
    await measureCases(subjects, same, options);
  }
  return results;
}

/** Measures in cases that ask for the same. */
async function measureCases(
  subjects: readonly Subject[],
  results: readonly HttpResult[],
  options: RoundOptions,
): Promise<void> {
  const [{ load: first }] = results;
  const title = results.map(({ load }) => load.title).join(", ");
  const lanes: { name: string; server: Running }[] = [];
  for (const subject of subjects) {
    const { name } = subject;
    // In memory it has the small files only.
    if (subject.serves !== first.of || name === "deno-serve-1k" && first.name === "256m") continue;
    options.progress(`${title}: starting ${subject.title}`);
    try {
      const server = await startSubject(subject, first.path, options.dir, options.pins.server);
      lanes.push({ name, server });
      for (const { load, samples } of results) {
        await slice(server, load, options);
        samples.set(name, []);
      }
    } catch (error) {
      for (const { failures } of results) failures.set(name, whyNot(error));
    }
  }
  for (let round = 0; round < options.rounds; round++) {
    options.progress(`${title}: round ${round + 1} of ${options.rounds}`);
    for (const { name, server } of thereAndBack(lanes, round)) {
      for (const result of thereAndBack(results, round)) {
        await addSample(result, name, () => slice(server, result.load, options));
      }
    }
  }
  for (const { server } of lanes) await server.child.stop();
}

/** One run of wrk. */
async function slice(
  { child, port }: Running,
  { path, connections, size }: LoadCase,
  { wrk, slice, pins }: RoundOptions,
): Promise<Sample> {
  const before = cpuSeconds(family(child.pid));
  const url = `http://127.0.0.1:${port}${path}`;
  const totals = await runWrk([...pins.load, wrk], url, connections, slice);
  const cpu = cpuSeconds(family(child.pid)) - before;
  // A slice ends in the middle of large files, which wrk does not count.
  const responses = size === undefined ? totals.responses : totals.bytes / size;
  return { rate: responses / totals.seconds, cpu: cpu / responses * 1e6 };
}
