/**
 * The measurements of relays as Markdown, for docs/.
 *
 * @module
 */

import {
  estimate,
  failureNotes,
  holds,
  median,
  NONE,
  notedTable,
  percent,
  promiseTable,
  range,
  whole,
} from "../common/report.ts";
import { ratios } from "../common/rounds.ts";
import { lessCpu } from "../echo/report.ts";
import type { EchoResult } from "../echo/rounds.ts";
import type { Subject } from "../echo/subjects.ts";

/** The names of our own relays. */
const OWN = ["deno", "node20", "node24"];

/** What is promised. */
const TARGETS = [
  { load: "8x64k", to: "socat", least: 0.7 },
  { load: "8x64k", to: "socat-64k", least: 0.7 },
  { load: "8x64k", to: "haproxy", least: 0.7 },
  { load: "conns", to: "socat", least: 1 },
];

/** The table of one case, and what could not be measured. */
export function caseTable(
  { load, samples, failures }: EchoResult,
  subjects: readonly Subject[],
): string {
  const [socat, haproxy] = [samples.get("socat"), samples.get("haproxy")];
  const rows = subjects.flatMap(({ name, title, forks }) => {
    const own = samples.get(name) ?? [];
    if (own.length === 0) return [];
    return [[
      title,
      whole(median(own, ({ rate }) => rate)),
      name === "socat" ? "1" : range(ratios(own, socat)),
      name === "haproxy" ? "1" : range(ratios(own, haproxy)),
      // The CPU time of a process for each connection is not the relay's own.
      forks ? NONE : median(own, ({ serverCpu }) => serverCpu).toFixed(1),
      forks ? NONE : percent(median(own, ({ serverBusy }) => serverBusy)),
      percent(median(own, ({ loadBusy }) => loadBusy)),
    ]];
  });
  const head = [
    load.title,
    `${load.name === "conns" ? "connections" : "messages"}/s`,
    "÷ socat",
    "÷ HAProxy",
    "CPU µs for each",
    "relay busy",
    "generator busy",
  ];
  return notedTable(head, rows, failureNotes(failures));
}

/** Whether the promises hold; nothing if none of them was measured. */
export function targetTable(results: readonly EchoResult[]): string | undefined {
  const rows = TARGETS.flatMap(({ load, to, least }) => {
    const result = results.find((result) => result.load.name === load);
    if (result === undefined) return [];
    const { samples } = result;
    return OWN.flatMap((name) => {
      const measured = ratios(samples.get(name), samples.get(to));
      if (measured === undefined) return [];
      const byCpu = to === "haproxy" ? lessCpu(samples.get(name), samples.get(to)) : undefined;
      return [[
        `plainsocket-${name} to ${to}, ${result.load.title}`,
        `${least === 1 ? ">" : "≥"} ${least}`,
        estimate(measured),
        estimate(byCpu),
        holds(measured, least),
      ]];
    });
  });
  return promiseTable(rows);
}
