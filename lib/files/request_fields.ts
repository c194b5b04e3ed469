/**
 * The fields of a request that a file server looks at, found in one pass over all of them.
 *
 * @module
 */

import type { Conditions } from "./conditions.ts";

/** The values of those fields; of one that comes twice, joined by ", ". */
export interface FileFields extends Conditions {
  readonly acceptEncoding?: string;
  readonly range?: string;
  readonly ifRange?: string;
}

/** Their names in lower case, by length: few of the fields of a browser have one of these lengths. */
const NAMES: readonly (readonly [name: string, key: keyof FileFields][] | undefined)[] = (() => {
  const names: [string, keyof FileFields][][] = [];
  for (
    const [name, key] of [
      ["accept-encoding", "acceptEncoding"],
      ["range", "range"],
      ["if-range", "ifRange"],
      ["if-match", "ifMatch"],
      ["if-none-match", "ifNoneMatch"],
      ["if-modified-since", "ifModifiedSince"],
      ["if-unmodified-since", "ifUnmodifiedSince"],
    ] as const
  ) (names[name.length] ??= []).push([name, key]);
  return names;
})();

/** The fields among `headers`, names and values by turns; `undefined` if there are none. */
export function fileFields(headers: readonly string[]): FileFields | undefined {
  let fields: { -readonly [K in keyof FileFields]: string } | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const candidates = NAMES[headers[i].length];
    if (candidates === undefined) continue;
    const wanted = headers[i].toLowerCase();
    for (const [name, key] of candidates) {
      if (name !== wanted) continue;
      fields ??= {};
      const before = fields[key];
      fields[key] = before === undefined ? headers[i + 1] : `${before}, ${headers[i + 1]}`;
    }
  }
  return fields;
}
