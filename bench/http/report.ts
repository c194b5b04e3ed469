/**
 * The measurements as Markdown, and what the project has promised beside them.
 *
 * @module
 */

import {
  estimate,
  failureNotes,
  median,
  NONE,
  notedTable,
  promiseTable,
  table,
  whole,
} from "../common/report.ts";
import { ratios } from "../common/rounds.ts";
import type { DownloadResult } from "./download.ts";
import type { HttpResult, Sample } from "./rounds.ts";
import { SUBJECTS } from "./subjects.ts";

const number = (value: number) => value >= 100 ? whole(value) : value.toFixed(1);

/** The table of one case. */
export function caseTable({ load, samples, failures }: HttpResult): string {
  const rows = SUBJECTS.flatMap(({ name, title }) => {
    const own = samples.get(name);
    if (own === undefined || own.length === 0) return [];
    const rate = median(own, (sample) => sample.rate);
    const cpu = median(own, (sample) => sample.cpu);
    const reference = samples.get(REFERENCE[load.of]);
    const mib = load.size === undefined ? NONE : number(rate * load.size / 2 ** 20);
    return [[title, number(rate), mib, number(cpu), estimate(ratios(own, reference))]];
  });
  const first = SUBJECTS.find(({ name }) => name === REFERENCE[load.of])!.title;
  const head = [load.title, "responses/s", "MiB/s", "CPU µs/response", `÷ ${first}`];
  return notedTable(head, rows, failureNotes(failures));
}

const REFERENCE = { files: "nginx", hello: "deno-serve" } as const;

/** The table of downloads. */
export function downloadTable(results: readonly DownloadResult[]): string {
  const rows = results.map(({ title, seconds, toCurl }) => [
    title,
    seconds.median.toFixed(2),
    estimate(toCurl),
  ]);
  return table(["1 GiB from nginx to a file", "seconds", "speed ÷ curl"], rows);
}

type Lookup = (load: string, name: string) => readonly Sample[] | undefined;

/**
 * A subject in a case, compared with one in its case: at least so many times as fast, or with no
 * promise if it is not ours and there to compare with.
 */
type Target = readonly [of: string, load: string, to: string, toLoad: string, least?: number];

const TARGETS: readonly Target[] = [
  ["web-deno", "1k", "nginx", "1k", 1],
  ["web-deno", "1k", "deno-serve-1k", "1k", 1.4],
  ...["web-deno", "web-node20", "web-node24"].flatMap((name): Target[] =>
    [
      ...name === "web-deno" ? [] : [[name, "1k", "sirv", "1k", 6] as Target],
      [name, "64k", "sirv", "64k", 2],
      [name, "64k", "nginx", "64k", 0.6],
      [name, "256m", "nginx", "256m", 0.6],
      [name, "256m", "sirv", "256m", 1],
      [name, "256m", "serve", "256m", 1],
    ] as const
  ),
  ["light-deno", "hello", "deno-serve", "hello", 0.8],
  ["request-deno", "hello", "deno-serve", "hello", 0.6],
  ["light-node20", "hello", "http-node20", "hello", 1.5],
  ["light-node24", "hello", "http-node24", "hello", 1.5],
  ["request-node20", "hello", "http-node20", "hello", 0.7],
  ["request-node24", "hello", "http-node24", "hello", 1],
  ["request-node24", "hello", "hono-node24", "hello", 1],
  ...["light-deno", "light-node20", "light-node24"].map((
    name,
  ): Target => [name, "hello-1000", name, "hello", 0.8]),
  ...["nginx-hello", "deno-serve"].map((name): Target => [name, "hello-1000", name, "hello"]),
];

/** The table of what was promised; what was not measured is left out. */
export function targetTable(results: readonly HttpResult[]): string | undefined {
  const of: Lookup = (load, name) =>
    results.find((result) => result.load.name === load)?.samples.get(name);
  const rows = TARGETS.flatMap(([name, load, to, toLoad, least]) => {
    const [own, other] = [of(load, name), of(toLoad, to)];
    const measured = ratios(own, other);
    if (measured === undefined) return [];
    const byCpu = ratios(other, own, ({ cpu }) => cpu);
    const against = load === toLoad ? to : `itself, ${toLoad}`;
    const what = `${name} to ${against}, ${load}`;
    if (least === undefined) return [[what, NONE, estimate(measured), estimate(byCpu), NONE]];
    const { median, error } = measured;
    const holds = median >= least ? "yes" : median + error >= least ? "within the noise" : "no";
    return [[what, `≥ ${least}`, estimate(measured), estimate(byCpu), holds]];
  });
  return promiseTable(rows);
}
