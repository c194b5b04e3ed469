/**
 * The measurements of relays as Markdown, for docs/.
 *
 * @module
 */

import { type Spread, spread } from "../common/stats.ts";
import { NONE, table } from "../common/table.ts";
import { estimate, lessCpu } from "../echo/report.ts";
import { ratios } from "../common/rounds.ts";
import type { EchoResult, Sample } from "../echo/rounds.ts";
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
      Math.round(middle(own, ({ rate }) => rate)).toLocaleString("en"),
      name === "socat" ? "1" : ratio(ratios(own, socat)),
      name === "haproxy" ? "1" : ratio(ratios(own, haproxy)),
      // The CPU time of a process for each connection is not the relay's own.
      forks ? NONE : middle(own, ({ serverCpu }) => serverCpu).toFixed(1),
      forks ? NONE : percent(middle(own, ({ serverBusy }) => serverBusy)),
      percent(middle(own, ({ loadBusy }) => loadBusy)),
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
  const notes = [...failures].map(([name, why]) => `- ${name}: ${why}`);
  return [table(head, rows), ...notes.length > 0 ? ["", ...notes] : []].join("\n");
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
      const { median, error } = measured;
      const close = Math.abs(median - least) < error ? ", within the noise" : "";
      return [[
        `plainsocket-${name} to ${to}, ${result.load.title}`,
        `${least === 1 ? ">" : "≥"} ${least}`,
        estimate(measured),
        estimate(byCpu),
        (median >= least ? "yes" : "no") + close,
      ]];
    });
  });
  if (rows.length === 0) return undefined;
  return table(["target", "promised", "measured", "by CPU time", "holds"], rows);
}

function middle(samples: readonly Sample[], value: (sample: Sample) => number): number {
  return spread(samples.map(value))!.median;
}

/** A ratio with its quartiles: how far the rounds differed. */
function ratio(value: Spread | undefined): string {
  if (value === undefined) return NONE;
  const { median, low, high } = value;
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
