import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  appendFileSync,
  closeSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Conn } from "../lib/transport.ts";
import { locate, openLocated } from "../lib/web/disk.ts";
import { serveFiles } from "../lib/web/files.ts";
import { FileBody } from "../lib/web/file_body.ts";
import { bytes, randomBytes, rejects, until } from "./helpers.ts";
import { test } from "./runner.deno.ts";
import { atTime, descriptorsOn, MODIFIED, requestOf, type Site, siteOf } from "./web_helpers.ts";

const LATER = new Date(MODIFIED.getTime() + 60_000);

test("a changed file is seen within a second, and not looked at before", async () => {
  await using site = await siteOf({ "a.txt": "old" });
  const { headers } = await site.ask("/a.txt");
  site.write("a.txt", "new", LATER);
  await site.clock.advance(999);
  assert.equal((await site.ask("/a.txt")).text, "old");
  await site.clock.advance(1);
  const changed = await site.ask("/a.txt", { "If-None-Match": headers.etag });
  assert.equal(changed.status, 200);
  assert.equal(changed.text, "new");
});

test("a change that keeps the size and the time of the file is seen", async () => {
  await using site = await siteOf({ "a.txt": "old" });
  await site.ask("/a.txt");
  site.write("a.txt", "new");
  await site.clock.advance(1000);
  assert.equal((await site.ask("/a.txt")).text, "new");
});

test("a file written twice at the same time is not remembered wrong", async () => {
  await using site = await siteOf({});
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  site.write("a.txt", "old", now);
  await site.ask("/a.txt");
  site.write("a.txt", "new", now);
  await site.clock.advance(1000);
  assert.equal((await site.ask("/a.txt")).text, "new");
});

test("files come and go", async () => {
  await using site = await siteOf({ "a.txt": "a", "dir/index.html": "index" });
  assert.equal((await site.ask("/a.txt")).status, 200);
  assert.equal((await site.ask("/dir/")).text, "index");
  assert.equal((await site.ask("/b.txt")).status, 404);
  rmSync(join(site.root, "a.txt"));
  rmSync(join(site.root, "dir", "index.html"));
  site.write("b.txt", "b");
  site.write("a.txt/index.html", "a directory");
  await site.clock.advance(1000);
  assert.equal((await site.ask("/a.txt")).status, 301);
  assert.equal((await site.ask("/a.txt/")).text, "a directory");
  assert.equal((await site.ask("/b.txt")).text, "b");
  assert.equal((await site.ask("/dir/")).status, 404);
});

test("a 404.html is seen when it comes, and when it changes", async () => {
  await using site = await siteOf({});
  assert.equal((await site.ask("/none")).text, "Not Found: /none\n");
  for (const [content, modified] of [["first", MODIFIED], ["second", LATER]] as const) {
    site.write("404.html", content, modified);
    await site.clock.advance(1000);
    assert.equal((await site.ask("/none")).text, content);
  }
});

test("siblings are seen when they come, change, go, and fall behind", async () => {
  await using site = await siteOf({ "a.css": "plain", "a.js": "plain", "a.js.gz": "old" });
  const get = async (target = "/a.css") => {
    return (await site.ask(target, { "Accept-Encoding": "gzip" })).text;
  };
  await later(async () => {
    assert.equal(await get(), "plain");
    assert.equal(await get("/a.js"), "old");
  });
  site.write("a.js.gz", "changed");
  site.write("a.css.gz", "one");
  await site.clock.advance(9000);
  assert.equal(await get("/a.js"), "changed");
  assert.equal(await get(), "plain", "what was not there is not looked for all the time");
  await site.clock.advance(1000);
  assert.equal(await get(), "one");
  site.write("a.css.gz", "two", LATER);
  await site.clock.advance(1000);
  assert.equal(await get(), "two");
  rmSync(join(site.root, "a.css.gz"));
  await site.clock.advance(1000);
  assert.equal(await get(), "plain");
  site.write("a.css.gz", "three");
  await site.clock.advance(10_000);
  assert.equal(await get(), "three");
  site.write("a.css", "newer", LATER);
  await site.clock.advance(1000);
  assert.equal(await get(), "newer");
});

test("a file that stays as it is is read once", async () => {
  await using site = await siteOf({ "a.txt": "hello", "a.txt.gz": "compressed" });
  const handler = serveFiles(site.root, { clock: site.clock });
  const request = { method: "GET", target: "/a.txt", headers: [] } as never;
  const first = await later(async () => await handler(request));
  for (const ms of [0, 999, 1, 1000, 10_000]) {
    await site.clock.advance(ms);
    assert.equal(await handler(request), first);
    assert.equal(handler(request), first, "and answered without a promise");
  }
});

/** Does something when it is so late that the times of files written before are of no later change. */
function later<T>(work: () => Promise<T>): Promise<T> {
  return atTime(Date.now() + 10_000, work);
}

/** Starts a download and stops hearing it after the first bytes. */
async function begin(site: Site, target: string): Promise<Conn> {
  const conn = await site.connect();
  await conn.write(bytes(requestOf(target)));
  assert.ok((await conn.read(new Uint8Array(1000)))! > 0);
  return conn;
}

const SIZE = 4 * 1024 * 1024;

test("a file that changes or shrinks while it is sent ends the connection", async () => {
  for (
    const change of [
      (path: string) => truncateSync(path, 1_000_000),
      (path: string) => truncateSync(path, 0),
      (path: string) => appendFileSync(path, "more"),
      (path: string) => {
        const fd = openSync(path, "r+");
        writeSync(fd, "changed", SIZE / 2);
        closeSync(fd);
      },
    ]
  ) {
    const content = randomBytes(SIZE);
    await using site = await siteOf({ "big.bin": content });
    const path = join(site.root, "big.bin");
    using conn = await begin(site, "/big.bin");
    change(path);
    const heard: Uint8Array[] = [];
    const hearAll = async () => {
      const p = new Uint8Array(65536);
      for (let n; (n = await conn.read(p)) !== null;) heard.push(p.slice(0, n));
    };
    await rejects(hearAll(), "ECONNRESET");
    const received = Buffer.concat(heard);
    assert.ok(received.length < SIZE);
    // begin() has heard the first bytes, and head and content came in one piece.
    const start = Buffer.from(content).indexOf(received.subarray(0, 32));
    const sent = content.subarray(start, Math.min(start + received.length, SIZE / 2));
    assert.ok(start !== -1 && sent.every((byte, i) => byte === received[i]), "nothing is made up");
    assert.equal(site.errors.length, 1);
    assert.match(String(site.errors[0]), /big\.bin was changed while it was read/);
    await until(() => descriptorsOn(path) === 0, "the file to be closed");
  }
});

test("a file that is replaced while it is sent is sent as it was", async () => {
  const content = randomBytes(SIZE);
  await using site = await siteOf({ "big.bin": content });
  const path = join(site.root, "big.bin");
  using conn = await begin(site, "/big.bin");
  rmSync(path);
  writeFileSync(path, "another");
  let heard = 0;
  const p = new Uint8Array(65536);
  for (let n; (n = await conn.read(p)) !== null;) heard += n;
  assert.ok(heard > SIZE - 1000);
  assert.deepEqual(site.errors, []);
});

test("a download that is aborted closes its file", async () => {
  await using site = await siteOf({ "big.bin": randomBytes(SIZE) });
  const path = join(site.root, "big.bin");
  for (let i = 0; i < 5; i++) {
    const conn = await begin(site, "/big.bin");
    conn.close();
  }
  await until(() => descriptorsOn(path) === 0, "the file to be closed");
  assert.equal((await site.ask("/big.bin", {}, "HEAD")).status, 200);
  assert.equal(descriptorsOn(path), 0);
});

test("the body of a reply that is never sent closes its file", async () => {
  await using site = await siteOf({ "a.bin": "hello" });
  const located = await locate(site.root, join(site.root, "a.bin"));
  const handle = await openLocated(located);
  const body = new FileBody(handle, located, [{ start: 0, end: 5 }]);
  await body.return();
  assert.equal(descriptorsOn(located.real), 0);
  assert.equal((await body.next()).done, true);
});

test("a file is not opened that is another one by now", async () => {
  await using site = await siteOf({ "a.bin": "hello", "b.bin": "world" });
  const located = await locate(site.root, join(site.root, "a.bin"));
  rmSync(located.real);
  site.write("a.bin", "longer");
  await assert.rejects(openLocated(located), { name: "ChangedError" });
  rmSync(located.real);
  await assert.rejects(openLocated(located), { code: "ENOENT" });
});
