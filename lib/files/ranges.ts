/**
 * Range requests: what of a representation a client asks for (RFC 9110 section 14).
 *
 * @module
 */

import { membersOf } from "../http/message/fields.ts";

/** A part of a representation; `end` is behind its last byte. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/** More parts than this in one response are not worth their frames. */
const MOST_PARTS = 16;

/** A client that names more ranges than this, however they overlap, is not served them. */
const MOST_SPECS = 64;

/**
 * Parses the value of a Range field for a representation of `size` bytes. Returns its parts in the
 * order asked for, those that overlap or touch made one; none of them if the field is right but
 * nothing can be had of it (416). `undefined` if the field is to be ignored: it is not right, of
 * another unit than bytes, or asks for too many parts.
 */
export function parseRange(value: string, size: number): Slice[] | undefined {
  const unit = /^bytes=/i.exec(value);
  if (unit === null) return undefined;
  const specs = membersOf(value.slice(unit[0].length)).filter((spec) => spec !== "");
  if (specs.length === 0 || specs.length > MOST_SPECS) return undefined;
  const slices: Slice[] = [];
  for (const spec of specs) {
    const slice = parseSpec(spec, size);
    if (slice === undefined) return undefined;
    if (slice.start < slice.end) slices.push(slice);
    // All of nothing, or the last bytes of it, can be had, but no 206 can say so.
    else if (slice.start === 0) return undefined;
  }
  const merged = merge(slices);
  return merged.length > MOST_PARTS ? undefined : merged;
}

/** One range; `undefined` if it is not right, empty if it cannot be had. */
function parseSpec(spec: string, size: number): Slice | undefined {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  if (match === null) return undefined;
  const [, first, last] = match;
  if (first === "") {
    if (last === "") return undefined;
    const length = Number(last);
    if (length === 0) return NOTHING;
    return { start: Math.max(0, size - length), end: size };
  }
  if (last !== "" && isLess(last, first)) return undefined;
  const start = Number(first);
  if (start >= size && start > 0) return NOTHING;
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/** A position after the end of any file. */
const NOTHING: Slice = { start: Infinity, end: Infinity };

/** Compares digits, of which there may be more than a number holds. */
function isLess(a: string, b: string): boolean {
  return BigInt(a) < BigInt(b);
}

/** Makes one of those that overlap or touch; it takes the place of the first of them. */
function merge(slices: readonly Slice[]): Slice[] {
  const sorted = slices.map((slice, order) => ({ ...slice, order }))
    .sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number; order: number }[] = [];
  for (const slice of sorted) {
    const last = merged.at(-1);
    if (last === undefined || slice.start > last.end) merged.push(slice);
    else {
      last.end = Math.max(last.end, slice.end);
      last.order = Math.min(last.order, slice.order);
    }
  }
  return merged.sort((a, b) => a.order - b.order).map(({ start, end }) => ({ start, end }));
}

/** The value of Content-Range of a part. */
export function contentRange({ start, end }: Slice, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}
