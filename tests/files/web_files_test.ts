import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cache } from "../../lib/files/cache.ts";
import { ChangedError, statusOfError } from "../../lib/files/located_file.ts";
import type { Directory } from "../../lib/files/file_options.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { randomBytes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { LAST_MODIFIED, siteOf } from "./web_helpers.ts";

test("a file is answered with its type, its validators and its content", async () => {
  await using site = await siteOf({ "a.txt": "hello", "b.png": "not really" });
  for (const _ of ["from the disk", "from memory"]) {
    const { status, headers, text } = await site.ask("/a.txt");
    assert.equal(status, 200);
    assert.equal(text, "hello");
    const { etag, ...others } = headers;
    assert.match(etag, /^"[0-9a-z-]+"$/);
    assert.deepEqual(others, {
      "content-type": "text/plain;charset=utf-8",
      "content-length": "5",
      "last-modified": LAST_MODIFIED,
      "accept-ranges": "bytes",
      "vary": "Accept-Encoding",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    });
  }
  const { headers } = await site.ask("/b.png");
  assert.equal(headers["content-type"], "image/png");
  assert.equal(headers.vary, undefined);
});

test("files of every size are answered byte for byte", async () => {
  const sizes = [0, 1, 65535, 65536, 65537, 262144, 262145, 524288, 1_000_000];
  const files = Object.fromEntries(sizes.map((size) => [`${size}.bin`, randomBytes(size)]));
  await using site = await siteOf(files);
  for (const [name, content] of Object.entries(files)) {
    for (const _ of ["from the disk", "maybe from memory"]) {
      const { status, headers, body } = await site.ask(`/${name}`);
      assert.equal(status, 200);
      assert.equal(headers["content-length"], String(content.length));
      assert.ok(body.equals(content), name);
    }
  }
});

test("RFC 9110 9.3.2: HEAD is answered as GET, without the content", async () => {
  await using site = await siteOf({
    "a.txt": "hello",
    "big.bin": randomBytes(100_000),
    "text.html": "text ".repeat(1000),
    "empty/x": "",
  });
  for (const target of ["/a.txt", "/big.bin", "/text.html", "/none", "/empty", "/empty/", "/%"]) {
    for (const headers of [{}, { "Accept-Encoding": "br" }] as Record<string, string>[]) {
      const head = await site.ask(target, headers, "HEAD");
      const get = await site.ask(target, headers);
      assert.equal(head.body.length, 0, target);
      assert.equal(head.status, get.status);
      assert.deepEqual(head.headers, get.headers);
    }
  }
});

test("RFC 9110 15.5.6: other methods are 405, and OPTIONS says which there are", async () => {
  await using site = await siteOf({ "a.txt": "hello" });
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "PROPFIND"]) {
    const { status, headers } = await site.ask("/a.txt", {}, method);
    assert.equal(status, 405, method);
    assert.equal(headers.allow, "GET, HEAD, OPTIONS");
  }
  for (const target of ["/a.txt", "/none", "*"]) {
    const { status, headers } = await site.ask(target, {}, "OPTIONS");
    assert.equal(status, 204);
    assert.equal(headers.allow, "GET, HEAD, OPTIONS");
  }
});

test("a directory is answered by its index.html, behind a slash", async () => {
  await using site = await siteOf({
    "index.html": "root",
    "sub/index.html": "sub",
    "sub/deep/ü b/index.html": "deep",
    "odd/index.html/x": "",
    "sub/a:b/x": "",
  });
  assert.equal((await site.ask("/")).text, "root");
  assert.equal((await site.ask("/sub/")).text, "sub");
  assert.equal((await site.ask("/sub/index.html")).text, "sub");
  assert.equal((await site.ask("/sub/deep/")).status, 404);
  assert.equal((await site.ask("/sub/index.html/")).status, 404);
  assert.equal((await site.ask("/odd/")).status, 404);
  assert.equal((await site.ask("http://a/sub/")).text, "sub");

  for (
    const [target, location] of [
      ["/sub", "./sub/"],
      ["/sub?a=/b&c", "./sub/?a=/b&c"],
      ["/sub?", "./sub/?"],
      ["//sub", "./sub/"],
      ["///sub//deep", "./deep/"],
      ["/sub/deep/%C3%BC%20b", "./%C3%BC%20b/"],
      ["/sub/deep/%c3%bc%20%62", "./%C3%BC%20b/"],
      ["http://evil.example/sub", "./sub/"],
      ["http://evil.example//sub", "./sub/"],
      ["/sub/a:b", "./a:b/"],
    ]
  ) {
    const { status, headers } = await site.ask(target);
    assert.equal(status, 301, target);
    assert.equal(headers.location, location, target);
    assert.equal(headers["cache-control"], "no-cache", "it may be a file tomorrow");
  }
});

test("a redirect leads to the directory, behind a proxy with a path of its own, too", async () => {
  await using site = await siteOf({ "sub/deep/index.html": "deep", "a:b/index.html": "colon" });
  for (const prefix of ["", "/docs", "/a/b/"]) {
    for (
      const [target, text] of [["/sub/deep", "deep"], ["//sub//deep?x", "deep"], ["/a:b", "colon"]]
    ) {
      const { headers } = await site.ask(target);
      const url = new URL(headers.location, `http://127.0.0.1${prefix}${target}`);
      assert.equal(url.host, "127.0.0.1");
      assert.ok(url.pathname.startsWith(prefix));
      assert.equal((await site.ask(url.pathname.slice(prefix.length) + url.search)).text, text);
    }
  }
});

test("no redirect leads to another host", async () => {
  await using site = await siteOf({ "evil.example/x": "", "a/evil.example/x": "" });
  for (
    const target of [
      "//evil.example",
      "///evil.example",
      "/%2fevil.example",
      "/\\evil.example",
      "/%5cevil.example",
      "//evil.example/..",
      "//evil.example/%2e%2e",
      "/.//evil.example",
      "/a/..//evil.example",
      "//evil.example?//b",
      "/%09/evil.example",
      "/%0d%0aLocation:%20x",
    ]
  ) {
    const { status, headers } = await site.ask(target);
    if (status === 301) {
      assert.match(headers.location, /^\.\/[^/\\]/, target);
      assert.equal(new URL(headers.location, `http://127.0.0.1${target}`).host, "127.0.0.1");
    } else assert.ok(status === 404 || status === 400, `${target}: ${status}`);
  }
});

test("404.html of the root is the content of every 404, and 404 is its status", async () => {
  await using plain = await siteOf({ "sub/404.html": "no" });
  const { status, headers, text } = await plain.ask("/none");
  assert.equal(status, 404);
  assert.equal(text, "Not Found: /none\n");
  assert.equal((await plain.ask("/%C3%A9%3C/?secret")).text, "Not Found: /%C3%A9%3C/\n");
  assert.equal(headers["content-type"], "text/plain;charset=utf-8");

  for (const page of ["<h1>nothing here</h1>", "big".repeat(50_000)]) {
    await using site = await siteOf({ "404.html": page, "sub/x": "" });
    for (const target of ["/none", "/sub/none", "/sub/", "/sub/x/", "/.git", "/a%2fb"]) {
      const { status, headers, text } = await site.ask(target, {
        Range: "bytes=0-1",
        "If-None-Match": "*",
        "Accept-Encoding": "br",
      });
      assert.equal(status, 404, target);
      assert.equal(text, page);
      assert.equal(headers["content-type"], "text/html;charset=utf-8");
      assert.equal(headers.etag, undefined);
    }
    assert.equal((await site.ask("/404.html")).status, 200);
  }
});

test("spa: paths that look like pages are answered by the root's index.html", async () => {
  const files = { "index.html": "app", "a.js": "script", "dir/x.txt": "" };
  await using site = await siteOf(files, { spa: true });
  await using without = await siteOf(files);
  const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  for (
    const [target, headers, status] of [
      ["/users/42", browser, 200],
      ["/users/42/", browser, 200],
      ["/users/jane.doe", browser, 200],
      ["/dir/", browser, 200],
      ["/a.js/", browser, 200],
      ["/users/42", {}, 200],
      ["/users/42", { Accept: "*/*" }, 200],
      ["/v1.2/users", { Accept: "*/*" }, 200],
      ["/users/42", { Accept: "application/json" }, 404],
      ["/none.js", { Accept: "*/*" }, 404],
      ["/none.png", {}, 404],
      ["/.git/config", browser, 404],
      ["/a%2fb", browser, 404],
      ["/../x", browser, 400],
    ] as [string, Record<string, string>, number][]
  ) {
    const answer = await site.ask(target, headers);
    assert.equal(answer.status, status, target);
    if (status === 200) {
      assert.equal(answer.text, "app");
      assert.equal(answer.headers.vary, "Accept, Accept-Encoding");
    }
    assert.notEqual((await without.ask(target, headers)).status, 200, target);
  }
  assert.equal((await site.ask("/a.js", browser)).text, "script");
});

test("dotfiles are hidden, and what is in hidden directories, unless they are asked for", async () => {
  const files = {
    ".env": "secret",
    ".git/config": "secret",
    "a/.b/c.txt": "secret",
    "..x": "secret",
    ".dir/index.html": "secret",
    ".well-known/acme": "public",
    ".well-known/.x": "secret",
  };
  await using hiding = await siteOf(files);
  await using showing = await siteOf(files, { dotfiles: true });
  for (const [name, content] of Object.entries(files)) {
    const target = `/${name}`;
    assert.equal((await showing.ask(target)).text, content, target);
    const { status, text } = await hiding.ask(target);
    assert.equal(status, content === "public" ? 200 : 404, target);
    assert.equal(text.includes("secret"), false);
  }
  for (
    const target of ["/.git", "/%2eenv", "/.git/", "/.dir/", "/.dir", "//.env", "/.well-known/.x"]
  ) {
    assert.equal((await hiding.ask(target)).status, 404, target);
  }
});

test("an upload that is not whole is not served, not even with the dotfiles", async () => {
  const name = ".plainsocket-upload-0123456789abcdef";
  await using site = await siteOf({ [name]: "half", [`${name}.gz`]: "half" }, { dotfiles: true });
  for (const target of [`/${name}`, `/%2e${name.slice(1)}`, `//${name}`]) {
    assert.equal((await site.ask(target)).status, 404, target);
  }
});

test("without cacheControl all responses are to be asked for again", async () => {
  await using site = await siteOf({ "a.txt": "hello", "sub/x": "", "404.html": "none" });
  await using own = await siteOf({ "a.txt": "hello" }, { headers: ["cache-control", "no-store"] });
  for (
    const [target, headers, status] of [
      ["/a.txt", {}, 200],
      ["/a.txt", { Range: "bytes=0-1" }, 206],
      ["/a.txt", { "If-None-Match": "*" }, 304],
      ["/a.txt", { Range: "bytes=9-" }, 416],
      ["/sub", {}, 301],
      ["/none", {}, 404],
    ] as [string, Record<string, string>, number][]
  ) {
    const answer = await site.ask(target, headers);
    assert.equal(answer.status, status, target);
    assert.equal(answer.headers["cache-control"], "no-cache", target);
    assert.equal((await own.ask(target, headers)).headers["cache-control"], "no-store", target);
  }
});

test("cacheControl comes with files, and headers with every response", async () => {
  await using site = await siteOf({
    "a.txt": "hello",
    "sub/index.html": "",
    "big.bin": randomBytes(70_000),
  }, {
    cacheControl: "max-age=60",
    headers: ["X-One", "1", "X-Two", "2"],
    listing: () => ({ status: 200, body: "list" }),
  });
  for (
    const [target, method, headers, status, cached] of [
      ["/a.txt", "GET", {}, 200, true],
      ["/a.txt", "HEAD", {}, 200, true],
      ["/a.txt", "GET", { Range: "bytes=0-1" }, 206, true],
      ["/big.bin", "GET", {}, 200, true],
      ["/a.txt", "GET", { "If-None-Match": "*" }, 304, true],
      ["/a.txt", "GET", { "If-Match": '"x"' }, 412, false],
      ["/a.txt", "GET", { Range: "bytes=9-" }, 416, false],
      ["/none", "GET", {}, 404, false],
      ["/sub", "GET", {}, 301, false],
      ["/", "GET", {}, 200, false],
      ["/%", "GET", {}, 400, false],
      ["/a.txt", "POST", {}, 405, false],
      ["/a.txt", "OPTIONS", {}, 204, false],
    ] as [string, string, Record<string, string>, number, boolean][]
  ) {
    const answer = await site.ask(target, headers, method);
    assert.equal(answer.status, status, target);
    assert.equal(answer.headers["x-one"], "1", target);
    assert.equal(answer.headers["x-two"], "2", target);
    const others = status < 300 ? undefined : "no-cache";
    assert.equal(answer.headers["cache-control"], cached ? "max-age=60" : others, target);
  }
});

test("listing answers for directories without index.html, and knows which", async () => {
  const asked: Directory[] = [];
  await using site = await siteOf({ "a b/x.txt": "", "sub/index.html": "index" }, {
    listing(directory, request) {
      asked.push(directory);
      return Promise.resolve({ status: 200, body: `${request.method} ${directory.path}` });
    },
  });
  assert.equal((await site.ask("/a%20b/?sort=name")).text, "GET /a%20b/");
  assert.equal((await site.ask("/")).text, "GET /");
  assert.equal((await site.ask("/sub/")).text, "index");
  assert.equal((await site.ask("/a%20b")).status, 301);
  assert.equal((await site.ask("/none/")).status, 404);
  assert.deepEqual(asked, [
    { file: join(site.root, "a b"), path: "/a%20b/", names: ["a b"] },
    { file: site.root, path: "/", names: [] },
  ]);
});

test("fileHandler() throws for a root that is no directory, and for fields that are none", () => {
  assert.throws(() => fileHandler(tmpdir(), { headers: ["X", "a\r\nb"] }), TypeError);
  assert.throws(() => fileHandler(tmpdir(), { headers: ["not a name", "x"] }), TypeError);
  assert.throws(() => fileHandler(tmpdir(), { cacheControl: "\n" }), TypeError);
  assert.throws(() => fileHandler(join(tmpdir(), "plainsocket-none")), { code: "ENOENT" });
  const file = join(tmpdir(), `plainsocket-file-${Math.random()}`);
  writeFileSync(file, "");
  assert.throws(() => fileHandler(file), /is not a directory to serve/);
  rmSync(file);
});

test("errors of the file system have a status each, and those that should not be are thrown", async () => {
  for (
    const [code, status] of [
      ["ENOENT", 404],
      ["ENOTDIR", 404],
      ["ENAMETOOLONG", 404],
      ["ELOOP", 404],
      ["EACCES", 403],
      ["EMFILE", 503],
      ["ENFILE", 503],
      ["EIO", 500],
      ["constructor", 500],
    ] as const
  ) assert.equal(statusOfError(Object.assign(new Error(), { code })), status, code);
  assert.equal(statusOfError(new ChangedError("a")), 503);
  assert.equal(statusOfError(undefined), 500);

  const error = new Error("on fire");
  await using site = await siteOf({}, {
    listing: () => {
      throw error;
    },
  });
  const { status, text } = await site.ask("/");
  assert.equal(status, 500);
  assert.doesNotMatch(text, /fire|at /);
  assert.deepEqual(site.errors, [error]);
  assert.equal((await site.ask(`/${"a".repeat(300)}`)).status, 404);
  mkdirSync(join(site.root, "x"));
  assert.equal((await site.ask("/x/y/z")).status, 404);
});

test("a query and other spellings lead to the same file, once in the cache", async () => {
  await using site = await siteOf({ "a b.txt": "hello", "a?b": "mark", "a%20b.txt": "percent" });
  for (const target of ["/a%20b.txt", "/a%20b.txt?x", "/%61%20b.txt", "//a%20b.txt#y"]) {
    assert.equal((await site.ask(target)).text, "hello", target);
  }
  // Names that look like encoded ones, or like a query, are not taken for those.
  assert.equal((await site.ask("/a%2520b.txt")).text, "percent");
  assert.equal((await site.ask("/a%20b.txt")).text, "hello");
  assert.equal((await site.ask("/a%3Fb")).text, "mark");
  assert.equal((await site.ask("/a?b")).status, 404);
});

test("the cache is bounded, and keeps what is used", () => {
  const entry = (cost: number) => ({ cost, used: false });
  const cache = new Cache<{ cost: number; used: boolean }>(100);
  for (const key of ["a", "b", "c"]) cache.set(key, entry(30));
  cache.get("a");
  cache.set("d", entry(30));
  assert.ok(cache.get("a") && cache.get("c") && cache.get("d"));
  assert.equal(cache.get("b"), undefined);
  assert.equal(cache.cost, 90);

  const c = cache.get("c")!;
  cache.charge("c", c, 60);
  assert.ok(cache.cost <= 100);
  cache.delete("c", entry(1));
  const before = cache.cost;
  cache.charge("c", entry(5), 10);
  assert.equal(cache.cost, before, "an entry that is not in the cache is not counted");
  cache.set("huge", entry(1000));
  assert.equal(cache.get("huge"), undefined);
  assert.ok(cache.cost <= 100);
  cache.set("a", entry(10));
  cache.set("a", entry(20));
  cache.delete("a");
  assert.equal(cache.get("a"), undefined);
});
