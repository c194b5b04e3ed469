// The media type of a file: by its name, and by what is in it where the name does not tell enough.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isText, isUtf8Text } from "../../lib/files/charset.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { mediaTypeOf } from "../../lib/files/media_type.ts";
import { assertGrowth } from "../support/growth.ts";
import { bytes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { ask, makeSite, type Site } from "../support/site_helpers.ts";

const TEXT = "text/plain;charset=utf-8";
const BINARY = Buffer.from([0, 1, 2, 3, 0xff, 0xfe]);

async function typeOf(site: Site, target: string, types = {}): Promise<string> {
  const handler = fileHandler(site.root, { types });
  const { headers, status } = await ask(handler, { target });
  assert.equal(status, 200, target);
  const head = await ask(handler, { method: "HEAD", target });
  assert.equal(head.headers["content-type"], headers["content-type"], target);
  assert.equal(headers["x-content-type-options"], "nosniff");
  return headers["content-type"];
}

test("types: what a table of the web knows is known", () => {
  for (
    const [name, type] of [
      ["a.m3u8", "application/vnd.apple.mpegurl"],
      ["a.flac", "audio/flac"],
      ["a.mkv", "video/x-matroska"],
      ["a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
      ["a.tar", "application/x-tar"],
      ["a.apk", "application/vnd.android.package-archive"],
      ["a.7z", "application/x-7z-compressed"],
      ["a.rar", "application/vnd.rar"],
      ["a.avi", "video/x-msvideo"],
      ["a.epub", "application/epub+zip"],
      ["a.mpd", "application/dash+xml;charset=utf-8"],
      ["a.avif", "image/avif"],
      ["a.mp4", "video/mp4"],
      ["a.mp3", "audio/mpeg"],
      ["a.pdf", "application/pdf"],
      ["a.vtt", "text/vtt;charset=utf-8"],
      ["a.md", "text/markdown;charset=utf-8"],
      ["a.csv", "text/csv;charset=utf-8"],
      ["a.ics", "text/calendar;charset=utf-8"],
      ["a.cjs", "text/javascript;charset=utf-8"],
      ["a.iso", "application/octet-stream"],
    ]
  ) assert.equal(mediaTypeOf(name), type, name);
});

test("types: sources and other text are shown as text, whatever else their extension stands for", async () => {
  const names =
    ("README LICENSE Makefile Dockerfile html .env .gitignore a. x.conf x.py x.go x.sh x.rs " +
      "x.ts x.tsx x.jsx x.mts x.jsonl x.ndjson x.srt x.ass x.toml x.ini x.log x.sql x.c x.h x.cpp x.java x.kt " +
      "x.rb x.pl x.php x.lua x.org x.scm x.dart x.bat x.ps1 x.scss x.vue x.zig x.tex x.diff x.lock x.py.orig " +
      "X.PY x.TS x.unheard-of x.constructor x.__proto__").split(" ");
  await using site = await makeSite(Object.fromEntries(names.map((name) => [name, "# text ü\n"])));
  const handler = fileHandler(site.root, { dotfiles: true });
  for (const name of names) {
    const { headers } = await ask(handler, { target: `/${name}` });
    assert.equal(headers["content-type"], TEXT, name);
  }
});

test("types: what is no text is not shown as text", async () => {
  const transport = Buffer.alloc(188 * 4, "\x00");
  for (let at = 0; at < transport.length; at += 188) transport[at] = 0x47;
  await using site = await makeSite({
    "video.ts": transport,
    "README": BINARY,
    "x.py": BINARY,
    "x.unknown": BINARY,
    "late": Buffer.concat([Buffer.alloc(1023, "a"), Buffer.from([0])]),
  });
  assert.equal(await typeOf(site, "/video.ts"), "video/mp2t");
  for (const name of ["README", "x.py", "x.unknown", "late"]) {
    assert.equal(await typeOf(site, `/${name}`), "application/octet-stream", name);
  }
  assert.ok(!isText(BINARY));
  assert.ok(isText(bytes("")) && isText(bytes("tab\tline\r\nform\fescape\x1b[0m")));
  assert.ok(isText(Buffer.from("\ufeffA", "utf16le")), "UTF-16 with its mark is text");
});

test("types: those that are given count more", async () => {
  await using site = await makeSite({ "a.ts": "x", "README": "x", "b.py": BINARY, "c.html": "x" });
  const types = { ".TS": "video/mp2t", readme: "text/html", py: "text/x-python" };
  assert.equal(await typeOf(site, "/a.ts", types), "video/mp2t");
  assert.equal(await typeOf(site, "/README", types), "text/html;charset=utf-8");
  assert.equal(await typeOf(site, "/b.py", types), "text/x-python");
  assert.equal(await typeOf(site, "/c.html", types), "text/html;charset=utf-8");
  const exact = { html: 'text/html; charset="koi8-r"' };
  assert.equal(await typeOf(site, "/c.html", exact), 'text/html; charset="koi8-r"');
  for (const type of ["text", "text/", "/plain", "text/plain;", "text/plain\r\nX: y", "a/b c"]) {
    assert.throws(() => fileHandler(site.root, { types: { x: type } }), TypeError, type);
  }
});

test("types: charset=utf-8 is not said of what declares another charset", async () => {
  const latin1 = (text: string) => Buffer.from(text, "latin1");
  const declared: [name: string, content: Uint8Array][] = [
    ["meta.html", latin1('<!doctype html><meta charset="iso-8859-1"><p>é')],
    ["bare.html", latin1("<meta charset=windows-1252>")],
    ["case.HTM", latin1("<HTML><HEAD><META CharSet='Shift_JIS'>")],
    [
      "pragma.html",
      latin1('<meta content="text/html; charset=koi8-r" http-equiv="Content-Type">'),
    ],
    ["after.html", latin1('<!-- <meta charset="utf-8"> --><meta charset=euc-jp>')],
    ["attribute.html", latin1('<a title="<meta charset=utf-8>"><meta charset=big5>')],
    ["slash.html", latin1('<meta/charset="gbk"/>')],
    ["wide.html", Buffer.from("\ufeff<p>", "utf16le")],
    ["undeclared.html", latin1("<p>é")],
    ["undeclared.txt", latin1("déjà vu")],
    ["undeclared.js", latin1("// é")],
    ["undeclared", latin1("é")],
    ["a.svg", latin1('<?xml version="1.0" encoding="ISO-8859-1"?><svg/>')],
    ["a.xml", latin1("<?xml version='1.0' encoding='windows-1251' ?><a/>")],
    ["a.xhtml", latin1('<?xml version="1.0"\n encoding = "iso-8859-15"?><html/>')],
    ["a.css", latin1('@charset "iso-8859-1"; a {}')],
  ];
  await using site = await makeSite(Object.fromEntries(declared));
  for (const [name] of declared) {
    const type = await typeOf(site, `/${name}`);
    assert.doesNotMatch(type, /charset|octet-stream/, `${name}: ${type}`);
    assert.equal(type, mediaTypeOf(name, bytes("x")).replace(/;.*/, ""), name);
  }
});

test("types: charset=utf-8 is said of all other text", async () => {
  const plain: [name: string, content: string | Uint8Array][] = [
    ["ascii.html", "<!doctype html><p>a"],
    ["meta.html", '<meta charset="UTF-8">ü'],
    ["alias.html", "<meta charset=utf8>"],
    ["bom.html", "\ufeff<meta charset=iso-8859-1>"],
    ["claims16.html", "<meta charset=utf-16>"],
    ["unknown.html", "<meta charset=klingon>"],
    ["second.html", "<meta charset=klingon><meta charset=utf-8>"],
    ["comment.html", "<!-- <meta charset=iso-8859-1> -->"],
    ["open.html", "<!-- <meta charset=iso-8859-1>"],
    ["attribute.html", '<a title="<meta charset=iso-8859-1>">'],
    ["content.html", '<meta content="text/html; charset=iso-8859-1">'],
    ["name.html", '<metadata charset="iso-8859-1"><metacharset=big5>'],
    ["text.html", "charset=iso-8859-1"],
    ["late.html", `${" ".repeat(1024)}<meta charset=iso-8859-1>`],
    ["cut.txt", "x".repeat(1023) + "ü" + "x".repeat(100)],
    ["cut4.txt", "x".repeat(1021) + "😀"],
    ["a.css", 'a {} @charset "iso-8859-1";'],
    ["a.xml", '<?xml version="1.0"?><a encoding="iso-8859-1"/>'],
    ["a.txt", '<?xml version="1.0" encoding="ISO-8859-1"?><meta charset=iso-8859-1>'],
    ["a.js", "<meta charset=iso-8859-1>"],
    ["empty.html", ""],
  ];
  await using site = await makeSite(Object.fromEntries(plain));
  for (const [name] of plain) {
    const type = await typeOf(site, `/${name}`);
    assert.match(type, /;charset=utf-8$/, `${name}: ${type}`);
  }
});

test("types: a change of the charset is seen, and text without one is compressed all the same", async () => {
  const page = (charset: string) => `<meta charset=${charset}>${"text ".repeat(1000)}`;
  await using site = await makeSite({ "a.html": page("utf-8"), "b.html": page("koi8-r") });
  const headers = { "Accept-Encoding": "gzip" };
  const handler = fileHandler(site.root);
  for (const [name, type] of [["a", "text/html;charset=utf-8"], ["b", "text/html"]]) {
    const answer = await ask(handler, { target: `/${name}.html`, headers });
    assert.deepEqual(
      [answer.headers["content-type"], answer.headers["content-encoding"]],
      [type, "gzip"],
    );
  }
});

test("types: looking at the first bytes takes time that grows with them, and not faster", () => {
  const hostile: Readonly<Record<string, (n: number) => string>> = {
    "open tags": (n) => "<".repeat(n),
    "open comments": (n) => "<!--".repeat(n / 4),
    "open elements": (n) => "<a ".repeat(n / 4),
    "a meta with many attributes": (n) => `<meta ${"a ".repeat(n / 2)}`,
    "a meta with many blanks": (n) => `<meta ${" ".repeat(n)}`,
    "blanks behind an attribute": (n) => `<a a${" ".repeat(n)}`,
    "quotes": (n) => `<a a=${'"'.repeat(n)}`,
    "many encodings": (n) => `<?xml ${" encoding ".repeat(n / 8)}`,
    "blanks in a declaration": (n) => `<?xml${" ".repeat(n)}`,
  };
  for (const [shape, make] of Object.entries(hostile)) {
    // 16 times as many; if each cost more the more there are, it would be 256 times as much.
    const [short, long] = [bytes(make(2 ** 12)), bytes(make(2 ** 16))];
    for (const type of ["text/html", "text/xml", "text/css"]) {
      const look = (content: Uint8Array) => () => isUtf8Text(type, content);
      assertGrowth(80, `${type}: ${shape}`, look(short), look(long));
    }
  }
});
