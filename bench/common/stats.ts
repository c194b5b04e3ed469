/**
 * The middle of some numbers and how far they spread.
 *
 * @module
 */

/** A median with the quartiles around it. */
export interface Spread {
  /** Half of the numbers are below it. */
  readonly median: number;
  /** A quarter of the numbers is below it. */
  readonly low: number;
  /** A quarter of the numbers is above it. */
  readonly high: number;
  /** How far the median may be off: in 95 of 100 cases no more than this. */
  readonly error: number;
}

/** The spread of some numbers; undefined if there are none. */
export function spread(numbers: readonly number[]): Spread | undefined {
  if (numbers.length === 0) return undefined;
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part: number): number => {
    const place = part * (sorted.length - 1);
    const below = Math.floor(place);
    const above = sorted[Math.ceil(place)];
    return sorted[below] + (above - sorted[below]) * (place - below);
  };
  const [low, median, high] = [at(0.25), at(0.5), at(0.75)];
  // For numbers spread normally: 1.96 standard errors of a median, each 1.25 s / √n, where the
  // quartiles lie 1.35 s apart.
  return { median, low, high, error: 1.82 * (high - low) / Math.sqrt(sorted.length) };
}
