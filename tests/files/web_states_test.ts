// File systems that say what cannot be: times beyond all dates, sizes beyond all numbers, none at all.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { listDirectories } from "../../lib/files/directory.ts";
import { hasGrown, httpSecond, isSame, stateAfter, stateOf } from "../../lib/files/file_state.ts";
import { stateNow } from "../../lib/files/file_system.deno.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { comparing, type Entry } from "../../lib/files/listing.ts";
import { siteHandler } from "../../lib/files/site.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { randomBytes, untilAsync } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { ask } from "../support/site_helpers.ts";
import { atTime, siteOf } from "./web_helpers.ts";

/** Keeps any time of 64 bits, and any size of 63; only Linux has it. */
const TMPFS = "/dev/shm";
const HAS_TMPFS = existsSync(TMPFS);

/** Seconds since 1970: before it, at it, in years of five digits and more, beyond all dates. */
const TIMES = [
  -1,
  0,
  -62_135_596_801,
  253_402_300_800,
  8_640_000_000_000,
  8_640_000_000_001,
  9_999_999_999_999,
  -9_999_999_999_999,
  4_611_686_018_427_387_904n,
  -4_611_686_018_427_387_904n,
];

function touch(seconds: number | bigint, ...paths: string[]): void {
  execFileSync("touch", ["-d", `@${seconds}`, ...paths]);
}

const TOO_LARGE = 2n ** 53n + 3n;

/** Makes a file that large; it takes no space. */
function resize(path: string, size: bigint): void {
  execFileSync("truncate", ["-s", String(size), path]);
}

/** Does something when it is so late that the times of files written before are of no later change. */
function later<T>(work: () => Promise<T>): Promise<T> {
  return atTime(Date.now() + 10_000, work);
}

if (HAS_TMPFS) {
  test("files of any time are served, with validators that hold", async () => {
    const content = { "small.txt": "hello", "big.bin": randomBytes(100_000) };
    await using site = await siteOf({ ...content, "d/index.html": "index" }, {}, TMPFS);
    for (const seconds of TIMES) {
      const names = [...Object.keys(content), "d", "d/index.html"];
      touch(seconds, ...names.map((name) => join(site.root, name)));
      await later(async () => {
        for (const target of ["/small.txt", "/big.bin", "/d/"]) {
          const about = `${target} at ${seconds}`;
          for (const headers of [{}, { Range: "bytes=0-1" }] as Record<string, string>[]) {
            const { status } = await site.ask(target, headers);
            assert.equal(status, "Range" in headers ? 206 : 200, about);
          }
          const { headers: { etag, "last-modified": date } } = await site.ask(target, {}, "HEAD");
          assert.match(etag, /^(W\/)?"[!#-~]+"$/, about);
          assert.ok(date === undefined || Date.parse(date) <= Date.now(), about);
          assert.ok(date === undefined || /^\w{3}, \d\d \w{3} \d{4} /.test(date), date);
          assert.equal((await site.ask(target, { "If-None-Match": etag })).status, 304, about);
          assert.equal((await site.ask(target, { "If-Match": '"x"' })).status, 412, about);
          const since = { "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT" };
          assert.ok([200, 304].includes((await site.ask(target, since)).status), about);
        }
      });
      site.write("small.txt", `changed ${seconds}`);
      assert.equal((await site.ask("/small.txt")).text, `changed ${seconds}`);
    }
    assert.deepEqual(site.errors, []);
  });

  test("siblings of a file of any time are older, or are served", async () => {
    await using site = await siteOf({ "a.css": "plain", "a.css.gz": "coded" }, {}, TMPFS);
    for (const seconds of TIMES) {
      touch(seconds, join(site.root, "a.css"));
      const { status, text } = await site.ask("/a.css", { "Accept-Encoding": "gzip" });
      assert.equal(status, 200);
      // Deno takes what is beyond 64 bits of milliseconds for another time.
      const isSure = seconds > 0 && seconds <= Number.MAX_SAFE_INTEGER;
      assert.match(text, isSure ? /^plain$/ : /^(plain|coded)$/);
    }
  });

  test("directories with files of any time and size are listed, sorted by anything", async () => {
    await using site = await siteOf({ "a.txt": "a", "huge": "" }, {}, TMPFS);
    resize(join(site.root, "huge"), TOO_LARGE);
    for (const [i, seconds] of TIMES.entries()) {
      site.write(`dir${i}/x`, "x");
      site.write(`file${i}`, "x");
      touch(seconds, join(site.root, `dir${i}`), join(site.root, `file${i}`));
    }
    const handler = fileHandler(site.root, { listing: listDirectories(site.root) });
    for (const query of ["", "?sort=time", "?sort=time&order=asc", "?sort=size"]) {
      const html = await ask(handler, { target: `/${query}` });
      assert.equal(html.status, 200);
      assert.doesNotMatch(html.text, /NaN|Invalid|Infinity|undefined/);
      const json = await ask(handler, {
        target: `/${query}`,
        headers: { accept: "application/json" },
      });
      const { entries } = JSON.parse(json.text);
      assert.equal(entries.length, 2 * TIMES.length + 2);
      for (const { name, modified } of entries) {
        assert.ok(modified === undefined || !isNaN(Date.parse(modified)), name);
      }
      const before1970 = entries.find(({ name }: Entry) => name === "file0");
      assert.equal(before1970.modified, "1969-12-31T23:59:59.000Z");
    }
  });

  test("a file larger than a length can tell is 500, says so, and harms nobody", async () => {
    await using site = await siteOf(
      { "a.txt": "hello", "huge.bin": "", "a.txt.gz": "" },
      {},
      TMPFS,
    );
    for (const name of ["huge.bin", "a.txt.gz"]) {
      resize(join(site.root, name), TOO_LARGE);
    }
    for (const method of ["GET", "HEAD"]) {
      assert.equal((await site.ask("/huge.bin", { Range: "bytes=0-1" }, method)).status, 500);
    }
    assert.match(String(site.errors[0]), /huge\.bin: it is larger than 2\^53 - 1 bytes/);
    assert.equal((await site.ask("/a.txt", { "Accept-Encoding": "gzip" })).text, "hello");

    resize(join(site.root, "huge.bin"), BigInt(Number.MAX_SAFE_INTEGER));
    const { headers, body } = await site.ask("/huge.bin", { Range: "bytes=-1" });
    assert.equal(
      headers["content-range"],
      "bytes 9007199254740990-9007199254740990/9007199254740991",
    );
    assert.deepEqual([...body], [0]);
  });

  test("a socket file of any time is that of its listener, and is removed by it", async () => {
    await using site = await siteOf({}, {}, TMPFS);
    for (const seconds of TIMES) {
      const path = join(site.root, "socket");
      const listener = await systemTransport.listen({ path });
      touch(seconds, path);
      await assert.rejects(systemTransport.listen({ path }), { code: "EADDRINUSE" });
      listener.close();
      // Somebody has touched it: it may be another one, and stays.
      if (existsSync(path)) assert.ok(lstatSync(path).isSocket());
      execFileSync("rm", ["-f", path]);
    }
  });
}

test("what both ways of looking at a file say is the same", async () => {
  await using site = await siteOf({ "a.txt": "hello", "dir/x": "" });
  for (const name of ["a.txt", "dir", "."]) {
    const path = join(site.root, name);
    assert.deepEqual(stateNow(path), stateOf(statSync(path)));
    assert.ok(isSame(stateNow(path), stateNow(path)));
  }
  assert.throws(() => stateNow(join(site.root, "none")));
});

test("only what an HTTP-date can tell is told", () => {
  for (const ms of [NaN, Infinity, -Infinity, 8.64e15, 253_402_300_800_000, -62_135_596_800_001]) {
    assert.ok(isNaN(httpSecond(ms)), String(ms));
  }
  for (const ms of [-59_000_000_000_000, -1, 0, 1_234_567_890_123, 253_402_300_799_999]) {
    const date = new Date(httpSecond(ms)).toUTCString();
    assert.match(date, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    assert.ok(Math.abs(Date.parse(date) - ms) < 1000);
  }
});

test("listing: what has no time comes before all that has", () => {
  const at = (name: string, time: number): Entry => ({ name, kind: "file", size: 0, time });
  const entries = [at("b", 5), at("none2", NaN), at("a", -5), at("none1", NaN), at("c", 7)];
  entries.sort(comparing({ key: "time", descending: false }));
  const names = entries.map(({ name }) => name);
  assert.deepEqual(names, ["none1", "none2", "a", "b", "c"]);
});

if (existsSync("/proc/self/status") && existsSync("/sys/class/net/lo/mtu")) {
  test("files of the kernel, which tell no size, are served as they are now", async () => {
    for (
      const [root, target] of [
        ["/proc", "/uptime"], // of size 0
        ["/proc", "/self/status"],
        ["/sys/class/net/lo", "/mtu"], // of size 4096
      ]
    ) {
      const handler = siteHandler(root);
      for (
        const headers of [
          {},
          { range: "bytes=0-1" },
          { range: "bytes=0-1,3-4" },
          { "if-none-match": '"x"' },
          { "accept-encoding": "br" },
        ] as Record<string, string>[]
      ) {
        const answer = await ask(handler, { target, headers });
        assert.equal(answer.status, 200, target);
        assert.ok(answer.text.endsWith("\n"), target);
        for (const name of ["etag", "last-modified", "accept-ranges", "content-range"]) {
          assert.equal(answer.headers[name], undefined, `${target}: ${name}`);
        }
      }
    }
    const handler = siteHandler("/proc");
    const uptime = async () => (await ask(handler, { target: "/uptime" })).text;
    const first = await uptime();
    await untilAsync(async () => await uptime() !== first, "the machine to be up for longer");
    assert.equal((await ask(handler, { target: "/self/" })).status, 200);
  });
}

test("the state of a file in the middle of an append is looked at again, and not for ever", async () => {
  const stats = statSync(".");
  const at = (size: number, mtimeMs: number): Stats =>
    Object.assign(Object.create(Object.getPrototypeOf(stats)), stats, { size, mtimeMs });
  const before = stateOf(at(5, 1));
  const after = async (...looks: Stats[]) => {
    const handle = { stat: () => Promise.resolve(looks.length > 1 ? looks.shift()! : looks[0]) };
    return await stateAfter(before, handle);
  };
  assert.ok(hasGrown(before, await after(at(5, 2), at(9, 2))));
  assert.ok(isSame(before, await after(at(5, 1), at(9, 2))));
  // It was written over, and has the size that it had.
  assert.deepEqual(await after(at(5, 2)), stateOf(at(5, 2)));
});
