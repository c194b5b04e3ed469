// How wide text is on a terminal, and how it is cut and broken.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clipText, textWidth, wrapText } from "../../lib/base/text_width.ts";

test("text width: letters take one column, East Asian ones and emoji two, accents none", () => {
  for (
    const [text, width] of [["abc", 3], ["日本", 4], ["e\u0301", 1], ["😀", 2], ["", 0]] as const
  ) {
    assert.equal(textWidth(text), width, text);
  }
});

test("text width: a text that is cut has no more columns than there are, and says that it goes on", () => {
  assert.equal(clipText("abcdef", 6), "abcdef");
  assert.equal(clipText("abcdef", 4), "abc…");
  assert.equal(clipText("日本語", 4), "日…");
  assert.equal(clipText("abc", 0), "");
});

test("text width: a text is broken between words, and a word that is too long is cut", () => {
  assert.deepEqual(wrapText("the peer reset the connection", 10), [
    "the peer",
    "reset the",
    "connection",
  ]);
  assert.deepEqual(wrapText("abcdefghijkl m", 6), ["abcde…", "m"]);
});
