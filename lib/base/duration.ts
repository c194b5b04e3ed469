/**
 * Durations as people write them.
 *
 * @module
 */

/** The units of time, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration with its unit: `500ms`, `1.5s`, `5m`. Returns milliseconds, or undefined if it is
 * not one. A number without a unit has `unit`; without that it is not a duration.
 */
export function parseDuration(text: string, unit?: "ms" | "s"): number | undefined {
  const [, digits, found = unit] = /^(\d+\.?\d*|\.\d+) ?(ms|s|m|min|h|d)?$/i.exec(text) ?? [];
  if (digits === undefined || found === undefined) return undefined;
  return Number(digits) * UNITS[found.toLowerCase()];
}
