import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { sep } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { randomBytes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { atTime, LAST_MODIFIED, MODIFIED, siteOf } from "./web_helpers.ts";

const TEXT = "All work and no play makes Jack a dull boy. ".repeat(100);
const LARGE = randomBytes(600_000);
const SMALL = Buffer.from("0123456789");

/** The parts of a multipart/byteranges response: their Content-Range, and their bytes. */
function partsOf(body: Buffer, contentType: string): [string, Buffer][] {
  const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{30})$/.exec(contentType)![1];
  const text = body.toString("latin1");
  const end = `\r\n--${boundary}--\r\n`;
  assert.ok(text.endsWith(end) && text.startsWith(`--${boundary}\r\n`));
  return text.slice(0, -end.length).slice(boundary.length + 4).split(`\r\n--${boundary}\r\n`)
    .map((part) => {
      const match = /^Content-Type: [^\r]+\r\nContent-Range: ([^\r]+)\r\n\r\n/.exec(part)!;
      return [match[1], Buffer.from(part.slice(match[0].length), "latin1")];
    });
}

test("RFC 9110 14: one range, of files in memory and of files on disk", async () => {
  await using site = await siteOf({ "small.bin": SMALL, "large.bin": LARGE, "empty.bin": "" });
  for (const [target, content] of [["/small.bin", SMALL], ["/large.bin", LARGE]] as const) {
    const size = content.length;
    for (
      const [range, start, end] of [
        ["bytes=0-0", 0, 1],
        ["bytes=2-4", 2, 5],
        ["bytes=5-", 5, size],
        ["bytes=-3", size - 3, size],
        [`bytes=0-${size}`, 0, size],
        ["bytes=1-2,3-4", 1, 5],
        [`bytes=${size - 2}-,${size}-`, size - 2, size],
      ] as const
    ) {
      const { status, headers, body } = await site.ask(target, { Range: range });
      assert.equal(status, 206, range);
      assert.equal(headers["content-range"], `bytes ${start}-${end - 1}/${size}`);
      assert.equal(headers["content-length"], String(end - start));
      assert.ok(headers.etag && headers["last-modified"] === LAST_MODIFIED);
      assert.ok(body.equals(content.subarray(start, end)), range);
    }
    const { status, headers } = await site.ask(target, { Range: `bytes=${size}-` });
    assert.equal(status, 416);
    assert.equal(headers["content-range"], `bytes */${size}`);
    for (const range of ["bytes=2-1", "lines=0-1", "bytes=x"]) {
      const { status, body } = await site.ask(target, { Range: range });
      assert.equal(status, 200, range);
      assert.equal(body.length, size);
    }
    const head = await site.ask(target, { Range: "bytes=0-0" }, "HEAD");
    assert.equal(head.status, 200);
    assert.equal(head.headers["content-length"], String(size));
  }
  for (
    const [range, status] of [
      ["bytes=0-", 200],
      ["bytes=0-0", 200],
      ["bytes=-1", 200],
      ["bytes=1-,0-", 200],
      ["bytes=1-", 416],
      ["bytes=-0", 416],
    ] as const
  ) assert.equal((await site.ask("/empty.bin", { Range: range })).status, status, range);
});

test("RFC 9110 14.6: many ranges, as parts with a head each", async () => {
  await using site = await siteOf({ "small.bin": SMALL, "large.bin": LARGE });
  for (const [target, content] of [["/small.bin", SMALL], ["/large.bin", LARGE]] as const) {
    const size = content.length;
    const { status, headers, body } = await site.ask(target, {
      Range: `bytes=6-${size - 3},0-1,-1,3-3`,
    });
    assert.equal(status, 206);
    assert.equal(headers["content-range"], undefined);
    assert.equal(headers["content-length"], String(body.length));
    const slices = [[6, size - 2], [0, 2], [size - 1, size], [3, 4]];
    assert.deepEqual(
      partsOf(body, headers["content-type"]),
      slices.map(([start, end]) => [
        `bytes ${start}-${end - 1}/${size}`,
        Buffer.from(content.subarray(start, end)),
      ]),
    );
    const flood = Array.from({ length: 17 }, (_, i) => `${i * 2}-${i * 2}`).join(",");
    if (size > 40) assert.equal((await site.ask(target, { Range: `bytes=${flood}` })).status, 200);
  }
});

test("RFC 9110 13: conditions on a file", async () => {
  await using site = await siteOf({ "a.txt": "0123456789" }, { cacheControl: "no-cache" });
  const { headers: { etag } } = await site.ask("/a.txt");
  const before = new Date(MODIFIED.getTime() - 1000).toUTCString();
  for (
    const [headers, status, text] of [
      [{ "If-None-Match": etag }, 304, ""],
      [{ "IF-NONE-MATCH": `W/${etag}` }, 304, ""],
      [{ "If-None-Match": '"other"' }, 200, "0123456789"],
      [{ "If-Modified-Since": LAST_MODIFIED }, 304, ""],
      [{ "If-Modified-Since": before }, 200, "0123456789"],
      [{ "If-None-Match": '"other"', "If-Modified-Since": LAST_MODIFIED }, 200, "0123456789"],
      [{ "If-Match": etag }, 200, "0123456789"],
      [{ "If-Match": '"other"' }, 412, "Precondition Failed\n"],
      [{ "If-Unmodified-Since": before }, 412, "Precondition Failed\n"],
      [{ "If-Match": etag, Range: "bytes=0-1" }, 206, "01"],
      [{ "If-Match": '"other"', Range: "bytes=0-1" }, 412, "Precondition Failed\n"],
      [{ "If-None-Match": etag, Range: "bytes=0-1" }, 304, ""],
      [{ "If-None-Match": etag, Range: "bytes=99-" }, 304, ""],
      [{ "If-Range": etag, Range: "bytes=0-1" }, 206, "01"],
      [{ "If-Range": `W/${etag}`, Range: "bytes=0-1" }, 200, "0123456789"],
      [{ "If-Range": '"other"', Range: "bytes=0-1" }, 200, "0123456789"],
      [{ "If-Range": '"other"', Range: "bytes=99-" }, 200, "0123456789"],
      [{ "If-Range": LAST_MODIFIED, Range: "bytes=0-1" }, 206, "01"],
      [{ "If-Range": before, Range: "bytes=0-1" }, 200, "0123456789"],
      [{ "If-Range": etag }, 200, "0123456789"],
    ] as [Record<string, string>, number, string][]
  ) {
    const answer = await site.ask("/a.txt", headers);
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.equal(answer.text, text, JSON.stringify(headers));
    if (status === 304) {
      assert.deepEqual(answer.headers, {
        etag,
        vary: "Accept-Encoding",
        "cache-control": "no-cache",
      });
    }
  }
  assert.equal((await site.ask("/none", { "If-Match": "*" })).status, 404);
  assert.equal((await site.ask("/none", { "If-None-Match": "*" })).status, 404);
});

test("RFC 9110 13.1.5: a date is no promise of the same bytes where there are codings", async () => {
  await using site = await siteOf({
    "a.html": TEXT,
    "b.bin": TEXT,
    "c.bin": TEXT,
    "c.bin.br": "x",
  });
  for (const [target, status] of [["/a.html", 200], ["/b.bin", 206], ["/c.bin", 200]] as const) {
    const { headers } = await site.ask(target);
    for (const [ifRange, expected] of [[headers.etag, 206], [LAST_MODIFIED, status]] as const) {
      const answer = await site.ask(target, { Range: "bytes=1-2", "If-Range": ifRange });
      assert.equal(answer.status, expected, `${target} ${ifRange}`);
    }
  }
});

test("the time of a file in the future is not told", async () => {
  await using site = await siteOf({});
  site.write("a.txt", "a", new Date("2100-01-01T00:00:00Z"));
  const { headers } = await site.ask("/a.txt");
  assert.ok(Date.parse(headers["last-modified"]) <= Date.now());
});

test("a file that was changed just now has a weak tag, until another change would show", async () => {
  await using site = await siteOf({});
  const now = Math.floor(Date.now() / 1000) * 1000;
  site.write("a.txt", "a", new Date(now));
  const { headers } = await atTime(now + 1000, () => site.ask("/a.txt"));
  assert.match(headers.etag, /^W\/"/);
  site.write("a.txt", "a");
  await site.clock.advance(1000);
  assert.match((await site.ask("/a.txt")).headers.etag, /^"/);
});

test("siblings that are compressed are sent to clients that decode them", async () => {
  const content = { br: "as br", zstd: "as zstd", gzip: "as gzip", identity: TEXT };
  await using site = await siteOf({
    "a.js": TEXT,
    "a.js.br": content.br,
    "a.js.zst": content.zstd,
    "a.js.gz": content.gzip,
    "index.html": "short",
    "index.html.gz": content.gzip,
    "a.png": "image",
    "a.png.gz": "no",
    "data": "bytes",
    "data.br": content.br,
  });
  const etags = new Set<string>();
  for (
    const [target, accept, coding] of [
      ["/a.js", "gzip, deflate, br, zstd", "br"],
      ["/a.js", "gzip, zstd", "zstd"],
      ["/a.js", "gzip", "gzip"],
      ["/a.js", "br;q=0.5, gzip", "gzip"],
      ["/a.js", "identity", "identity"],
      ["/a.js", "identity;q=0, *;q=0.1", "br"],
      ["/", "gzip", "gzip"],
      ["/data", "br", "br"],
    ] as const
  ) {
    const { status, headers, text } = await site.ask(target, { "Accept-Encoding": accept });
    assert.equal(status, 200);
    assert.equal(headers["content-encoding"] ?? "identity", coding, `${target} ${accept}`);
    assert.equal(text, content[coding]);
    assert.equal(headers.vary, "Accept-Encoding");
    assert.equal(headers["accept-ranges"], "bytes");
    assert.doesNotMatch(headers["content-type"], /gzip/);
    if (target === "/a.js") etags.add(headers.etag);
    const again = await site.ask(target, {
      "Accept-Encoding": accept,
      "If-None-Match": headers.etag,
    });
    assert.equal(again.status, 304);
    assert.equal(again.headers.etag, headers.etag);
  }
  assert.equal(etags.size, 4, "each coding has a tag of its own");
  assert.equal((await site.ask("/a.png", { "Accept-Encoding": "gzip" })).text, "image");
  const direct = await site.ask("/a.js.gz", { "Accept-Encoding": "gzip" });
  assert.equal(direct.headers["content-encoding"], undefined);
  assert.equal(direct.headers["content-type"], "application/gzip");

  // A range is one of the representation that is chosen.
  const range = await site.ask("/a.js", { "Accept-Encoding": "br", Range: "bytes=0-1" });
  assert.equal(range.status, 206);
  assert.equal(range.headers["content-encoding"], "br");
  assert.equal(range.headers["content-range"], "bytes 0-1/5");
  assert.equal(range.text, "as");
  const many = await site.ask("/a.js", { "Accept-Encoding": "br", Range: "bytes=0-1,4-" });
  assert.equal(many.status, 200, "a multipart response has no coding to say");
});

test("a sibling that is older than its file is not sent", async () => {
  await using site = await siteOf({ "a.css": "short" });
  site.write("a.css.gz", "stale", new Date(MODIFIED.getTime() - 1000));
  assert.equal((await site.ask("/a.css", { "Accept-Encoding": "gzip" })).text, "short");
});

test("RFC 9110 15.5.7: 406 if no coding that can be had is accepted", async () => {
  await using site = await siteOf({ "a.png": "image" });
  for (const accept of ["identity;q=0", "*;q=0", "gzip, identity;q=0"]) {
    assert.equal((await site.ask("/a.png", { "Accept-Encoding": accept })).status, 406, accept);
  }
});

test("text is compressed for those who decode it, and has no ranges then", async () => {
  await using site = await siteOf({ "a.html": TEXT, "tiny.html": "x".repeat(1023) });
  const identity = await site.ask("/a.html");
  assert.equal(identity.headers["content-encoding"], undefined);
  for (const [accept, decode] of [["br", brotliDecompressSync], ["gzip", gunzipSync]] as const) {
    for (const _ of ["compressed", "from memory"]) {
      const { status, headers, body } = await site.ask("/a.html", { "Accept-Encoding": accept });
      assert.equal(status, 200);
      assert.equal(headers["content-encoding"], accept);
      assert.match(headers.etag, /^W\//);
      assert.notEqual(headers.etag, `W/${identity.headers.etag}`);
      assert.equal(headers["accept-ranges"], undefined);
      assert.equal(headers.vary, "Accept-Encoding");
      assert.equal(headers["content-length"], String(body.length));
      assert.ok(body.length < TEXT.length / 10);
      assert.equal(String(decode(body)), TEXT);
      const again = await site.ask("/a.html", {
        "Accept-Encoding": accept,
        "If-None-Match": headers.etag,
      });
      assert.equal(again.status, 304);
    }
  }
  const range = await site.ask("/a.html", { "Accept-Encoding": "br", Range: "bytes=0-2" });
  assert.equal(range.status, 206);
  assert.equal(range.text, "All");
  assert.equal(range.headers["content-encoding"], undefined);
  const forced = { "Accept-Encoding": "gzip, identity;q=0", Range: "bytes=0-2" };
  assert.equal(String(gunzipSync((await site.ask("/a.html", forced)).body)), TEXT);

  const tiny = await site.ask("/tiny.html", { "Accept-Encoding": "br" });
  assert.equal(tiny.headers["content-encoding"], undefined);
  assert.equal(tiny.headers.vary, "Accept-Encoding");
});

test("what compression would not make smaller is sent as it is", async () => {
  await using site = await siteOf({
    "noise.txt": randomBytes(5000),
    "image.png": TEXT,
    "large.txt": "x".repeat(1024 * 1024 + 1),
    "medium.txt": "x".repeat(1024 * 1024),
  });
  for (
    const [target, coding] of [
      ["/noise.txt", undefined],
      ["/noise.txt", undefined],
      ["/image.png", undefined],
      ["/large.txt", undefined],
      ["/medium.txt", "gzip"],
    ] as const
  ) {
    const { status, headers } = await site.ask(target, { "Accept-Encoding": "gzip" });
    assert.equal(status, 200);
    assert.equal(headers["content-encoding"], coding, target);
  }
});

test("compress: false compresses nothing, and still sends siblings", async () => {
  await using site = await siteOf({
    "a.html": TEXT,
    "b.html": TEXT,
    "b.html.br": brotliCompressSync(TEXT),
    "b.html.gz": gzipSync(TEXT),
  }, { compress: false });
  const accept = { "Accept-Encoding": "br, gzip" };
  assert.equal((await site.ask("/a.html", accept)).text, TEXT);
  assert.equal(String(brotliDecompressSync((await site.ask("/b.html", accept)).body)), TEXT);
});

test("many clients at once are all answered, while little is compressed", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `${i}.html`);
  await using site = await siteOf(Object.fromEntries(names.map((name) => [name, name + TEXT])));
  const answers = await Promise.all(
    [...names, ...names].map((name) => site.ask(`/${name}`, { "Accept-Encoding": "gzip" })),
  );
  for (const [i, { headers, body }] of answers.entries()) {
    const text = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    assert.equal(String(text), names[i % names.length] + TEXT);
  }
});

test("files whose names have backslashes, line ends and other controls are served", async () => {
  const names = ["new\nline.txt", "tab\t.txt", "esc\x1b[2J.txt", "del\x7f", "c1\x85", "cr\r\nX: y"];
  if (sep === "/") names.push("back\\slash.txt", "x\\..\\..\\up.txt", "\\");
  const files = Object.fromEntries(names.map((name) => [name, `This is ${name}`]));
  await using site = await siteOf(files);
  for (const name of names) {
    const target = `/${encodeURIComponent(name)}`;
    const { status, text, headers } = await site.ask(target);
    assert.deepEqual([status, text], [200, `This is ${name}`], target);
    assert.equal(headers.x, undefined);
  }
});
