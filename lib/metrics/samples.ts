/**
 * What was measured, as plain data, and as the text that Prometheus reads.
 *
 * @module
 */

import { FAMILIES } from "./families.ts";

/**
 * A value that was measured: the name of the metric, after it `_bucket`, `_sum` or `_count` of a
 * histogram; its labels, such as `reason="access"`, joined by commas; and the value. Plain data, which
 * JSON can carry.
 */
export type Sample = readonly [name: string, labels: string, value: number];

/** The media type of {@linkcode formatSamples}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Formats samples in the text format of Prometheus, version 0.0.4. Those of a metric stand together,
 * behind its description. Samples of metrics that are not in the table of docs/operate.md are left out.
 */
export function formatSamples(samples: readonly Sample[]): string {
  const lines = new Map<string, string>();
  for (const [name, labels, value] of samples) {
    const family = Object.hasOwn(FAMILIES, name)
      ? name
      : name.replace(/_(?:bucket|sum|count)$/, "");
    const braces = labels === "" ? "" : `{${labels}}`;
    lines.set(family, `${lines.get(family) ?? ""}${name}${braces} ${value}\n`);
  }
  let text = "";
  for (const [name, { type, help }] of Object.entries(FAMILIES)) {
    const own = lines.get(name);
    if (own !== undefined) text += `# HELP ${name} ${help}.\n# TYPE ${name} ${type}\n${own}`;
  }
  return text;
}

/**
 * Adds up the samples of several processes, such as those of workers: those with the same name and
 * labels become one.
 */
export function addSamples(parts: Iterable<readonly Sample[]>): Sample[] {
  const sums = new Map<string, Sample>();
  for (const part of parts) {
    for (const [name, labels, value] of part) {
      const key = `${name}{${labels}}`;
      sums.set(key, [name, labels, value + (sums.get(key)?.[2] ?? 0)]);
    }
  }
  return [...sums.values()];
}
