import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { splits } from "../support/http_helpers.ts";
import { judgeChunked } from "./http_verdicts.ts";
import { test } from "../support/runner.deno.ts";

/** The verdict on a body, which must be the same however it is split. */
function verdictOn(body: string): { content: string; rest: string } | number | "more" {
  const [first, ...others] = splits(Buffer.from(body, "latin1")).map(judgeChunked);
  for (const other of others) assert.deepEqual(other, first);
  return typeof first === "object" && "status" in first ? first.status : first;
}

test("RFC 9112 7.1: chunks, and what is behind them", () => {
  const { content, rest } = verdictOn("5\r\nhello\r\nA\r\n 0123\r\n678\r\n0\r\n\r\nGET /") as {
    content: string;
    rest: string;
  };
  assert.equal(content, "hello 0123\r\n678");
  assert.equal(rest, "GET /");
});

test("RFC 9112 7.1: sizes in either case, with leading zeros, and a last chunk of many zeros", () => {
  for (const body of ["a\r\n0123456789\r\n0\r\n\r\n", "00A\r\n0123456789\r\n0000\r\n\r\n"]) {
    assert.deepEqual(verdictOn(body), { content: "0123456789", rest: "" });
  }
});

test("RFC 9112 7.1: a body that has not ended needs more", () => {
  for (const body of ["", "5", "5\r", "5\r\nhel", "5\r\nhello\r\n0\r\n", "0\r\nX: y\r\n"]) {
    assert.equal(verdictOn(body), "more");
  }
});

test("RFC 9112 7.1: what is not a chunk is 400", () => {
  for (
    const body of [
      "\r\n",
      "x\r\n",
      "-1\r\n",
      "0x5\r\n",
      "5 \r\nhello\r\n",
      " 5\r\nhello\r\n",
      "5\nhello\r\n",
      "5\r\r\nhello",
      "5\r\nhelloX\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhello0\r\n\r\n",
      "5\r\nhello\r\n\r\n",
      "11111111111111111\r\n",
      "fffffffffffff\r\n",
      "0\r\n\n",
      "0\r\nno colon\r\n\r\n",
      "0\r\n: empty\r\n\r\n",
      "0\r\n folded: x\r\n\r\n",
    ]
  ) assert.equal(verdictOn(body), 400, JSON.stringify(body));
});

test("RFC 9112 7.1.1: extensions that are right are ignored, others are 400", () => {
  for (
    const extension of [
      ...[";a", ";a=b", ';a="b;c"', ';a="\\""', ";a;b=c"],
      // BWS
      ...["; a=b", " ; a=b", "\t;\ta", ";a =b", ";a= b", ' ; a = "b c" ; d', " \t ;a"],
    ]
  ) {
    assert.deepEqual(verdictOn(`1${extension}\r\nx\r\n0${extension}\r\n\r\n`), {
      content: "x",
      rest: "",
    });
  }
  for (
    const extension of [
      ...[
        ";",
        ";;a",
        ";a=",
        ';a="b',
        ";a b",
        ";\n",
        ";a=\0",
        " a",
        " ",
        ";a ",
        "; ",
        ";a = ",
        "\xa0;a",
      ],
    ]
  ) {
    assert.equal(verdictOn(`1${extension}\r\nx\r\n0\r\n\r\n`), 400, extension);
  }
  assert.equal(verdictOn(`1;${"a".repeat(300)}\r\nx\r\n`), 400);
});

test("RFC 9112 7.1.2: trailer fields are dropped, and limited", () => {
  assert.deepEqual(verdictOn("1\r\nx\r\n0\r\nVary: *\r\nX: y\r\n\r\n"), { content: "x", rest: "" });
  assert.equal(verdictOn(`0\r\nX: ${"y".repeat(9000)}\r\n\r\n`), 431);
});
