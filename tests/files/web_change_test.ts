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
import type { Conn } from "../../lib/net/transport.ts";
import { locate, openLocated } from "../../lib/files/located_file.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { FileBody } from "../../lib/files/file_body.ts";
import { SharedRuns } from "../../lib/files/shared_runs.ts";
import { bytes, randomBytes, readAll, rejects, turn, until } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { atTime, descriptorsOn, MODIFIED, requestOf, type Site, siteOf } from "./web_helpers.ts";

const LATER = new Date(MODIFIED.getTime() + 60_000);

test("who asks after a change gets the new bytes, whichever tag he has", async () => {
  await using site = await siteOf({ "a.txt": "first" });
  let { headers: { etag } } = await site.ask("/a.txt");
  for (let i = 0; i < 25; i++) {
    site.write("a.txt", `text ${i}`, new Date());
    for (const condition of [{ "If-None-Match": etag }, {}] as Record<string, string>[]) {
      const { status, text, headers } = await site.ask("/a.txt", condition);
      assert.equal(status, 200);
      assert.equal(text, `text ${i}`);
      etag = headers.etag;
    }
  }
});

test("a change of what has been in memory for long is seen by the next request", async () => {
  const files = { "a.txt": "old", "index.html": "old", "404.html": "old", "b.css.gz": "old" };
  await using site = await siteOf({ ...files, "b.css": "plain" });
  await using app = await siteOf({ "index.html": "old" }, { spa: true });
  await later(async () => {
    const all = () =>
      Promise.all([
        site.ask("/a.txt"),
        site.ask("/"),
        site.ask("/none"),
        site.ask("/b.css", { "Accept-Encoding": "gzip" }),
        app.ask("/users/42"),
      ]);
    for (const _ of ["from the disk", "from memory"]) {
      assert.deepEqual((await all()).map(({ text }) => text), Array(5).fill("old"));
    }
    for (const name of Object.keys(files)) site.write(name, "new", LATER);
    app.write("index.html", "new", LATER);
    assert.deepEqual((await all()).map(({ text }) => text), Array(5).fill("new"));
  });
});

test("requests that come while a file is looked at get what it is when they come", async () => {
  await using site = await siteOf({ "a.txt": "old" });
  const handler = fileHandler(site.root, { clock: site.clock });
  const ask = async () => {
    return String((await handler({ method: "GET", target: "/a.txt", headers: [] } as never)).body);
  };
  const before = ask();
  // The first look has begun by then, or has not: both are right for the one who asked before.
  await Promise.resolve();
  site.write("a.txt", "new", LATER);
  assert.deepEqual(await Promise.all([ask(), ask()]), ["new", "new"]);
  assert.match(await before, /^(old|new)$/);
});

test("one run is shared by all who ask before it begins, and by nobody later", async () => {
  const runs = new SharedRuns<number>();
  const begun: (() => void)[] = [];
  const job = () => new Promise<number>((resolve) => begun.push(() => resolve(begun.length)));
  const first = runs.run("a", job);
  const later = [runs.run("a", job), runs.run("a", job)];
  assert.equal(begun.length, 1);
  assert.notEqual(first, later[0]);
  assert.equal(later[0], later[1]);
  runs.run("b", job);
  assert.equal(begun.length, 2);
  begun[0]();
  assert.equal(await first, 2);
  await until(() => begun.length === 3, "the next run");
  begun[2]();
  assert.deepEqual(await Promise.all(later), [3, 3]);

  const failing = runs.run("c", () => Promise.reject(new Error("no")));
  const next = runs.run("c", () => Promise.resolve(5));
  await assert.rejects(failing, /no/);
  assert.equal(await next, 5);
});

test("a change that keeps the size and the time of the file is seen", async () => {
  await using site = await siteOf({ "a.txt": "old" });
  await site.ask("/a.txt");
  site.write("a.txt", "new");
  assert.equal((await site.ask("/a.txt")).text, "new");
});

test("a file written twice at the same time is not remembered wrong", async () => {
  await using site = await siteOf({});
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  site.write("a.txt", "old", now);
  await site.ask("/a.txt");
  site.write("a.txt", "new", now);
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
  assert.equal(await get(), "two");
  rmSync(join(site.root, "a.css.gz"));
  assert.equal(await get(), "plain");
  site.write("a.css.gz", "three");
  await site.clock.advance(10_000);
  assert.equal(await get(), "three");
  site.write("a.css", "newer", LATER);
  assert.equal(await get(), "newer");
});

test("a file that stays as it is is read once", async () => {
  await using site = await siteOf({ "a.txt": "hello", "a.txt.gz": "compressed" });
  const handler = fileHandler(site.root, { clock: site.clock });
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
      (path: string) => {
        const fd = openSync(path, "r+");
        // Not text, which Deno writes at the start of the file.
        writeSync(fd, bytes("changed"), 0, 7, SIZE / 2);
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
    // begin() has heard the head, and the first bytes if they came in one piece with it.
    const start = Buffer.from(content).indexOf(received.subarray(0, 32));
    const sent = content.subarray(start, Math.min(start + received.length, SIZE / 2));
    assert.ok(start !== -1 && sent.every((byte, i) => byte === received[i]), "nothing is made up");
    assert.equal(site.errors.length, 1);
    assert.match(String(site.errors[0]), /big\.bin was changed while it was read/);
    await until(() => descriptorsOn(path) === 0, "the file to be closed");
  }
});

test("a file that grows or is replaced while it is sent is sent as it was", async () => {
  for (
    const change of [
      (path: string) => appendFileSync(path, "more"),
      (path: string) => appendFileSync(path, randomBytes(SIZE)),
      (path: string) => {
        rmSync(path);
        writeFileSync(path, "another");
      },
    ]
  ) {
    const content = randomBytes(SIZE);
    await using site = await siteOf({ "big.bin": content });
    using conn = await site.connect();
    await conn.write(bytes(requestOf("/big.bin")));
    const head = new Uint8Array(1000);
    const n = (await conn.read(head))!;
    change(join(site.root, "big.bin"));
    const heard = Buffer.concat([head.subarray(0, n), await readAll(conn)]);
    assert.match(heard.toString("latin1", 0, 500), new RegExp(`Content-Length: ${SIZE}\\r`));
    assert.ok(heard.subarray(-SIZE).equals(content));
    assert.deepEqual(site.errors, []);
  }
});

test("a log that is written to all the time can be had, and ranges of it", async () => {
  for (const size of [1000, 60_000, 200_000]) {
    const start = "a line of the log\n".repeat(size).slice(0, size);
    await using site = await siteOf({ "a.log": start });
    const path = join(site.root, "a.log");
    let written = start;
    let writing = true;
    const writer = (async () => {
      // Between any two steps of the server.
      for (; writing; await turn()) {
        appendFileSync(path, "more\n");
        written += "more\n";
      }
    })();
    for (let i = 0; i < 5; i++) {
      const { status, headers, text } = await site.ask("/a.log");
      assert.equal(status, 200);
      assert.equal(headers["content-length"], String(text.length));
      assert.ok(text.length >= size && written.startsWith(text));
      const part = await site.ask("/a.log", { Range: `bytes=${size - 10}-` });
      assert.equal(part.status, 206);
      assert.ok(written.slice(size - 10).startsWith(part.text));
      assert.equal((await site.ask("/a.log", {}, "HEAD")).status, 200);
    }
    writing = false;
    await writer;
    assert.deepEqual(site.errors, []);
  }
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

test("the body of a response that is never sent closes its file", async () => {
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
