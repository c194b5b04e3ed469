/**
 * The name that was meant by a mistyped one, for "did you mean".
 *
 * @module
 */

/**
 * The one of `names` that `word` is most like, for "did you mean". Undefined if none is: a third of
 * the letters may be wrong, or the word is the beginning of one name, and of no other.
 *
 * ```ts
 * import { nearest } from "./nearest.ts";
 * import assert from "node:assert/strict";
 * assert.equal(nearest("prot", ["path", "port"]), "port");
 * assert.equal(nearest("user-agent", ["user"]), undefined);
 * ```
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let found: string | undefined;
  let least = Infinity;
  for (const name of names) {
    const edits = distance(word, name);
    if (edits >= least || edits > Math.floor(Math.max(word.length, name.length) / 3)) continue;
    [found, least] = [name, edits];
  }
  if (found !== undefined || word.length < 3) return found;
  const longer = names.filter((name) => name.startsWith(word));
  return longer.length === 1 ? longer[0] : undefined;
}

/**
 * The number of letters that have to be put in, left out, replaced or swapped with the next one to
 * make `b` of `a`: the Damerau-Levenshtein distance, in its form of "optimal string alignment".
 */
function distance(a: string, b: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length];
}
