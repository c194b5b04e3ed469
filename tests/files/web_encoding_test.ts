import assert from "node:assert/strict";
import { type Coding, mostWanted, parseAcceptEncoding } from "../../lib/files/accept_encoding.ts";
import { isCompressible, mediaTypeOf } from "../../lib/files/media_type.ts";
import { test } from "../support/runner.deno.ts";

const ALL: readonly Coding[] = ["br", "zstd", "gzip", "identity"];

function chosen(value: string | undefined, codings = ALL): Coding | undefined {
  return mostWanted(parseAcceptEncoding(value), codings.map((coding) => ({ coding })))?.coding;
}

test("RFC 9110 12.5.3: the coding most wanted, of those wanted alike the best", () => {
  for (
    const [value, expected] of [
      [undefined, "identity"],
      ["", "identity"],
      ["gzip", "gzip"],
      ["GZip", "gzip"],
      ["x-gzip", "gzip"],
      ["gzip, deflate, br, zstd", "br"],
      ["gzip, deflate", "gzip"],
      ["deflate", "identity"],
      ["compress", "identity"],
      ["*", "br"],
      ["*;q=0.5, gzip", "gzip"],
      ["br;q=0, *", "zstd"],
      ["br;q=0.5, gzip;q=0.8", "gzip"],
      ["br;q=0.001", "br"],
      ["gzip;q=0", "identity"],
      ["gzip;q=0.000", "identity"],
      ["gzip;q=0.5, identity", "identity"],
      ["gzip;q=0.5, identity;q=0.5", "gzip"],
      ["identity;q=1, *;q=0", "identity"],
      ["identity;q=0, gzip", "gzip"],
      ["gzip ; q=0.5 , br ;Q=0.4", "gzip"],
      ["gzip;q=1.000", "gzip"],
      ["identity;q=0", undefined],
      ["*;q=0", undefined],
      ["deflate, identity;q=0", undefined],
      ["*;q=0, gzip;q=0.1", "gzip"],
      // What is not right is left out.
      ["gzip;q=2", "identity"],
      ["gzip;q=-1", "identity"],
      ["gzip;q=0.5555", "identity"],
      ["gzip;q=", "identity"],
      ["gzip;level=9", "identity"],
      ["gzip br", "identity"],
      [",, gzip ,", "gzip"],
    ] as const
  ) assert.equal(chosen(value), expected, value);
});

test("RFC 9110 12.5.3: of what can be had", () => {
  assert.equal(chosen("br, gzip", ["gzip", "identity"]), "gzip");
  assert.equal(chosen("br", ["gzip", "identity"]), "identity");
  assert.equal(chosen("br, identity;q=0", ["gzip", "identity"]), undefined);
  assert.equal(chosen("*;q=0.1, identity;q=0.5", ["identity"]), "identity");
});

test("media types are found by extension, and text is UTF-8", () => {
  for (
    const [name, type] of [
      ["index.html", "text/html;charset=utf-8"],
      ["INDEX.HTML", "text/html;charset=utf-8"],
      ["a.tar.js", "text/javascript;charset=utf-8"],
      ["a.mjs", "text/javascript;charset=utf-8"],
      ["a.css", "text/css;charset=utf-8"],
      ["a.txt", "text/plain;charset=utf-8"],
      ["a.json", "application/json;charset=utf-8"],
      ["a.webmanifest", "application/manifest+json;charset=utf-8"],
      ["a.svg", "image/svg+xml;charset=utf-8"],
      ["a.xml", "text/xml;charset=utf-8"],
      ["a.png", "image/png"],
      ["a.wasm", "application/wasm"],
      ["a.woff2", "font/woff2"],
      ["a.gz", "application/gzip"],
      ["favicon.ico", "image/vnd.microsoft.icon"],
      ["html", "application/octet-stream"],
      ["a.", "application/octet-stream"],
      ["a.unknown", "application/octet-stream"],
      ["a.constructor", "application/octet-stream"],
      ["a.__proto__", "application/octet-stream"],
    ]
  ) assert.equal(mediaTypeOf(name), type, name);
});

test("text and what has no compression of its own is compressible", () => {
  for (const name of ["a.html", "a.js", "a.svg", "a.json", "a.wasm", "a.ttf"]) {
    assert.ok(isCompressible(mediaTypeOf(name)), name);
  }
  for (const name of ["a.png", "a.woff2", "a.zip", "a.mp4", "a"]) {
    assert.ok(!isCompressible(mediaTypeOf(name)), name);
  }
});
