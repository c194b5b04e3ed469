/**
 * The measurements as Markdown, for docs/.
 *
 * @module
 */

import { failureNotes, median, NONE, notedTable, percent, range, whole } from "../common/report.ts";
import { ratios } from "../common/rounds.ts";
import { type Spread, spread } from "../common/stats.ts";
import type { IdleResult } from "./memory.ts";
import type { EchoResult, Sample } from "./rounds.ts";
import { SUBJECTS } from "./subjects.ts";

function title(name: string): string {
  return SUBJECTS.find((subject) => subject.name === name)!.title;
}

/** The table of one case of load, and what could not be measured. */
export function caseTable({ load, samples, failures }: EchoResult): string {
  const c = samples.get("c");
  const rows = [...samples].filter(([, own]) => own.length > 0).map(([name, own]) => {
    const reference = SUBJECTS.find((subject) => subject.name === name)?.reference;
    const to = samples.get(reference ?? "");
    // The CPU time of a process per connection is not the server's own.
    const known = !SUBJECTS.find((s) => s.name === name)?.forks;
    return [
      title(name),
      whole(median(own, ({ rate }) => rate)),
      name === "c" ? "1" : range(ratios(own, c)),
      reference === undefined ? NONE : range(ratios(own, to)),
      known ? median(own, ({ serverCpu }) => serverCpu).toFixed(2) : NONE,
      known && reference !== undefined ? range(lessCpu(own, to)) : NONE,
      known ? percent(median(own, ({ serverBusy }) => serverBusy)) : NONE,
      percent(median(own, ({ loadBusy }) => loadBusy)),
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
  const notes = failureNotes(failures, title);
  if (wasDisturbed(samples)) {
    notes.push("- Other programs used the cores meanwhile: trust what is told by CPU time.");
  }
  return notedTable(head, rows, notes);
}

/** In a closed loop one side or the other is always at work, unless it does not get its core. */
function wasDisturbed(samples: ReadonlyMap<string, readonly Sample[]>): boolean {
  return SUBJECTS.some(({ name, forks }) => {
    const own = samples.get(name) ?? [];
    if (forks || own.length === 0) return false;
    return median(own, ({ serverBusy, loadBusy }) => Math.max(serverBusy, loadBusy)) < 0.9;
  });
}

/** Whether the load generator is fast enough to measure the fastest server. */
export function generatorNote(results: readonly EchoResult[]): string | undefined {
  const samples = results.find(({ load }) => load.name === "64x64")?.samples.get("c") ?? [];
  if (samples.length === 0) return undefined;
  const best = whole(Math.max(...samples.map(({ rate }) => rate)));
  const own = median(samples, ({ loadCpu }) => loadCpu).toFixed(2);
  const server = median(samples, ({ serverCpu }) => serverCpu).toFixed(2);
  const busy = percent(median(samples, ({ serverBusy }) => serverBusy));
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

function kib(value: Spread | undefined): string {
  if (value === undefined) return NONE;
  const [middle, low, high] = [value.median, value.low, value.high].map((v) =>
    (v / 1024).toFixed(1)
  );
  return low === high ? middle : `${middle} (${low} to ${high})`;
}

/** The table of memory per idle connection. */
export function memoryTable(results: readonly IdleResult[], connections: number): string {
  const names = [...results[0].samples.keys()];
  const head = [
    `KiB per idle connection, of ${whole(connections)}`,
    ...results.map(({ load }) => load.title),
  ];
  const rows = names.map((name) => [
    title(name),
    ...results.map(({ samples }) => kib(spread(samples.get(name)!))),
  ]);
  const absent = results.flatMap(({ load, failures }) =>
    failureNotes(failures, (name) => `${title(name)}, ${load.title}`)
  );
  return notedTable(head, rows, absent);
}
