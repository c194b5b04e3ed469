import assert from "node:assert/strict";
import { formatSize, parseSize } from "../../lib/base/size.ts";
import { test } from "../support/runner.deno.ts";

test("sizes: are written in units of 1024, with one digit behind the point", () => {
  const sizes: [number, string][] = [
    [0, "0 B"],
    [1, "1 B"],
    [999.6, "1000 B"],
    [1023, "1023 B"],
    [1023.7, "1.0 KiB"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [1023.9 * 1024, "1023.9 KiB"],
    [1023.96 * 1024, "1.0 MiB"],
    [2 ** 30, "1.0 GiB"],
    [1.5 * 2 ** 50, "1.5 PiB"],
    [2 ** 63, "8.0 EiB"],
    [2 ** 73, "8192.0 EiB"],
  ];
  for (const [bytes, text] of sizes) assert.equal(formatSize(bytes), text);
});

test("sizes: what is written can be read again, to within the digits shown", () => {
  for (let bytes = 1; bytes < 2 ** 53; bytes = Math.round(bytes * 1.37) + 1) {
    const read = parseSize(formatSize(bytes))!;
    assert.ok(Math.abs(read - bytes) <= bytes * 0.05, `${bytes} became ${read}`);
  }
});

test("sizes: take the units that people write, binary and decimal, in any case", () => {
  const sizes: Record<string, number> = {
    "0": 0,
    "65536": 65536,
    "5B": 5,
    "5 bytes": 5,
    "64K": 65536,
    "64k": 65536,
    "64Ki": 65536,
    "64KiB": 65536,
    "64 kib": 65536,
    "10kB": 10_000,
    "10MB": 10_000_000,
    "10mb": 10_000_000,
    "10MiB": 10 * 2 ** 20,
    "10M": 10 * 2 ** 20,
    "1.5G": 1.5 * 2 ** 30,
    "1GB": 1e9,
    "2TiB": 2 * 2 ** 40,
    "1PB": 1e15,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
  for (const text of ["", "K", "-1", "1e3", "0x10", "1,5K", "10 MB/s", "1KK", "10iB", ".5K", "∞"]) {
    assert.equal(parseSize(text), undefined, text);
  }
});
