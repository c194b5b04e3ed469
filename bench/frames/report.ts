/**
 * The measurements of frames as Markdown, and what the project has promised beside them.
 *
 * @module
 */

import {
  estimate,
  failureNotes,
  median,
  notedTable,
  promiseTable,
  table,
  whole,
} from "../common/report.ts";
import { ratios } from "../common/rounds.ts";
import { type Spread, spread } from "../common/stats.ts";
import { lessCpu } from "../echo/report.ts";
import type { EchoResult } from "../echo/rounds.ts";
import { SUBJECTS } from "./subjects.ts";

/** What one slice in memory showed: frames per second, and per second of CPU time. */
export interface Rate {
  readonly rate: number;
  readonly cpuRate: number;
}

/** The rates of one runtime, by task. */
export interface RatesOf {
  readonly title: string;
  readonly rates: readonly { readonly name: string; readonly samples: readonly Rate[] }[];
}

const millions = (value: Spread) =>
  `${(value.median / 1e6).toFixed(1)} ± ${(value.error / 1e6).toFixed(1)}`;

function rateOf(of: RatesOf, name: string, value: (sample: Rate) => number): Spread {
  return spread(of.rates.find((rates) => rates.name === name)!.samples.map(value))!;
}

/** The table of rates in memory, in millions of frames per second of CPU time. */
export function rateTable(results: readonly RatesOf[]): string {
  const names = results[0].rates.map(({ name }) => name);
  const rows = names.map((name) => [
    name,
    ...results.map((of) => millions(rateOf(of, name, ({ cpuRate }) => cpuRate))),
  ]);
  return table(["millions of 64 B frames per CPU second", ...results.map((of) => of.title)], rows);
}

/** The table of echo servers. */
export function echoTable({ load, samples, failures }: EchoResult): string {
  const rows = SUBJECTS.flatMap(({ name, title, reference = "" }) => {
    const [own, to] = [samples.get(name) ?? [], samples.get(reference)];
    if (own.length === 0) return [];
    const rate = median(own, (sample) => sample.rate);
    const cpu = median(own, (sample) => sample.serverCpu);
    return [[
      title,
      whole(rate),
      cpu.toFixed(2),
      estimate(ratios(own, to)),
      estimate(lessCpu(own, to)),
    ]];
  });
  const head = [load.title, "messages/s", "CPU µs/message", "÷ echo()", "÷ echo(), by CPU"];
  return notedTable(head, rows, failureNotes(failures));
}

/** The table of targets. */
export function targetTable(rates: readonly RatesOf[], echo: EchoResult): string | undefined {
  const rows: string[][] = [];
  const deno = rates.find(({ title }) => title === "Deno");
  if (deno !== undefined) {
    const rate = rateOf(deno, "decode u32", (sample) => sample.rate);
    const cpuRate = rateOf(deno, "decode u32", (sample) => sample.cpuRate);
    rows.push([
      "u32 frames of 64 B decoded on Deno, millions/s",
      "≥ 5",
      millions(rate),
      millions(cpuRate),
      rate.median >= 5e6 ? "yes" : "no",
    ]);
  }
  const [own, to] = [echo.samples.get("frames-deno"), echo.samples.get("bytes-deno")];
  const ratio = ratios(own, to);
  if (ratio !== undefined) {
    rows.push([
      "frames echoed on Deno to bytes echoed by echo()",
      "≥ 0.8",
      estimate(ratio),
      estimate(lessCpu(own, to)),
      ratio.median >= 0.8 ? "yes" : "no",
    ]);
  }
  return promiseTable(rows);
}
