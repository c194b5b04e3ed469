import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { quote } from "../../../lib/cli/io/quote.ts";
import { bytes } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";

test("quote: text stays text", () => {
  assert.equal(quote(bytes("This is the mess")), '"This is the mess"');
  assert.equal(quote(bytes("")), '""');
  assert.equal(quote(bytes("grüß 日本 👋")), '"grüß 日本 👋"');
});

test("quote: what is not text is escaped", () => {
  assert.equal(quote(bytes('a\r\n\t"\\\0\x1b[31m\x7f')), String.raw`"a\r\n\t\"\\\x00\x1b[31m\x7f"`);
  assert.equal(quote(Buffer.from([0xff, 0x41, 0xc3])), String.raw`"\xffA\xc3"`);
  assert.equal(quote(Buffer.from([0xf0, 0x9f, 0x91, 0x41])), String.raw`"\xf0\x9f\x91A"`);
  // Too long for its character, half of a surrogate pair, and no beginning of any.
  const none = Buffer.from([0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf8, 0x88, 0x80, 0x80]);
  assert.equal(quote(none), String.raw`"\xc0\x80\xed\xa0\x80\xf8\x88\x80\x80"`);
  assert.equal(quote(bytes("a\u202eb\u2028")), String.raw`"a\u{202e}b\u{2028}"`);
  assert.equal(quote(bytes("\ufeffa")), String.raw`"\u{feff}a"`);
});

test("quote: what is long is cut, with its length", () => {
  assert.equal(quote(bytes("x".repeat(64))), `"${"x".repeat(64)}"`);
  assert.equal(quote(bytes("x".repeat(65536))), `"${"x".repeat(64)}…" (65536 bytes)`);
  assert.equal(quote(new Uint8Array(20)), `"${String.raw`\x00`.repeat(16)}…" (20 bytes)`);
});
