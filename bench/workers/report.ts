/**
 * The measurements as Markdown, for docs/.
 *
 * @module
 */

import { estimate, median, range, table, whole } from "../common/report.ts";
import { ratios } from "../common/rounds.ts";
import type { Result, Sample } from "./rounds.ts";

/** What the load generator and others may take of a core, and still leave one to each worker. */
const LITTLE = 0.2;

/** Microseconds of CPU time that the server spends on a message or request. */
function cost({ rate, serverBusy }: Sample): number {
  return serverBusy / rate * 1e6;
}

/** The loop on the same runtime, slice by slice. */
function ratioOf(result: Result, results: readonly Result[]) {
  const loop = results.find(({ subject }) => subject.name === result.subject.loop);
  if (loop === undefined || loop === result) return undefined;
  return ratios(result.samples, loop.samples);
}

/**
 * What two workers would reach of one loop if each had a core for itself: twice, less what a message
 * costs them more. It leaves out what they wait for each other, and is told by CPU time alone, so it
 * holds on a machine that is busy with other things.
 */
function reachOf(result: Result, results: readonly Result[]): number | undefined {
  const loop = results.find(({ subject }) => subject.name === result.subject.loop);
  if (loop === undefined || loop === result) return undefined;
  return 2 * median(loop.samples, cost) / median(result.samples, cost);
}

/** The table of one case. */
export function caseTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const ratio = ratioOf(result, results);
    return [
      `${result.subject.runtime}, ${result.subject.title}`,
      whole(median(result.samples, ({ rate }) => rate)),
      ratio === undefined ? "1" : range(ratio),
      whole(median(result.samples, cost)),
      reachOf(result, results)?.toFixed(2) ?? "1",
      median(result.samples, ({ serverBusy }) => serverBusy).toFixed(2),
      median(result.samples, ({ loadBusy }) => loadBusy).toFixed(2),
    ];
  });
  const { title, unit } = results[0].load;
  const head = [
    title,
    `${unit}s/s`,
    "÷ one loop",
    `CPU µs/${unit}`,
    "÷ one loop, by CPU",
    "server's cores",
    "load's cores",
  ];
  return table(head, rows);
}

/** The table of what starting and running them takes. */
export function costTable(results: readonly Result[]): string {
  const rows = results.map(({ subject, starts, memory }) => [
    `${subject.runtime}, ${subject.title}`,
    whole(memory / 2 ** 20),
    whole(median(starts, (ms) => ms)),
  ]);
  return table(["what they take", "MiB in all", "ms to start"], rows);
}

/** Whether the target is reached, and where the measurement can tell. */
export function verdict(results: readonly Result[], cores: number): string {
  const lines = results.flatMap((result) => {
    const ratio = ratioOf(result, results);
    if (ratio === undefined) return [];
    const { runtime, title } = result.subject;
    const { target } = result.load;
    const byCpu = reachOf(result, results)!;
    const load = median(result.samples, ({ loadBusy }) => loadBusy);
    const others = median(result.samples, ({ othersBusy }) => othersBusy);
    const held = cores < 2
      ? "there are no two cores"
      : load > LITTLE
      ? `the load generator takes ${load.toFixed(2)} of a core, so it leaves none to each`
      : others > LITTLE
      ? `cannot tell: other programs took ${others.toFixed(2)} of a core meanwhile`
      : `≥ ${target} ${ratio.median >= target ? "holds" : "does not hold"}`;
    const told = `${estimate(ratio)} of one loop, ${byCpu.toFixed(2)} by CPU`;
    return [`- ${runtime}, ${title}, ${result.load.title}: ${told}; ${held}`];
  });
  return lines.join("\n");
}
