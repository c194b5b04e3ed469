/**
 * What the project has promised, beside what was measured.
 *
 * @module
 */

import { estimate, holds, NONE, promiseTable } from "../common/report.ts";
import { ratios } from "../common/rounds.ts";
import { type Spread, spread } from "../common/stats.ts";
import type { IdleResult } from "./memory.ts";
import { lessCpu } from "./report.ts";
import type { EchoResult, Sample } from "./rounds.ts";

/** At least so much of something else. */
interface Target {
  readonly title: string;
  /** What is promised; nothing of a server that is not ours, and is there to compare with. */
  readonly least?: number;
  readonly measured: Spread | undefined;
  readonly byCpu?: Spread | undefined;
}

const IDLE_BYTES = 8 * 1024;

/** The table of targets; those of which nothing was measured are left out, and so is an empty one. */
export function targetTable(
  results: readonly EchoResult[],
  idle: readonly IdleResult[],
): string | undefined {
  const of = (load: string, name: string): Sample[] | undefined =>
    results.find((result) => result.load.name === load)?.samples.get(name);
  const rows = [
    ...denoTargets(of),
    ...[20, 24].flatMap((major) => nodeTargets(of, major)),
    ...["plainsocket-deno", "plainsocket-node20", "plainsocket-node24", "c"].map((
      name,
    ): Target => ({
      title: `${name === "c" ? "the C loop" : name}: 1,000 connections to 64`,
      least: name === "c" ? undefined : 0.8,
      measured: ratios(of("1000x64", name), of("64x64", name)),
      byCpu: lessCpu(of("1000x64", name), of("64x64", name)),
    })),
  ].filter(({ measured }) => measured !== undefined).map(row);
  return promiseTable([...rows, ...idleRows(idle)]);
}

type Lookup = (load: string, name: string) => Sample[] | undefined;

const CASES = [["64x64", "64 B × 64"], ["8x64k", "64 KiB × 8"], ["1000x64", "64 B × 1,000"]];

function denoTargets(of: Lookup): Target[] {
  const compared = (load: string, size: string, to: string, toTitle: string, least: number) => ({
    title: `plainsocket-deno to ${toTitle}, ${size}`,
    least,
    measured: ratios(of(load, "plainsocket-deno"), of(load, to)),
    byCpu: lessCpu(of(load, "plainsocket-deno"), of(load, to)),
  });
  return [
    ...CASES.map(([load, size]) => compared(load, size, "bare-deno", "the bare loop", 0.97)),
    compared("64x64", "64 B × 64", "c", "C", 0.65),
    compared("8x64k", "64 KiB × 8", "c", "C", 0.9),
    ...["recorded-sizes", "recorded", "recorded-redacted"].map((name) => ({
      title: `${name} to plainsocket-deno, 64 KiB × 8`,
      least: 0.6,
      measured: ratios(of("8x64k", name), of("8x64k", "plainsocket-deno")),
      byCpu: lessCpu(of("8x64k", name), of("8x64k", "plainsocket-deno")),
    })),
  ];
}

function nodeTargets(of: Lookup, major: number): Target[] {
  return CASES.map(([load, size]) => {
    const [own, pipe] = [of(load, `plainsocket-node${major}`), of(load, `pipe-node${major}`)];
    return {
      title: `plainsocket-node${major} to socket.pipe, ${size}`,
      least: 1,
      measured: ratios(own, pipe),
      byCpu: lessCpu(own, pipe),
    };
  });
}

function row({ title, least, measured, byCpu }: Target): string[] {
  if (least === undefined) return [title, NONE, estimate(measured), estimate(byCpu), NONE];
  return [title, `≥ ${least}`, estimate(measured), estimate(byCpu), holds(measured!, least)];
}

/**
 * Once it has echoed, a connection is compared with the floor of an unused one, and with the floor
 * after the same echo: what lies between the two is the runtime's garbage, not ours.
 */
function idleRows(results: readonly IdleResult[]): string[][] {
  const median = (result: IdleResult | undefined, name: string): number | undefined =>
    spread(result?.samples.get(name) ?? [])?.median;
  const unused = median(results.find(({ load }) => load.size === 0), "floor-deno");
  return results.flatMap((result) => {
    const { size, title } = result.load;
    const own = median(result, "plainsocket-deno");
    const same = median(result, "floor-deno");
    return [
      idleRow(`idle ${title}, above the floor${size > 0 ? " of an unused one" : ""}`, own, unused),
      ...size > 0 ? [idleRow(`idle ${title}, above the floor after the same`, own, same)] : [],
    ].flat();
  });
}

function idleRow(title: string, own: number | undefined, floor: number | undefined): string[][] {
  if (own === undefined || floor === undefined) return [];
  const above = own - floor;
  const measured = `${(above / 1024).toFixed(2)} KiB`;
  return [[
    `plainsocket-deno: ${title}`,
    `≤ ${IDLE_BYTES / 1024} KiB`,
    measured,
    NONE,
    above <= IDLE_BYTES ? "yes" : "no",
  ]];
}
