// Listings of large directories, for many at once: read once, sent bit by bit, and no more than wanted.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmodSync, linkSync, rmSync } from "node:fs";
import process from "node:process";
import { gunzipSync } from "node:zlib";
import type { LightResponse } from "../../lib/http/server/light.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { statusOfError } from "../../lib/files/located_file.ts";
import type { Directory } from "../../lib/files/file_options.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { listDirectories } from "../../lib/files/directory.ts";
import { type Entry, listingHtml, listingJson } from "../../lib/files/listing.ts";
import { ListingBody } from "../../lib/files/listing_body.ts";
import { readDirectory, Reading } from "../../lib/files/directory_reading.ts";
import { Readings } from "../../lib/files/shared_readings.ts";
import { siteHandler } from "../../lib/files/site.ts";
import { bytes, turn, until } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { ask, lightRequest, makeSite, type Site } from "../support/site_helpers.ts";
import { descriptorsOn } from "./web_helpers.ts";

const never = new AbortController().signal;
const ignore = () => {};

function entries(...names: string[]): Entry[] {
  return names.map((name) => ({ name, kind: "file", size: 1, time: 0 }));
}

/** Readings that go on when they are told to. */
function controlled() {
  const begun: { path: string; signal: AbortSignal; end: (reading: Reading) => void }[] = [];
  const readings = new Readings((path, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      begun.push({ path, signal, end: resolve });
    })
  );
  return { readings, begun };
}

async function siteOf(count: number, more = " & more"): Promise<Site> {
  const site = await makeSite({ "dir/": "", "one.txt": "x" });
  // Links to one file are made in a fraction of the time that files take.
  const linkTo = (name: string) => linkSync(site.path("one.txt"), site.path(name));
  for (let i = 0; i < count; i++) linkTo(`dir/file ${i}${more}.txt`);
  return site;
}

test("readings: one is shared by all who ask before it begins, and held once", async () => {
  const { readings, begun } = controlled();
  const first = readings.use("a", never, ignore);
  const second = readings.use("a", never, ignore);
  await until(() => begun.length > 0, "the reading to begin");
  const later = [readings.use("a", never, ignore), readings.use("a", never, ignore)];
  const other = readings.use("b", never, ignore);
  await until(() => begun.length === 2, "another directory");
  begun[0].end(new Reading(entries("x"), true));
  using one = await first;
  using two = await second;
  assert.equal(one.reading, two.reading);
  await until(() => begun.length === 3, "the next reading");
  begun[2].end(new Reading(entries("x"), true));
  for (const promise of later) {
    using use = await promise;
    assert.equal(use.reading, one.reading, "nothing has changed");
  }
  begun[1].end(new Reading(entries("y"), true));
  using third = await other;
  assert.deepEqual(third.reading.entries, entries("y"));

  const changed = readings.use("a", never, ignore);
  await until(() => begun.length === 4, "a reading");
  begun[3].end(new Reading(entries("x", "y"), true));
  using fourth = await changed;
  assert.deepEqual(fourth.reading.entries, entries("x", "y"));
});

test("readings: one stops when the last who wants it leaves", async () => {
  const { readings, begun } = controlled();
  const [one, two, three] = [1, 2, 3].map(() => new AbortController());
  const uses = [one, two].map(({ signal }) => readings.use("a", signal, ignore));
  for (const use of uses) use.catch(() => {});
  await until(() => begun.length === 1, "the reading to begin");
  const queued = readings.use("a", three.signal, ignore);
  one.abort(new Error("gone"));
  await assert.rejects(uses[0], /gone/);
  assert.ok(!begun[0].signal.aborted);
  three.abort(new Error("gone, too"));
  await assert.rejects(queued, /gone, too/);
  two.abort(new Error("gone"));
  await assert.rejects(uses[1], /gone/);
  assert.ok(begun[0].signal.aborted);

  const after = readings.use("a", never, ignore);
  await until(() => begun.length === 2, "a reading for who comes then");
  begun[1].end(new Reading(entries("x"), true));
  using use = await after;
  assert.equal(use.reading.entries.length, 1);
  await assert.rejects(readings.use("a", AbortSignal.abort(new Error("before")), ignore), /before/);
  assert.equal(begun.length, 2);
});

test("readings: what many who take them slowly hold is bounded, and the oldest goes", async () => {
  const { readings, begun } = controlled();
  const dropped: string[] = [];
  const hold = async (path: string) => {
    const count = begun.length;
    const use = readings.use(path, never, () => dropped.push(path));
    await until(() => begun.length > count, "the reading to begin");
    begun[count].end(new Reading(new Array(200_000).fill(entries(path)[0]), true));
    return await use;
  };
  const uses = [await hold("a"), await hold("b")];
  assert.deepEqual(dropped, []);
  uses.push(await hold("c"));
  assert.deepEqual(dropped, ["a"]);
  for (const use of uses) use[Symbol.dispose]();
  using _last = await hold("d");
  using _more = await hold("e");
  assert.deepEqual(dropped, ["a"], "what is given back does not count");
});

test("listing: many at once of a large directory are all whole, compressed for who decodes it", async () => {
  await using site = await siteOf(1500);
  const handler = siteHandler(site.root);
  const texts = await Promise.all(Array.from({ length: 10 }, async (_, i) => {
    const headers: Record<string, string> = i % 2 === 0 ? {} : { "accept-encoding": "br, gzip" };
    const response = await handler(lightRequest({ target: "/dir/", headers }));
    const content = await contentOf(response);
    return i % 2 === 0 ? content : gunzipSync(content);
  }));
  assert.equal(texts[0].toString().match(/<th scope="row">/g)?.length, 1500);
  assert.match(texts[0].toString(), /<p>1,500 files · [^<]+<\/p>[^]*<\/html>\n$/);
  for (const text of texts) assert.ok(text.equals(texts[0]));

  const { text } = await ask(handler, { target: "/dir/", headers: { accept: "application/json" } });
  assert.equal(JSON.parse(text).entries.length, 1500);
  assert.equal(text, `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
});

test("listing: as many are compressed as there is memory for, and it is free when they end", async () => {
  await using site = await siteOf(10);
  const handler = siteHandler(site.root);
  const headers = { "accept-encoding": "gzip" };
  const request = () => lightRequest({ target: "/dir/", headers });
  const isCompressed = ({ headers }: LightResponse) => headers!.includes("Content-Encoding");
  for (let round = 0; round < 2; round++) {
    const responses = await Promise.all(Array.from({ length: 40 }, () => handler(request())));
    assert.equal(responses.filter(isCompressed).length, 16);
    await Promise.all(responses.map(async (response, i) => {
      // Some are taken, some never begun, some left in the middle.
      const body = response.body as ListingBody;
      if (i % 3 === 0) await contentOf(response);
      if (i % 3 === 1) await body.return();
      if (i % 3 === 2) {
        await body.next();
        await body.return();
      }
    }));
  }
  const only = await handler(lightRequest({
    target: "/dir/",
    headers: { "accept-encoding": "br, identity;q=0" },
  }));
  assert.ok(!isCompressed(only), "who accepts nothing that there is gets it all the same");
  await (only.body as ListingBody).return();
});

test("listing: HEAD is answered as GET, and nothing is read for it", async () => {
  await using site = await siteOf(10);
  const handler = siteHandler(site.root);
  for (const target of ["/dir/", "/dir/?sort=size", "/"]) {
    for (const headers of [{}, { accept: "application/json" }, { "accept-encoding": "gzip" }]) {
      const [get, head] = await Promise.all(["GET", "HEAD"].map((method) => {
        return handler(
          lightRequest({ method, target, headers: headers as Record<string, string> }),
        );
      }));
      assert.equal(head.status, 200);
      assert.deepEqual(head.headers, get.headers);
      assert.equal(head.length, get.length);
      assert.ok(get.body instanceof ListingBody && !(head.body instanceof ListingBody));
      await get.body.return();
    }
  }
});

test("listing: who leaves while a directory is read ends the reading", async () => {
  await using site = await siteOf(3000);
  const stop = new AbortController();
  const reading = readDirectory(site.root, site.path("dir"), () => true, stop.signal);
  await turn();
  stop.abort(new Error("gone"));
  await assert.rejects(reading, /gone/);
  await until(() => descriptorsOn(site.path("dir")) === 0, "the directory to be closed");

  const handler = siteHandler(site.root);
  const { body } = await handler(lightRequest({ target: "/dir/" }));
  const first = (body as ListingBody).next();
  await turn();
  await (body as ListingBody).return();
  await assert.rejects(first);
  assert.equal((await (body as ListingBody).next()).done, true);
  await until(() => descriptorsOn(site.path("dir")) === 0, "the directory to be closed");
});

test("listing: a client that resets its connection ends it, whatever it has taken", async () => {
  // Much more than sockets hold.
  await using site = await siteOf(5000, "&".repeat(200));
  const list = listDirectories(site.root);
  let begun = 0;
  let left = 0;
  const listing = async (...args: Parameters<typeof list>) => {
    const response = await list(...args);
    const body = response.body as ListingBody;
    const end = body.return.bind(body);
    body.return = () => {
      left++;
      return end();
    };
    begun++;
    return response;
  };
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const stop = new AbortController();
  const served = serveLight(listener, fileHandler(site.root, { listing }), {
    signal: stop.signal,
  }).finished;
  for (let i = 0; i < 10; i++) {
    const conn = await systemTransport.connect(listener.addr);
    await conn.write(bytes("GET /dir/ HTTP/1.1\r\nHost: a\r\n\r\n"));
    if (i % 2 === 0) await conn.read(new Uint8Array(100));
    else await until(() => begun > i, "the response to begin");
    conn.reset();
  }
  await until(() => left === 10, "all to be left");
  // It begins to read when the reading that the last of them has left is over.
  assert.equal(
    (await ask(fileHandler(site.root, { listing: list }), { target: "/dir/" })).status,
    200,
  );
  assert.equal(descriptorsOn(site.path("dir")), 0);
  stop.abort();
  await served;
});

test("listing: a directory that may not be read is 403, and one that is gone 404", async () => {
  await using site = await makeSite({ "dir/a.txt": "", "gone/": "" });
  const list = listDirectories(site.root);
  const listing = (directory: Directory, request: Parameters<typeof list>[1]) => {
    rmSync(site.path("gone"), { recursive: true, force: true });
    return list(directory, request);
  };
  const handler = fileHandler(site.root, { listing });
  assert.equal((await ask(handler, { target: "/gone/" })).status, 404);
  // Nothing is forbidden to root.
  if (process.getuid?.() !== 0) {
    chmodSync(site.path("dir"), 0o300);
    for (const method of ["GET", "HEAD"]) {
      assert.equal((await ask(handler, { method, target: "/dir/" })).status, 403);
    }
    chmodSync(site.path("dir"), 0o700);
  }
});

test("listing: that a directory goes away, or is taken too slowly, is no mistake of the server", async () => {
  await using site = await makeSite({ "gone/a": "" });
  const handler = fileHandler(site.root, { listing: listDirectories(site.root) });
  const response = await handler(lightRequest({ target: "/gone/" }));
  rmSync(site.path("gone"), { recursive: true });
  await assert.rejects(contentOf(response), (error) => statusOfError(error) === 404);

  const many = new Array(300_000).fill(entries("a")[0]);
  const readings = new Readings(() => Promise.resolve(new Reading(many, true)));
  const reasons: Error[] = [];
  for (const path of ["a", "b"]) await readings.use(path, never, (reason) => reasons.push(reason));
  assert.match(reasons[0].message, /taken too slowly/);
  assert.equal(statusOfError(reasons[0]), 503);
});

test("listing: what there are too many of is left out, and it is said", () => {
  const listing = {
    root: "a",
    names: [],
    entries: entries("x"),
    complete: false,
    order: { key: "name", descending: false },
    upload: false,
  } as const;
  assert.match(
    [...listingHtml(listing)].join(""),
    /<p>1 file · 1 B · and more, which are too many/,
  );
  assert.equal(JSON.parse([...listingJson(listing)].join("")).complete, false);
  assert.ok(!new Reading(entries("x"), false).equals(new Reading(entries("x"), true)));
});

async function contentOf({ body }: LightResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as ListingBody) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}
