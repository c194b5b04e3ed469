/**
 * The measurements as Markdown, and what the project has promised beside them.
 *
 * @module
 */

import {
  estimate,
  failureNotes,
  holds,
  median,
  notedTable,
  promiseTable,
  table,
  whole,
} from "../common/report.ts";
import { ratios } from "../common/rounds.ts";
import type { TlsResult } from "./rounds.ts";
import { SUBJECTS } from "./subjects.ts";

/** What all are compared with. */
const REFERENCE = "nginx";

/** The table of one case. */
export function caseTable({ load, samples, failures }: TlsResult): string {
  const rows = SUBJECTS.flatMap(({ name, title }) => {
    const own = samples.get(name);
    if (own === undefined || own.length === 0) return [];
    const reference = samples.get(REFERENCE);
    const rate = median(own, (sample) => sample.rate);
    const cpu = median(own, (sample) => sample.cpu);
    const byCpu = ratios(reference, own, (sample) => sample.cpu);
    const time = cpu >= 100 ? whole(cpu) : cpu.toFixed(1);
    return [[title, whole(rate), time, estimate(ratios(own, reference)), estimate(byCpu)]];
  });
  const [one, several] = load.of;
  const head = [load.title, `${several}/s`, `CPU µs/${one}`, "÷ nginx", "÷ nginx, by CPU time"];
  return notedTable(head, rows, failureNotes(failures));
}

/** The table of what idle connections take, in bytes. */
export function idleTable(bytes: ReadonlyMap<string, number>): string {
  const rows = [...bytes].map(([title, size]) => [title, (size / 1024).toFixed(1)]);
  return table(["1,000 connections that shook hands and say nothing", "KiB/connection"], rows);
}

/** So much of nginx's rate is promised, by case. */
const PROMISED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "web-deno": { requests: 0.45, handshakes: 0.6, bytes: 0.6 },
  "web-node20": { requests: 0.7, handshakes: 0.8, bytes: 0.8 },
  "web-node24": { requests: 0.7, handshakes: 0.8, bytes: 0.8 },
  "web-node26": { requests: 0.7, handshakes: 0.8, bytes: 0.8 },
};

/** The table of what was promised; what was not measured is left out. */
export function targetTable(results: readonly TlsResult[]): string | undefined {
  const rows = Object.entries(PROMISED).flatMap(([name, promised]) =>
    results.flatMap(({ load, samples }) => {
      const least = promised[load.name];
      const [own, reference] = [samples.get(name), samples.get(REFERENCE)];
      const measured = ratios(own, reference);
      if (measured === undefined) return [];
      const byCpu = estimate(ratios(reference, own, ({ cpu }) => cpu));
      const what = `${name} to ${REFERENCE}, ${load.name}`;
      return [[what, `≥ ${least}`, estimate(measured), byCpu, holds(measured, least)]];
    })
  );
  return promiseTable(rows);
}
