import assert from "node:assert/strict";
import {
  type Conditions,
  evaluate,
  parseHttpDate,
  rangeHolds,
} from "../../lib/files/conditions.ts";
import { test } from "../support/runner.deno.ts";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";
const TIME = Date.UTC(1994, 10, 6, 8, 49, 37);
const STRONG = { etag: '"x,y"', lastModified: TIME };
const WEAK = { etag: 'W/"x,y"', lastModified: TIME };

test("RFC 9110 13.1: each condition by itself", () => {
  for (
    const [conditions, strong, weak] of [
      [{}, 200, 200],
      [{ ifMatch: '"x,y"' }, 200, 412],
      [{ ifMatch: 'W/"x,y"' }, 412, 412],
      [{ ifMatch: '"a", "x,y" ,"b"' }, 200, 412],
      [{ ifMatch: '"a"' }, 412, 412],
      [{ ifMatch: "*" }, 200, 200],
      [{ ifMatch: "x,y" }, 412, 412],
      [{ ifMatch: "" }, 412, 412],
      [{ ifNoneMatch: '"x,y"' }, 304, 304],
      [{ ifNoneMatch: 'W/"x,y"' }, 304, 304],
      [{ ifNoneMatch: '"a",W/"x,y"' }, 304, 304],
      [{ ifNoneMatch: '"x"' }, 200, 200],
      [{ ifNoneMatch: '"X,Y"' }, 200, 200],
      [{ ifNoneMatch: "*" }, 304, 304],
      [{ ifNoneMatch: "x,y" }, 200, 200],
      [{ ifModifiedSince: DATE }, 304, 304],
      [{ ifModifiedSince: AFTER }, 304, 304],
      [{ ifModifiedSince: BEFORE }, 200, 200],
      [{ ifModifiedSince: "yesterday" }, 200, 200],
      [{ ifUnmodifiedSince: DATE }, 200, 200],
      [{ ifUnmodifiedSince: AFTER }, 200, 200],
      [{ ifUnmodifiedSince: BEFORE }, 412, 412],
      [{ ifUnmodifiedSince: "yesterday" }, 200, 200],
    ] as [Conditions, number, number][]
  ) {
    assert.equal(evaluate(conditions, STRONG), strong, JSON.stringify(conditions));
    assert.equal(evaluate(conditions, WEAK), weak, `weakly ${JSON.stringify(conditions)}`);
  }
});

test("RFC 9110 13.2.2: the order of precedence", () => {
  for (
    const [conditions, status] of [
      // If-Match outdoes If-Unmodified-Since.
      [{ ifMatch: '"x,y"', ifUnmodifiedSince: BEFORE }, 200],
      [{ ifMatch: '"a"', ifUnmodifiedSince: AFTER }, 412],
      // What has to hold is looked at first.
      [{ ifMatch: '"a"', ifNoneMatch: '"x,y"' }, 412],
      [{ ifMatch: '"x,y"', ifNoneMatch: '"x,y"' }, 304],
      [{ ifUnmodifiedSince: BEFORE, ifModifiedSince: DATE }, 412],
      [{ ifUnmodifiedSince: DATE, ifModifiedSince: DATE }, 304],
      // If-None-Match outdoes If-Modified-Since.
      [{ ifNoneMatch: '"a"', ifModifiedSince: DATE }, 200],
      [{ ifNoneMatch: '"x,y"', ifModifiedSince: BEFORE }, 304],
    ] as [Conditions, number][]
  ) assert.equal(evaluate(conditions, STRONG), status, JSON.stringify(conditions));
});

test("RFC 9110 13.1.5: If-Range holds for the very same representation only", () => {
  const later = TIME + 3_600_000;
  assert.ok(rangeHolds('"x,y"', STRONG, later));
  for (const value of ['W/"x,y"', '"x"', "*", '"a","x,y"', "", AFTER, BEFORE, "yesterday"]) {
    assert.ok(!rangeHolds(value, STRONG, later), value);
  }
  for (const value of ['W/"x,y"', '"x,y"']) assert.ok(!rangeHolds(value, WEAK, later), value);
  assert.ok(rangeHolds(DATE, STRONG, later));
  assert.ok(!rangeHolds(DATE, STRONG, TIME + 500), "it may yet change within the same second");
});

test("RFC 9110 5.6.7: dates in the three formats, and nothing else", () => {
  const now = Date.UTC(2026, 0, 1);
  for (
    const [text, time] of [
      [DATE, TIME],
      ["Sunday, 06-Nov-94 08:49:37 GMT", TIME],
      ["Sun Nov  6 08:49:37 1994", TIME],
      ["Wed Nov 16 08:49:37 1994", TIME + 10 * 86_400_000],
      ["Saturday, 01-Jan-76 00:00:00 GMT", Date.UTC(2076, 0, 1)],
      ["Saturday, 01-Jan-77 00:00:00 GMT", Date.UTC(1977, 0, 1)],
      ["Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
    ] as const
  ) assert.equal(parseHttpDate(text, now), time, text);
  for (
    const text of [
      "",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "sun, 06 nov 1994 08:49:37 gmt",
      "Sun, 31 Feb 1994 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "1994-11-06T08:49:37Z",
      "784111777",
    ]
  ) assert.equal(parseHttpDate(text, now), undefined, text);
});
