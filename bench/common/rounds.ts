/**
 * What all benches do that measure side by side: their subjects take turns in slices, one that fails
 * takes no further part, and what counts is the ratio of two slices of the same round.
 *
 * @module
 */

import { type Spread, spread } from "./stats.ts";
import { Missing } from "./tools.ts";

/** All slices of one case. */
export interface CaseResult<Load, Sample> {
  /** What was measured. */
  readonly load: Load;
  /** By the subject's name, an entry for each round; none of a subject that has failed. */
  readonly samples: Map<string, Sample[]>;
  /** Why a subject has no samples, by its name. */
  readonly failures: Map<string, string>;
}

/** Takes a slice of a subject and keeps what it showed; nothing of a subject that has failed. */
export async function addSample<Sample>(
  { samples, failures }: CaseResult<unknown, Sample>,
  name: string,
  slice: () => Promise<Sample>,
): Promise<void> {
  if (failures.has(name)) return;
  try {
    samples.get(name)!.push(await slice());
  } catch (error) {
    failures.set(name, whyNot(error));
    samples.set(name, []);
  }
}

/** Why something was not measured: it is not installed, or it failed. */
export function whyNot(error: unknown): string {
  if (error instanceof Missing) return error.message;
  return `failed: ${error instanceof Error ? error.message : error}`;
}

/** The exit code: 1 if something failed, which what is not installed has not. */
export function exitCode(reasons: Iterable<string>): number {
  return [...reasons].some((why) => why.startsWith("failed")) ? 1 : 0;
}

/** In every other round the other way round: each goes as often before another as after it. */
export function thereAndBack<T>(items: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? items : items.toReversed();
}

/** How one subject's samples compare with another's of the same rounds. */
export function ratios<Sample extends { readonly rate: number }>(
  of: readonly Sample[] | undefined,
  to: readonly Sample[] | undefined,
  value: (sample: Sample) => number = (sample) => sample.rate,
): Spread | undefined {
  if (of === undefined || to === undefined || of.length !== to.length) return undefined;
  return spread(of.map((sample, round) => value(sample) / value(to[round])));
}
