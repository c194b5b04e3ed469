// What it costs to read bytes from the network: 16 times as many must not cost 256 times as much.

import { Buffer } from "node:buffer";
import { decodeFrames, lines } from "../../lib/frames/mod.ts";
import { bodyLengthOf } from "../../lib/http/message/response_framing.ts";
import { ResponseHeadParser } from "../../lib/http/message/response_head.ts";
import { parseUrl } from "../../lib/http/client/url.ts";
import { framingOf } from "../../lib/http/message/request_framing.ts";
import { HeadParser } from "../../lib/http/message/request_head.ts";
import { evaluate, parseHttpDate } from "../../lib/files/conditions.ts";
import { parseAcceptEncoding } from "../../lib/files/accept_encoding.ts";
import { parseTarget } from "../../lib/files/path.ts";
import { parseRange } from "../../lib/files/ranges.ts";
import { assertGrowth } from "../support/growth.ts";
import { test } from "../support/runner.deno.ts";

/** Values that regular expressions have been slow on: much of one kind, and then what does not fit. */
const SHAPES: Readonly<Record<string, (n: number) => string>> = {
  "blanks inside": (n) => `close${" ".repeat(n)}x, close`,
  "tabs and blanks": (n) => `${"\t ".repeat(n / 2)}x`,
  "commas": (n) => ",".repeat(n),
  "commas and blanks": (n) => ", ".repeat(n / 2),
  "quotes": (n) => '"'.repeat(n),
  "an open quote": (n) => `W/"${"a".repeat(n)}`,
  "semicolons": (n) => `gzip${";".repeat(n)}`,
  "letters": (n) => "a".repeat(n),
  "digits": (n) => `bytes=${"9".repeat(n)}-`,
  "slashes": (n) => "/".repeat(n),
  "dots": (n) => "/..".repeat(n / 3),
  "at signs": (n) => "@".repeat(n),
  "colons": (n) => ":".repeat(n),
  "per cents": (n) => "%41".repeat(n / 3),
};

/** Whatever takes such a value from a peer. It may throw: what is wrong is refused. */
const READERS: Readonly<Record<string, (value: string) => unknown>> = {
  "a head with each field that is looked at": (value) => {
    const fields = ["Host: a", ...["Connection", "X-Other"].map((name) => `${name}: ${value}`)];
    const text = `GET / HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`;
    const parser = new HeadParser({ requestLine: 2 ** 20, headerBytes: 2 ** 20, headerCount: 100 });
    const chunk = Buffer.from(text, "latin1");
    parser.parse(chunk, 0, chunk.length);
    return framingOf(parser.take());
  },
  "Transfer-Encoding": (value) =>
    framingOf({
      method: "POST",
      target: "/",
      minor: 1,
      headers: ["Host", "a", "Transfer-Encoding", value],
    }),
  "Host": (value) => framingOf({ method: "GET", target: "/", minor: 1, headers: ["Host", value] }),
  "an absolute target": (value) =>
    framingOf({ method: "GET", target: `http://${value}`, minor: 1, headers: ["Host", "a"] }),
  "Transfer-Encoding of a response": (value) =>
    bodyLengthOf(
      { status: 200, minor: 1, reason: "", headers: ["Transfer-Encoding", value] },
      "GET",
    ),
  "the folded head of a response, in pieces": (value) =>
    parseReply(`X: ${value.replace(/.{8}/g, "$&\r\n ")}`, 3),
  "Location": (value) => parseUrl(`http://${value}`),
  "Range": (value) => parseRange(`bytes=${value}`, 1000),
  "Accept-Encoding": parseAcceptEncoding,
  "If-None-Match": (value) => evaluate({ ifNoneMatch: value }, { etag: '"x"', lastModified: 0 }),
  "If-Modified-Since": (value) => parseHttpDate(value),
  "a path": (value) => parseTarget(`/${value}`),
  "lines": (value) => decodeFrames(lines({ maxSize: 2 ** 20 }), Buffer.from(value)),
};

/** Parses the head of a response that has these lines, and comes in pieces of so many bytes. */
function parseReply(lines: string, size: number): unknown {
  const chunk = Buffer.from(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`, "latin1");
  const limits = { statusLine: 2 ** 20, headerBytes: 2 ** 20, headerCount: 2 ** 20 };
  const parser = new ResponseHeadParser(limits);
  for (let at = 0; at < chunk.length; at += size) {
    parser.parse(chunk, at, Math.min(at + size, chunk.length));
  }
  return bodyLengthOf(parser.take(), "GET");
}

for (const [reader, read] of Object.entries(READERS)) {
  test(`growth: ${reader} of 16 KiB costs no more than some 16 times as much as of 1 KiB`, () => {
    for (const [shape, make] of Object.entries(SHAPES)) {
      const [short, long] = [make(1024), make(16 * 1024)];
      assertGrowth(80, shape, () => read(short), () => read(long));
    }
  });
}

test("growth: the head of a response that comes byte by byte costs no more for each byte the longer it is", () => {
  const trickle = (n: number) => () => parseReply(`X: ${"a".repeat(n)}`, 1);
  // 8 times as many; if each cost more, it would be 64 times as much.
  assertGrowth(32, "a head", trickle(32 * 1024), trickle(256 * 1024));
});
