// Counted nouns in messages.

import assert from "node:assert/strict";
import { counted } from "../../lib/base/counted.ts";
import { FrameDecoder, lengthPrefix } from "../../lib/frames/mod.ts";
import { test } from "../support/runner.deno.ts";

test("counted: one is singular, and all others plural", () => {
  assert.equal(counted(0, "byte"), "0 bytes");
  assert.equal(counted(1, "byte"), "1 byte");
  assert.equal(counted(2, "byte"), "2 bytes");
  assert.equal(counted(1234, "file", "1,234"), "1,234 files");
});

test("frames: an error about one byte says so", () => {
  const decoder = new FrameDecoder(lengthPrefix("u16", { maxSize: 1 }));
  decoder.push(new Uint8Array([0, 2]));
  assert.throws(() => decoder.next(), /it has 2 bytes, over the limit of 1 \(TOO_LARGE\)/);
  const short = new FrameDecoder(lengthPrefix("u16"));
  short.push(new Uint8Array([0]));
  assert.equal(short.next(), null);
  short.end();
  assert.throws(() => short.next(), /\b1 byte, at least 1 more/);
});
