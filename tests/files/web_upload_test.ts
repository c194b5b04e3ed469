// Uploads: PUT of a file, POST of a form; whole or not at all.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { HttpError } from "../../lib/http/message/errors.ts";
import { readForm } from "../../lib/files/form.ts";
import { addNew } from "../../lib/files/new_file.ts";
import { refusalOf } from "../../lib/files/refusal.ts";
import { removeStale } from "../../lib/files/temporary_file.ts";
import { siteHandler } from "../../lib/files/site.ts";
import { bytes, randomBytes } from "../support/helpers.ts";
import { spread } from "../support/cases.ts";
import { test } from "../support/runner.deno.ts";
import {
  type Answer,
  ask,
  lightRequest,
  makeSite,
  type Question,
  type Site,
} from "../support/site_helpers.ts";
import { descriptorsBelow } from "./web_helpers.ts";

function send(site: Site, question: Question): Promise<Answer> {
  return ask(siteHandler(site.root, { upload: true }), question);
}

function put(site: Site, target: string, content: string, headers = {}): Promise<Answer> {
  return send(site, { method: "PUT", target, headers, body: [bytes(content)] });
}

const BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

const OF_FORM = { "Content-Type": `multipart/form-data; boundary=${BOUNDARY}` };

/** A form as browsers send it; a part without a file name is a text field. */
function formOf(
  ...parts: (readonly [filename: string | undefined, content: Uint8Array])[]
): Buffer {
  const lines = parts.flatMap(([filename, content]) => [
    bytes(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="files"`),
    bytes(filename === undefined ? "" : `; filename="${filename}"\r\nContent-Type: text/plain`),
    bytes("\r\n\r\n"),
    content,
    bytes("\r\n"),
  ]);
  return Buffer.concat([...lines, bytes(`--${BOUNDARY}--\r\n`)]);
}

function post(
  site: Site,
  target: string,
  body: Question["body"],
  headers: Record<string, string> = {},
): Promise<Answer> {
  return send(site, { method: "POST", target, headers: { ...OF_FORM, ...headers }, body });
}

/** The files and directories of a site by their paths. */
async function everything(site: Site): Promise<string[]> {
  return (await readdir(site.root, { recursive: true })).sort();
}

test("upload: PUT makes a file: 201; and replaces it: 204", async () => {
  await using site = await makeSite();
  assert.equal((await put(site, "/new%20file.txt", "one")).status, 201);
  assert.equal(await readFile(site.path("new file.txt"), "utf8"), "one");
  assert.equal((await put(site, "/new%20file.txt", "another")).status, 204);
  assert.equal(await readFile(site.path("new file.txt"), "utf8"), "another");
  assert.deepEqual(await everything(site), ["new file.txt"]);
});

test("upload: what comes in many pieces is put together", async () => {
  await using site = await makeSite({ "sub/": "" });
  const content = randomBytes(300_000);
  const pieces = Array.from({ length: 300 }, (_, i) => content.subarray(i * 1000, (i + 1) * 1000));
  const { status } = await send(site, { method: "PUT", target: "/sub/x", body: pieces });
  assert.equal(status, 201);
  assert.ok(Buffer.from(content).equals(await readFile(site.path("sub/x"))));
});

test("upload: one that breaks off leaves nothing, and the file that was there", async () => {
  await using site = await makeSite({ "a.txt": "old" });
  const lost = new HttpError(400, "BODY_INCOMPLETE", "The client closed");
  const body = (async function* () {
    yield bytes("new");
    assert.equal((await everything(site)).length, 2, "It is written beside");
    throw lost;
  })();
  await assert.rejects(send(site, { method: "PUT", target: "/a.txt", body }), lost);
  assert.deepEqual(await everything(site), ["a.txt"]);
  assert.equal(await readFile(site.path("a.txt"), "utf8"), "old");
});

test("upload: is not there before it is whole", async () => {
  await using site = await makeSite();
  const handler = siteHandler(site.root, { upload: true });
  const body = (async function* () {
    yield bytes("half");
    assert.equal((await ask(handler, { target: "/a.txt" })).status, 404);
    yield bytes(" and half");
  })();
  assert.equal((await ask(handler, { method: "PUT", target: "/a.txt", body })).status, 201);
  assert.equal((await ask(handler, { target: "/a.txt" })).text, "half and half");
});

test("upload: a new file is never seen in part, nor empty, under its name", async () => {
  const content = bytes("all of it");
  const uploads = [
    (site: Site, name: string) =>
      send(site, {
        method: "PUT",
        target: `/${name}`,
        headers: { "If-None-Match": "*" },
        body: [content],
      }),
    (site: Site, name: string) => post(site, "/", [formOf([name, content])]),
  ];
  for (const upload of uploads) {
    await using site = await makeSite();
    const seen = new Set<number>();
    let name = "";
    const watch = async (stop: AbortSignal) => {
      while (!stop.aborted) {
        const stats = await stat(site.path(name)).catch(() => undefined);
        if (stats?.isFile()) seen.add(stats.size);
      }
    };
    const stop = new AbortController();
    const watching = [watch(stop.signal), watch(stop.signal), watch(stop.signal)];
    for (let i = 0; i < 40; i++) await upload(site, name = `file ${i}`);
    stop.abort();
    await Promise.all(watching);
    assert.deepEqual([...seen].filter((size) => size !== content.length), []);
    assert.equal((await everything(site)).length, 40);
  }
});

test("upload: where there are no hard links, a new file takes no name that is taken", async () => {
  await using site = await makeSite({ "whole": "new", "taken": "old" });
  const noLinks = () => Promise.reject(Object.assign(new Error(), { code: "EPERM" }));
  const file = { addAs: noLinks, keepAs: (path: string) => rename(site.path("whole"), path) };
  await assert.rejects(addNew(site.path("taken"), file, 409), { status: 409 });
  assert.equal(await readFile(site.path("taken"), "utf8"), "old");
  await addNew(site.path("a"), file, 409);
  assert.equal(await readFile(site.path("a"), "utf8"), "new");
  // The next one has no content.
  await assert.rejects(addNew(site.path("b"), file, 409), { code: "ENOENT" });
  assert.deepEqual(await everything(site), ["a", "taken"]);
});

test("upload: one that cannot be given its name removes no file of somebody else", async () => {
  await using site = await makeSite();
  const full = Object.assign(new Error(), { code: "ENOSPC" });
  const file = {
    addAs: () => Promise.reject(full),
    keepAs: async (path: string) => {
      await writeFile(site.path("other"), "of somebody else");
      await rename(site.path("other"), path);
      throw full;
    },
  };
  await assert.rejects(addNew(site.path("a"), file, 409), full);
  assert.equal(await readFile(site.path("a"), "utf8"), "of somebody else");
});

test("upload: PUT to a directory, or into none, is 409", async () => {
  await using site = await makeSite({ "sub/": "", "file": "" });
  for (const target of ["/sub", "/sub/", "/", "/none/x", "/file/x"]) {
    assert.equal((await put(site, target, "x")).status, 409, target);
  }
  assert.deepEqual(await everything(site), ["file", "sub"]);
});

test("upload: PUT keeps to If-None-Match: * and If-Match", async () => {
  await using site = await makeSite({ "a": "old" });
  assert.equal((await put(site, "/a", "new", { "If-None-Match": "*" })).status, 412);
  assert.equal(await readFile(site.path("a"), "utf8"), "old");
  assert.equal((await put(site, "/b", "new", { "If-None-Match": "*" })).status, 201);
  assert.equal((await put(site, "/c", "new", { "If-Match": "*" })).status, 412);
  assert.equal((await put(site, "/a", "new", { "If-Match": "*" })).status, 204);
  assert.deepEqual(await everything(site), ["a", "b"]);
});

test("upload: PUT replaces the file that was seen, and no other", async () => {
  await using site = await makeSite({ "a": "old" });
  const handler = siteHandler(site.root, { upload: true });
  // What has just been changed has a weak tag, which no If-Match holds for.
  let time = 1_000_000;
  const tag = async () => {
    await utimes(site.path("a"), time, ++time);
    await ask(handler, { method: "PUT", target: "/b", body: [] }); // looks at all anew
    return (await ask(handler, { method: "HEAD", target: "/a" })).headers.etag;
  };
  const change = async (headers: Record<string, string>) => {
    const body = [bytes(`new ${JSON.stringify(headers)}`)];
    return (await ask(handler, { method: "PUT", target: "/a", headers, body })).status;
  };
  const [first, never] = [await tag(), "Thu, 01 Jan 1970 00:00:00 GMT"];
  assert.equal(await change({ "If-Match": first }), 204);
  assert.equal(await change({ "If-Match": first }), 412);
  const second = await tag();
  assert.notEqual(second, first);
  assert.equal(await change({ "If-None-Match": second }), 412);
  assert.equal(await change({ "If-None-Match": first }), 204);
  assert.equal(await change({ "If-Unmodified-Since": never }), 412);
  const today = new Date().toUTCString();
  assert.equal(await change({ "If-Modified-Since": today, "If-Match": await tag() }), 204);
});

test("upload: PUT compares with the file as it is, whatever responses the client would take", async () => {
  await using site = await makeSite();
  const handler = siteHandler(site.root, { upload: true });
  let time = 1_000_000;
  const inReplies: Record<string, string>[] = [
    { "Accept-Encoding": "gzip, deflate, br" },
    { "Accept-Encoding": "identity;q=0, gzip" },
    { "Accept-Encoding": "identity;q=0" },
    { "Accept": "application/json" },
    { "Range": "bytes=0-1" },
    { "Range": "bytes=9999-", "If-Range": '"x"' },
  ];
  for (const headers of inReplies) {
    const change = async (more: Record<string, string>) => {
      // As long as what is compressed, and old enough for a strong tag.
      await writeFile(site.path("a.txt"), "a".repeat(5000));
      await utimes(site.path("a.txt"), time, ++time);
      await ask(handler, { method: "PUT", target: "/b", body: [] }); // looks at all anew
      const { etag } = (await ask(handler, { method: "HEAD", target: "/a.txt" })).headers;
      const all = { ...headers, ...more, ...("If-Match" in more ? { "If-Match": etag } : {}) };
      const body = [bytes("new")];
      return (await ask(handler, { method: "PUT", target: "/a.txt", headers: all, body })).status;
    };
    const sent = JSON.stringify(headers);
    assert.equal(await change({ "If-Match": "its own" }), 204, sent);
    assert.equal(await change({ "If-None-Match": '"another"' }), 204, sent);
    assert.equal(await change({ "If-None-Match": "*" }), 412, sent);
    assert.equal(await change({ "If-Unmodified-Since": new Date().toUTCString() }), 204, sent);
  }
});

test("upload: PUT does not replace a file that has changed meanwhile", async () => {
  await using site = await makeSite({ "a": "old" });
  await utimes(site.path("a"), 1000, 1000);
  const handler = siteHandler(site.root, { upload: true });
  const { etag } = (await ask(handler, { method: "HEAD", target: "/a" })).headers;
  const body = (async function* () {
    yield bytes("mine");
    await writeFile(site.path("a"), "theirs");
  })();
  const headers = { "If-Match": etag };
  assert.equal((await ask(handler, { method: "PUT", target: "/a", headers, body })).status, 412);
  assert.equal(await readFile(site.path("a"), "utf8"), "theirs");
  assert.deepEqual(await everything(site), ["a"]);
});

test("upload: a file that was replaced is sent anew at once", async () => {
  await using site = await makeSite({ "a": "old" });
  const handler = siteHandler(site.root, { upload: true });
  assert.equal((await ask(handler, { target: "/a" })).text, "old");
  await ask(handler, { method: "PUT", target: "/a", body: [bytes("new")] });
  assert.equal((await ask(handler, { target: "/a" })).text, "new");
});

test("upload: of two with If-None-Match: * at once, one wins", async () => {
  await using site = await makeSite();
  const answers = await Promise.all(
    ["one", "two"].map((text) => put(site, "/a", text, { "If-None-Match": "*" })),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 412]);
  assert.deepEqual(await everything(site), ["a"]);
});

test("upload: PUT refuses Content-Encoding with 415 and Content-Range with 400", async () => {
  await using site = await makeSite();
  assert.equal((await put(site, "/a", "x", { "Content-Encoding": "gzip" })).status, 415);
  assert.equal((await put(site, "/a", "x", { "Content-Range": "bytes 0-0/2" })).status, 400);
  assert.deepEqual(await everything(site), []);
});

test("upload: nothing gets out of the root, over a link, or in with a dot", async () => {
  await using outside = await makeSite({ "file": "safe" });
  await using site = await makeSite({ "sub/": "", ".hidden/": "", ".well-known/": "" });
  await symlink(outside.root, site.path("out"));
  await symlink(outside.path("file"), site.path("link"));
  const before = await everything(site);
  const wrong: [target: string, status: number][] = [
    ["/../x", 400],
    ["/sub/%2e%2e/%2e%2e/x", 400],
    ["/sub%2f..%2fx", 404],
    ["/..%5cx", 403],
    ["/a%5c..%5cx", 400],
    ["/x%0a", 400],
    ["/x%00", 400],
    ["/out/x", 409],
    ["/link", 403],
    ["/.x", 403],
    ["/.hidden/x", 403],
    ["/.well-known/x", 403],
    ["/.well-known", 403],
    ["/sub/.htaccess", 403],
    ["/%2ex", 403],
  ];
  for (const [target, status] of wrong) {
    assert.equal((await put(site, target, "evil")).status, status, target);
  }
  const forms = [["/out/", 404], ["/.hidden/", 403], ["/.well-known/", 403]] as const;
  for (const [target, status] of forms) {
    assert.equal((await post(site, target, [formOf(["x", bytes("evil")])])).status, status, target);
  }
  assert.deepEqual(await everything(site), before);
  assert.deepEqual(await everything(outside), ["file"]);
  assert.equal(await readFile(outside.path("file"), "utf8"), "safe");
});

test("upload: a form adds its files to the directory, and leads back to it", async () => {
  const form = formOf(["one.txt", bytes("1")], [undefined, bytes("text")], [
    "Zwölf.txt",
    bytes(""),
  ]);
  for (
    const [target, location] of [
      ["/sub%20dir/?sort=size", "./"],
      ["/sub%20dir", "./sub%20dir/"],
    ]
  ) {
    await using site = await makeSite({ "sub dir/": "" });
    const { status, headers } = await post(site, target, [form]);
    assert.equal(status, 303);
    // What is before the path, where a proxy has the site below one of its own, stays.
    assert.equal(headers.location, location);
    assert.deepEqual(await everything(site), ["sub dir", "sub dir/Zwölf.txt", "sub dir/one.txt"]);
    assert.equal(await readFile(site.path("sub dir/one.txt"), "utf8"), "1");
  }
});

test("upload: a form may be split anywhere", async () => {
  const content = bytes(`\r\n--${BOUNDARY.slice(0, -1)}\r\n\r\n--`);
  const form = formOf(["a", content], ["b", bytes("b")]);
  const places = Array.from({ length: form.length - 1 }, (_, i) => i + 1);
  for (const at of spread(places)) {
    const files: [string, string][] = [];
    const body = [form.subarray(0, at), form.subarray(at)];
    await readForm(lightRequest({ target: "/", headers: OF_FORM, body }), async (name, pieces) => {
      let text = "";
      for await (const piece of pieces) text += Buffer.from(piece).toString("latin1");
      files.push([name, text]);
    });
    const expected = [["a", Buffer.from(content).toString("latin1")], ["b", "b"]];
    assert.deepEqual(files, expected, `Split at ${at}`);
  }
  await using site = await makeSite();
  const single = Array.from(form, (byte) => Uint8Array.of(byte));
  assert.equal((await post(site, "/", single)).status, 303);
  assert.deepEqual(await everything(site), ["a", "b"]);
  assert.ok(Buffer.from(content).equals(await readFile(site.path("a"))));
  assert.equal(await readFile(site.path("b"), "utf8"), "b");
});

test("upload: a large file in a form is whole", async () => {
  await using site = await makeSite();
  const content = randomBytes(3_000_000);
  const form = formOf(["large", content]);
  const pieces = Array.from(
    { length: Math.ceil(form.length / 65_536) },
    (_, i) => form.subarray(i * 65_536, (i + 1) * 65_536),
  );
  assert.equal((await post(site, "/", pieces)).status, 303);
  assert.ok(Buffer.from(content).equals(await readFile(site.path("large"))));
});

test("upload: a form overwrites nothing, adds its other files, and says which is which", async () => {
  await using site = await makeSite({ "b": "old" });
  const form = formOf(["a", bytes("new")], ["b", bytes("new")], ["c", randomBytes(200_000)]);
  const { status, text } = await post(site, "/", [form]);
  assert.equal(status, 409);
  assert.equal(
    text,
    "Not all files were stored.\nNot stored: b: There is a file of this name already.\nStored: a.\nStored: c.\n",
  );
  assert.deepEqual(await everything(site), ["a", "b", "c"]);
  assert.equal(await readFile(site.path("b"), "utf8"), "old");
  assert.equal((await readFile(site.path("c"))).length, 200_000);

  const again = await post(site, "/", [formOf(["b", bytes("new")])]);
  assert.deepEqual([again.status, again.text], [409, "There is a file of this name already.\n"]);
});

test("upload: of a form with the same name twice, the first file is stored", async () => {
  await using site = await makeSite();
  const twice = formOf(["a", bytes("1")], ["a", bytes("2")], ["b", bytes("3")]);
  const { status, text } = await post(site, "/", [twice]);
  assert.equal(status, 409);
  assert.match(text, /^Not stored: a: There is a file of this name already\.$/m);
  assert.deepEqual(await everything(site), ["a", "b"]);
  assert.equal(await readFile(site.path("a"), "utf8"), "1");
});

test("upload: one file that cannot be stored, whatever the reason, does not lose the others", async () => {
  await using site = await makeSite({ "dir/": "", "x": "" });
  await symlink("x", site.path("link"));
  const wrong = [".htaccess", "line\u0001end", "x".repeat(300), "dir", "link", "x"];
  for (const name of wrong) {
    const form = formOf([name, randomBytes(100_000)], [`beside ${name.length}`, bytes("1")]);
    const { status, text } = await post(site, "/", [form]);
    assert.ok([400, 403, 409].includes(status), `${name}: ${status}`);
    assert.match(text, /^Not stored: /m);
    assert.match(text, new RegExp(`^Stored: beside ${name.length}\\.$`, "m"));
    assert.equal(await readFile(site.path(`beside ${name.length}`), "utf8"), "1");
  }
  const form = formOf(...wrong.map((name) => [name, bytes("evil")] as const));
  const { status, text } = await post(site, "/", [form]);
  assert.equal(status, 409);
  assert.match(text, /^No file was stored\.$/m);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f]/);
  assert.ok((await everything(site)).every((name) => !name.includes("plainsocket-upload")));
});

test("upload: names in a form are what browsers send: UTF-8, with three characters escaped", async () => {
  const names: [sent: string, stored: string][] = [
    ["q%22x.txt", 'q"x.txt'],
    ["%22%22", '""'],
    ["100%25.txt", "100%25.txt"],
    ["a%20b%2fc", "a%20b%2fc"],
    ["50%", "50%"],
    ["%2", "%2"],
    ["日本語.txt", "日本語.txt"],
    ["naïve'; x=y.txt", "naïve'; x=y.txt"],
    ['old\\"curl.txt', 'old"curl.txt'],
  ];
  for (const [sent, stored] of names) {
    await using site = await makeSite();
    const { status, text } = await post(site, "/", [formOf([sent, bytes(sent)])]);
    assert.equal(status, 303, `${sent}: ${text}`);
    assert.deepEqual(await everything(site), [stored]);
    assert.equal(await readFile(site.path(stored), "utf8"), sent);
  }
  await using site = await makeSite();
  for (const sent of ["line%0Aend", "line%0D%0Aend", "%0A"]) {
    assert.equal((await post(site, "/", [formOf([sent, bytes("x")])])).status, 400, sent);
  }
  const latin1 = formOf(["caf?.txt", bytes("x")]);
  latin1[latin1.indexOf("?")] = 0xe9;
  assert.equal((await post(site, "/", [latin1])).status, 400, "not UTF-8");
  assert.deepEqual(await everything(site), []);
});

test("upload: a form of 1,000 small files is stored with few descriptors at a time", async () => {
  await using site = await makeSite();
  const form = formOf(
    ...Array.from({ length: 1000 }, (_, i) => [`file ${i}`, bytes(`This is ${i}`)] as const),
  );
  let most = 0;
  const pieces = (async function* () {
    for (let at = 0; at < form.length; at += 65_536) {
      most = Math.max(most, descriptorsBelow(site.root));
      yield form.subarray(at, at + 65_536);
    }
  })();
  const watch = setInterval(() => most = Math.max(most, descriptorsBelow(site.root)), 5);
  const { status } = await post(site, "/", pieces).finally(() => clearInterval(watch));
  assert.equal(status, 303);
  assert.ok(most <= 3, `${most} descriptors at once`);
  assert.equal((await everything(site)).length, 1000);
  assert.equal(await readFile(site.path("file 999"), "utf8"), "This is 999");
});

test("upload: a form of more files, or of more parts of any kind, is 400 and stores nothing", async () => {
  await using site = await makeSite();
  const files = Array.from({ length: 1001 }, (_, i) => [`file ${i}`, bytes("x")] as const);
  assert.equal((await post(site, "/", [formOf(...files)])).status, 400);
  const fields = Array.from({ length: 1101 }, () => [undefined, bytes("x")] as const);
  assert.equal((await post(site, "/", [formOf(...fields)])).status, 400);
  let asked = 0;
  const part = formOf([undefined, bytes("x")]).subarray(0, -BOUNDARY.length - 6);
  const endless = (function* () {
    for (; asked < 5000; asked++) yield part;
  })();
  assert.equal((await post(site, "/", endless)).status, 400);
  assert.ok(asked < 2000, `${asked} parts were read`);
  assert.deepEqual(await everything(site), []);
});

test("upload: PUT keeps the permissions of the file that it replaces", async () => {
  await using site = await makeSite({ "new": "" });
  await put(site, "/fresh", "x");
  const usual = (await stat(site.path("new"))).mode;
  assert.equal((await stat(site.path("fresh"))).mode, usual);
  for (const mode of [0o600, 0o640, 0o664, 0o755, 0o666]) {
    await writeFile(site.path("a"), "old");
    await chmod(site.path("a"), mode);
    const body = (async function* () {
      yield bytes("new");
      const [coming] = (await everything(site)).filter((name) => name.startsWith("."));
      const { mode: meanwhile } = await stat(site.path(coming));
      assert.equal(meanwhile & 0o777 & ~mode, 0, "More may read it while it comes");
    })();
    assert.equal((await send(site, { method: "PUT", target: "/a", body })).status, 204);
    assert.equal((await stat(site.path("a"))).mode & 0o7777, mode);
  }
});

test("upload: no uploaded file is sent in place of another, as its compressed form", async () => {
  await using site = await makeSite({ "page.html": "page", "code.js": "js" });
  const handler = siteHandler(site.root, { upload: true });
  const bait = gzipSync("evil");
  await ask(handler, { method: "PUT", target: "/page.html.gz", body: [bait] });
  await ask(handler, { method: "PUT", target: "/code.js.br", body: [bait] });
  await ask(handler, { method: "PUT", target: "/code.js.zst", body: [bait] });
  for (const [target, text] of [["/page.html", "page"], ["/code.js", "js"]]) {
    const headers = { "Accept-Encoding": "br, zstd, gzip" };
    const answer = await ask(handler, { target, headers });
    assert.deepEqual([answer.headers["content-encoding"], answer.text], [undefined, text]);
  }
  const asked = await ask(handler, { target: "/page.html.gz", headers: {} });
  assert.equal(asked.headers["content-type"], "application/gzip");
  // Without uploads it is the owner who has put them there.
  const { headers } = await ask(siteHandler(site.root), {
    target: "/page.html",
    headers: { "Accept-Encoding": "gzip" },
  });
  assert.equal(headers["content-encoding"], "gzip");
});

test("upload: what is too large is 413, of a file and of a form", async () => {
  await using site = await makeSite();
  const body = async function* () {
    yield bytes("half");
    throw new HttpError(413, "BODY_TOO_LARGE", "The body is too large");
  };
  const answer = await send(site, { method: "PUT", target: "/a", body: body() });
  assert.deepEqual([answer.status, answer.text], [
    413,
    "This is more than may be uploaded at once.\n",
  ]);
  assert.equal((await post(site, "/", body())).status, 413);
  assert.deepEqual(await everything(site), []);
});

test("upload: a form that is not whole is 400, and leaves nothing", async () => {
  await using site = await makeSite();
  const form = formOf(["a", bytes("first")], ["b", bytes("second")]);
  for (const length of [0, 10, 60, 150, 180, form.length - 60, form.length - 10]) {
    const { status } = await post(site, "/", [form.subarray(0, length)]);
    assert.equal(status, 400, `The first ${length} of ${form.length} bytes`);
    assert.deepEqual(await everything(site), []);
  }
});

test("upload: a form whose connection breaks off leaves nothing", async () => {
  await using site = await makeSite();
  const form = formOf(["a", bytes("first")], ["b", randomBytes(100_000)]);
  const lost = new HttpError(400, "BODY_INCOMPLETE", "The client closed");
  const body = (async function* () {
    yield form.subarray(0, 50_000);
    throw lost;
  })();
  await assert.rejects(post(site, "/", body), lost);
  assert.deepEqual(await everything(site), []);
});

test("upload: a form needs a file in it, with a name that can be asked for", async () => {
  await using site = await makeSite();
  const wrong: [parts: Parameters<typeof formOf>, status: number][] = [
    [[[undefined, bytes("text")]], 400],
    [[["", bytes("")]], 400],
    [[[".htaccess", bytes("")]], 403],
    [[["..", bytes("")]], 400],
    [[["line\u0001end", bytes("")]], 400],
    [[["x".repeat(300), bytes("")]], 400],
  ];
  for (const [parts, status] of wrong) {
    assert.equal((await post(site, "/", [formOf(...parts)])).status, status, String(parts[0][0]));
  }
  assert.deepEqual(await everything(site), []);
});

test("upload: of a name with folders in a form, the last one counts, and the response says so", async () => {
  await using site = await makeSite();
  const form = formOf(
    ["../../up.txt", bytes("x")],
    ["C:\\fakepath\\win.txt", bytes("x")],
    ["a\\b.txt", bytes("x")],
    ["plain.txt", bytes("x")],
  );
  const { status, text } = await post(site, "/", [form]);
  assert.equal(status, 303);
  assert.deepEqual(text.split("\n"), [
    "Uploaded.",
    "Stored: ../../up.txt as up.txt.",
    "Stored: C:\\fakepath\\win.txt as win.txt.",
    "Stored: a\\b.txt as b.txt.",
    "",
  ]);
  assert.deepEqual(await everything(site), ["b.txt", "plain.txt", "up.txt", "win.txt"]);
});

test("upload: each file of a form is in the response, whatever its name", async () => {
  const names = ["..", ".", "trail/", "dir/..", "/", "one/a.txt", "two/a.txt", "\\.x"];
  await using site = await makeSite();
  const parts = names.map((name) => [name, bytes("x")] as const);
  const { status, text } = await post(site, "/", [formOf(["", bytes("")], ...parts)]);
  assert.equal(status, 409);
  const lines = [
    "Not all files were stored.",
    ...names.slice(0, 5).map((name) => `Not stored: ${name}: No file can have this name.`),
    "Not stored: \\.x: Names that start with a dot are not taken.",
    "Not stored: two/a.txt: There is a file of this name already.",
    "Stored: one/a.txt as a.txt.",
    "",
  ];
  assert.deepEqual(text.split("\n").sort(), lines.sort());
  assert.deepEqual(await everything(site), ["a.txt"]);
  // No file was chosen in the first, and that is all right beside others.
  const chosen = await post(site, "/", [formOf(["", bytes("")], ["c", bytes("x")])]);
  assert.deepEqual([chosen.status, chosen.text], [303, "Uploaded.\n"]);
});

test("upload: POST of anything but a form is 415, and to no directory 404 or 409", async () => {
  await using site = await makeSite({ "file": "" });
  const form = [formOf(["x", bytes("x")])];
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    assert.equal((await post(site, "/", form, { "Content-Type": type })).status, 415, type);
  }
  assert.equal((await post(site, "/none/", form)).status, 404);
  assert.equal((await post(site, "/file", form)).status, 409);
});

test("upload: pages of other sites may not upload", async () => {
  await using site = await makeSite();
  const form = [formOf(["x", bytes("x")])];
  const foreign: Record<string, string>[] = [
    { Origin: "https://evil.example" },
    { Origin: "null" },
    { Origin: "http://127.0.0.1:9999" },
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site", Origin: "http://127.0.0.1:8080" },
  ];
  for (const headers of foreign) {
    assert.equal((await post(site, "/", form, headers)).status, 403, JSON.stringify(headers));
    assert.equal((await put(site, "/x", "x", headers)).status, 403, JSON.stringify(headers));
  }
  assert.deepEqual(await everything(site), []);
  const own = { Origin: "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin" };
  assert.equal((await post(site, "/", form, own)).status, 303);
});

test("upload: what the browser says of the site counts more than Host, which a proxy replaces", async () => {
  const origin = "https://files.example.com";
  const cases: [headers: Record<string, string>, status: number][] = [
    // As behind nginx with no more than proxy_pass.
    [{ Origin: origin, "Sec-Fetch-Site": "same-origin" }, 303],
    [{ Origin: origin, "Sec-Fetch-Site": "none" }, 303],
    [{ Origin: origin, "Sec-Fetch-Site": "cross-site" }, 403],
    [{ Origin: origin, "Sec-Fetch-Site": "same-site" }, 403],
    [{ Origin: origin, "Sec-Fetch-Site": "same-origin, cross-site" }, 403],
    [{ Origin: origin, "Sec-Fetch-Site": "" }, 403],
    [{ Origin: "http://127.0.0.1:8080", "Sec-Fetch-Site": "cross-site" }, 403],
    // Older browsers, and sites without TLS that are not on this machine, send Origin only.
    [{ Origin: origin }, 403],
    [{ Origin: origin, Host: "FILES.example.com" }, 303],
    [{ Origin: origin, Host: "files.example.com:8443" }, 403],
    // As behind a proxy that always says the port, such as nginx with `Host $host:$server_port`.
    [{ Origin: origin, Host: "files.example.com:443" }, 303],
    [{ Origin: origin, Host: "files.example.com:80" }, 403],
    [{ Origin: origin.replace("https", "http"), Host: "files.example.com:80" }, 303],
    [{ Origin: "ftp://files.example.com", Host: "files.example.com" }, 403],
  ];
  for (const [headers, status] of cases) {
    await using site = await makeSite();
    const form = [formOf(["x", bytes("x")])];
    assert.equal((await post(site, "/", form, headers)).status, status, JSON.stringify(headers));
    const placed = await put(site, "/y", "y", headers);
    const told = status === 403 && !("Sec-Fetch-Site" in headers);
    assert.equal(/a proxy has to pass Host on/.test(placed.text), told, placed.text);
    assert.equal(placed.status, status === 303 ? 201 : 403, JSON.stringify(headers));
  }
});

test("upload: without it PUT and POST are 405, which names what is allowed", async () => {
  await using site = await makeSite();
  for (const method of ["PUT", "POST", "DELETE"]) {
    const { status, headers } = await ask(siteHandler(site.root), { method, target: "/x" });
    assert.equal(status, 405);
    assert.equal(headers.allow, "GET, HEAD, OPTIONS");
  }
  const { status, headers } = await send(site, { method: "DELETE", target: "/x" });
  assert.equal(status, 405);
  assert.equal(headers.allow, "GET, HEAD, PUT, POST, OPTIONS");
});

test("upload: a full disk is 507, and what may not be written 403", () => {
  const status = (code: string) => refusalOf(Object.assign(new Error(), { code }))?.status;
  for (const code of ["ENOSPC", "EDQUOT"]) assert.equal(status(code), 507);
  for (const code of ["EACCES", "EPERM", "EROFS"]) assert.equal(status(code), 403);
  assert.equal(status("EIO"), undefined);
  // Deno has no code for some.
  const numbered = (n: number) => refusalOf(new Error(`It failed (os error ${n})`))?.status;
  assert.deepEqual([27, 122, 5].map(numbered), [413, 507, undefined]);
  assert.equal(refusalOf(undefined), undefined);
});

test("upload: what a killed server left behind goes after a day", async () => {
  await using site = await makeSite();
  const [old, recent] = [".plainsocket-upload-old", ".plainsocket-upload-recent"];
  for (const name of [old, recent, ".other"]) await writeFile(site.path(name), "half");
  const now = Date.now() / 1000;
  for (const name of [old, ".other"]) await utimes(site.path(name), now - 90_000, now - 90_000);
  await mkdir(site.path("sub"));
  await removeStale(site.root);
  assert.deepEqual(await everything(site), [".other", recent, "sub"]);
});

test("upload: what cannot be cleared up does not keep an upload out", async () => {
  await using site = await makeSite({ "drop/": "" });
  // Neither a directory that is not there, nor a directory of such a name.
  await removeStale(site.path("none"));
  const old = ".plainsocket-upload-old";
  await mkdir(site.path(`drop/${old}`));
  const before = Date.now() / 1000 - 90_000;
  await utimes(site.path(`drop/${old}`), before, before);
  await removeStale(site.path("drop"));
  assert.equal((await put(site, "/drop/a", "x")).status, 201);
  assert.deepEqual((await readdir(site.path("drop"))).sort(), [old, "a"]);
  // Nor one that takes files, and does not show them.
  await chmod(site.path("drop"), 0o300);
  const form = formOf(["c", bytes("x")]);
  const { status } = await put(site, "/drop/b", "x");
  const posted = (await post(site, "/drop/", [form])).status;
  await chmod(site.path("drop"), 0o700);
  assert.deepEqual([status, posted], [201, 303]);
});

test("upload: into a directory that is removed meanwhile is 409, and no mistake of the server", async () => {
  await using site = await makeSite({ "sub/": "" });
  const form = formOf(["a", randomBytes(100_000)], ["b", bytes("x")]);
  const parts = [form.subarray(0, 50_000), form.subarray(50_000)];
  for (const method of ["PUT", "POST"]) {
    await mkdir(site.path("sub"), { recursive: true });
    const body = (async function* () {
      yield parts[0];
      await rm(site.path("sub"), { recursive: true });
      yield parts[1];
    })();
    const { status, text } = method === "PUT"
      ? await send(site, { method, target: "/sub/a", body })
      : await post(site, "/sub/", body);
    assert.equal(status, 409, text);
    assert.match(text, /The directory was removed meanwhile/);
    assert.deepEqual(await everything(site), []);
  }
});
