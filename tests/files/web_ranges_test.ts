import assert from "node:assert/strict";
import { contentRange, parseRange } from "../../lib/files/ranges.ts";
import { test } from "../support/runner.deno.ts";

function ranges(value: string, size = 1000): string | undefined {
  return parseRange(value, size)?.map(({ start, end }) => `${start}-${end}`).join(" ");
}

test("RFC 9110 14.1.2: ranges of bytes", () => {
  for (
    const [value, expected, size] of [
      ["bytes=0-499", "0-500"],
      ["bytes=500-999", "500-1000"],
      ["bytes=-500", "500-1000"],
      ["bytes=-1000", "0-1000"],
      ["bytes=-5000", "0-1000"],
      ["bytes=9500-", ""],
      ["bytes=950-", "950-1000"],
      ["bytes=0-", "0-1000"],
      ["bytes=0-0,-1", "0-1 999-1000"],
      ["bytes=999-5000", "999-1000"],
      ["bytes=1000-", ""],
      ["bytes=1000-2000", ""],
      ["bytes=-0", ""],
      ["bytes=5000-6000, 0-1", "0-2"],
      ["BYTES=0-1", "0-2"],
      ["bytes= 0-1 ,\t3-4", "0-2 3-5"],
      ["bytes=,0-1,,", "0-2"],
      ["bytes=00-01", "0-2"],
      [`bytes=0-${"9".repeat(400)}`, "0-1000"],
      [`bytes=${"9".repeat(400)}-`, ""],
      [`bytes=-${"9".repeat(400)}`, "0-1000"],
      ["bytes=0-0", "0-1", 1],
      ["bytes=1-", "", 0],
      ["bytes=-0", "", 0],
      // All of nothing is nothing, and no 206 can say so.
      ["bytes=-5", undefined, 0],
      ["bytes=0-", undefined, 0],
      ["bytes=0-0", undefined, 0],
      ["bytes=1-,0-", undefined, 0],
    ] as const
  ) assert.equal(ranges(value, size), expected, `${value} of ${size}`);
});

test("RFC 9110 14.2: what is not right is ignored", () => {
  for (
    const value of [
      "",
      "bytes",
      "bytes=",
      "bytes=,",
      "bytes=-",
      "bytes=a-b",
      "bytes=1-0",
      "bytes=0-1,5-4",
      "bytes=0-1;2-3",
      "bytes=+0-1",
      "bytes=0x0-1",
      "bytes=0 - 1",
      "bytes =0-1",
      "bytes=0-1-2",
      "bytes=--1",
      "bytes=1.5-2",
      "bytes=0-1, bytes=2-3",
      "bytes:0-1",
      "lines=0-1",
      "0-1",
    ]
  ) assert.equal(ranges(value), undefined, value);
  assert.equal(ranges(`bytes=${"9".repeat(30)}1-${"9".repeat(30)}0`), undefined);
});

test("RFC 9110 15.3.7.2: those that overlap or touch are one, in the order asked for", () => {
  for (
    const [value, expected] of [
      ["bytes=0-9,10-19", "0-20"],
      ["bytes=0-9,11-19", "0-10 11-20"],
      ["bytes=100-199,0-9,150-249", "100-250 0-10"],
      ["bytes=5-9,0-4,20-", "0-10 20-1000"],
      ["bytes=0-,5-6,-3", "0-1000"],
      ["bytes=900-,0-9", "900-1000 0-10"],
    ]
  ) assert.equal(ranges(value), expected, value);
});

test("RFC 9110 17.15: a flood of ranges is ignored", () => {
  const specs = (n: number, step: number) =>
    Array.from({ length: n }, (_, i) => `${i * step}-${i * step}`).join(",");
  assert.equal(parseRange(`bytes=${specs(16, 2)}`, 1000)?.length, 16);
  assert.equal(parseRange(`bytes=${specs(17, 2)}`, 1000), undefined);
  assert.equal(ranges(`bytes=${specs(64, 1)}`), "0-64");
  assert.equal(parseRange(`bytes=${specs(65, 1)}`, 1000), undefined);
  assert.equal(parseRange(`bytes=${"0-,".repeat(5000)}`, 1000), undefined);
});

test("RFC 9110 14.4: Content-Range tells first and last byte, and the size", () => {
  assert.equal(contentRange({ start: 0, end: 500 }, 1234), "bytes 0-499/1234");
});
