/**
 * The measurements of WebSocket as Markdown, and what the project has promised beside them.
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
import type { Spread } from "../common/stats.ts";
import type { IdleResult } from "../echo/memory.ts";
import { lessCpu } from "../echo/report.ts";
import type { EchoResult } from "../echo/rounds.ts";
import { CAST, SUBJECTS } from "./subjects.ts";

/** The plain echo of the same runtime. */
function rawOf(name: string): string {
  return name.replace("plainsocket-", "bytes-");
}

/** The table of one case. */
export function caseTable({ load, samples, failures }: EchoResult): string {
  const rows = SUBJECTS.flatMap(({ name, title, reference = "" }) => {
    const own = samples.get(name) ?? [];
    if (own.length === 0) return [];
    const [to, raw] = [samples.get(reference), samples.get(rawOf(name))];
    return [[
      title,
      whole(median(own, ({ rate }) => rate)),
      median(own, ({ serverCpu }) => serverCpu).toFixed(2),
      to === undefined ? NONE : range(ratios(own, to)),
      to === undefined ? NONE : range(lessCpu(own, to)),
      rawOf(name) === name ? NONE : range(ratios(own, raw)),
      rawOf(name) === name ? NONE : range(lessCpu(own, raw)),
      percent(median(own, ({ serverBusy }) => serverBusy)),
    ]];
  });
  const head = [
    load.title,
    "messages/s",
    "CPU µs/message",
    "÷ reference",
    "÷ reference, by CPU",
    "÷ echo()",
    "÷ echo(), by CPU",
    "server busy",
  ];
  return notedTable(head, rows, failureNotes(failures));
}

/** The table of memory. */
export function memoryTable({ samples, failures }: IdleResult, connections: number): string {
  const rows = SUBJECTS.flatMap(({ name, title }) => {
    const own = samples.get(name) ?? [];
    if (own.length === 0) return [];
    const raw = rawOf(name) === name ? [] : samples.get(rawOf(name)) ?? [];
    const kib = (samples: readonly number[]) => median(samples, (n) => n) / 1024;
    return [[
      title,
      kib(own).toFixed(1),
      raw.length === 0 ? NONE : (kib(own) - kib(raw)).toFixed(1),
    ]];
  });
  const head = [`KiB of an idle connection, of ${whole(connections)}`, "in all", "above TCP"];
  return notedTable(head, rows, failureNotes(failures));
}

interface Target {
  readonly title: string;
  readonly least: number;
  readonly measured: Spread | undefined;
  readonly byCpu: Spread | undefined;
}

/** The table of targets; those of which nothing was measured are left out. */
export function targetTable(results: readonly EchoResult[]): string | undefined {
  const target = (load: string, own: string, to: string, least: number): Target => {
    const samples = results.find((result) => result.load.name === load)?.samples;
    const [mine, other] = [own, to].map((name) => samples?.get(name));
    return {
      title: `${own} to ${to}, ${load}`,
      least,
      measured: ratios(mine ?? [], other),
      byCpu: lessCpu(mine ?? [], other),
    };
  };
  const targets = [
    ...["deno", "node20", "node24"].map((on) =>
      target("64x64", `plainsocket-${on}`, `bytes-${on}`, 0.85)
    ),
    target("64x64", "plainsocket-deno", "deno", 1),
    ...["node20", "node24"].flatMap((on) =>
      ["64x64", "8x64k"].map((load) => target(load, `plainsocket-${on}`, `ws-${on}`, 1.2))
    ),
    ...["node20", "node24"].map((on) => target(CAST, `plainsocket-${on}`, `ws-${on}`, 2)),
  ];
  return promiseTable(
    targets.flatMap(({ title, least, measured, byCpu }) =>
      measured === undefined
        ? []
        : [[title, `≥ ${least}`, estimate(measured), estimate(byCpu), holds(measured, least)]]
    ),
  );
}
