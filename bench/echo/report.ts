/**
 * The measurements as Markdown, for docs/.
 *
 * @module
 */

import type { IdleResult } from "./memory.ts";
import { ratios } from "../common/rounds.ts";
import type { EchoResult, Sample } from "./rounds.ts";
import { type Spread, spread } from "../common/stats.ts";
import { NONE, table } from "../common/table.ts";
import { SUBJECTS } from "./subjects.ts";

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? NONE : value.toFixed(digits);
}

/** A ratio with its quartiles: how far the rounds differed. */
function ratio(value: Spread | undefined): string {
  if (value === undefined) return NONE;
  return `${fixed(value.median, 2)} (${fixed(value.low, 2)} to ${fixed(value.high, 2)})`;
}

/** A ratio and how far it may be off. */
export function estimate(value: Spread | undefined): string {
  return value === undefined ? NONE : `${fixed(value.median, 2)} ± ${fixed(value.error, 2)}`;
}

function title(name: string): string {
  return SUBJECTS.find((subject) => subject.name === name)!.title;
}

function middle(samples: readonly Sample[], value: (sample: Sample) => number): number | undefined {
  return spread(samples.map(value))?.median;
}

/** The table of one case of load, and what could not be measured. */
export function caseTable({ load, samples, failures }: EchoResult): string {
  const c = samples.get("c");
  const rows = [...samples].filter(([, own]) => own.length > 0).map(([name, own]) => {
    const reference = SUBJECTS.find((subject) => subject.name === name)?.reference;
    const to = samples.get(reference ?? "");
    const cpu = middle(own, (sample) => sample.serverCpu);
    // The CPU time of a process per connection is not the server's own.
    const known = !SUBJECTS.find((s) => s.name === name)?.forks;
    return [
      title(name),
      Math.round(middle(own, (sample) => sample.rate)!).toLocaleString("en"),
      name === "c" ? "1" : ratio(ratios(own, c)),
      reference === undefined ? NONE : ratio(ratios(own, to)),
      known ? fixed(cpu, 2) : NONE,
      known && reference !== undefined ? ratio(lessCpu(own, to)) : NONE,
      known ? percent(middle(own, (sample) => sample.serverBusy)) : NONE,
      percent(middle(own, (sample) => sample.loadBusy)),
    ];
  });
  const head = [
    load.title,
    "messages/s",
    "÷ C",
    "÷ reference",
    "CPU µs/message",
    "÷ reference, by CPU",
    "server busy",
    "generator busy",
  ];
  const notes = [...failures].map(([name, why]) => `- ${title(name)}: ${why}`);
  if (wasDisturbed(samples)) {
    notes.push("- Other programs used the cores meanwhile: trust what is told by CPU time.");
  }
  return [table(head, rows), ...notes.length > 0 ? ["", ...notes] : []].join("\n");
}

/** In a closed loop one side or the other is always at work, unless it does not get its core. */
function wasDisturbed(samples: ReadonlyMap<string, readonly Sample[]>): boolean {
  return SUBJECTS.some(({ name, forks }) => {
    const own = samples.get(name) ?? [];
    if (forks || own.length === 0) return false;
    return middle(own, ({ serverBusy, loadBusy }) => Math.max(serverBusy, loadBusy))! < 0.9;
  });
}

/** Whether the load generator is fast enough to measure the fastest server. */
export function generatorNote(results: readonly EchoResult[]): string | undefined {
  const samples = results.find(({ load }) => load.name === "64x64")?.samples.get("c") ?? [];
  if (samples.length === 0) return undefined;
  const best = Math.round(Math.max(...samples.map(({ rate }) => rate))).toLocaleString("en");
  const own = fixed(middle(samples, ({ loadCpu }) => loadCpu), 2);
  const server = fixed(middle(samples, ({ serverCpu }) => serverCpu), 2);
  const busy = percent(middle(samples, ({ serverBusy }) => serverBusy));
  return `The load generator drives the C loop to ${best} messages/s (64 B on 64 connections, best ` +
    `round), and takes ${own} µs of CPU time for a message where the C loop takes ${server} µs. ` +
    `The C loop's core is then ${busy} busy; at nearly 100 %, it is the server that sets the pace.`;
}

/** How many times a subject's CPU time for a message fits in its reference's: above 1 is better. */
export function lessCpu(
  own: readonly Sample[] | undefined,
  reference: readonly Sample[] | undefined,
): Spread | undefined {
  return ratios(reference, own, (sample) => sample.serverCpu);
}

function percent(value: number | undefined): string {
  return value === undefined ? NONE : `${Math.round(value * 100)} %`;
}

function kib(value: Spread | undefined): string {
  if (value === undefined) return NONE;
  const [median, low, high] = [value.median, value.low, value.high].map((v) => fixed(v / 1024, 1));
  return low === high ? median : `${median} (${low} to ${high})`;
}

/** The table of memory per idle connection. */
export function memoryTable(results: readonly IdleResult[], connections: number): string {
  const names = [...results[0].samples.keys()];
  const head = [
    `KiB per idle connection, of ${connections.toLocaleString("en")}`,
    ...results.map(({ load }) => load.title),
  ];
  const rows = names.map((name) => [
    title(name),
    ...results.map(({ samples }) => kib(spread(samples.get(name)!))),
  ]);
  const absent = results.flatMap(({ load, failures }) =>
    [...failures].map(([name, why]) => `- ${title(name)}, ${load.title}: ${why}`)
  );
  return [table(head, rows), ...absent.length > 0 ? ["", ...absent] : []].join("\n");
}
