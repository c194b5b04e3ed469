// The listing of a directory: what is in it, in which order, as a page and as JSON.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { symlink, utimes } from "node:fs/promises";
import { basename, sep } from "node:path";
import process from "node:process";
import { prefersJson } from "../../lib/files/directory.ts";
import {
  comparing,
  type Entry,
  type Listing,
  listingHtml,
  orderOf,
  type SortOrder,
} from "../../lib/files/listing.ts";
import { siteHandler } from "../../lib/files/site.ts";
import { test } from "../support/runner.deno.ts";
import { ask, makeSite, type Site } from "../support/site_helpers.ts";

const JSON_ONLY = { accept: "application/json" };
const BY_NAME = { key: "name", descending: false } as const;

function file(name: string, size = 0, time = 0): Entry {
  return { name, kind: "file", size, time };
}

function folder(name: string, time = 0): Entry {
  return { name, kind: "directory", size: 4096, time };
}

/** The names of a listing in JSON. */
async function listed(site: Site, target = "/", dotfiles = false): Promise<string[]> {
  const { text } = await ask(siteHandler(site.root, { dotfiles }), { target, headers: JSON_ONLY });
  return JSON.parse(text).entries.map(({ name }: { name: string }) => name);
}

function sorted(entries: readonly Entry[], order: SortOrder): Entry[] {
  return [...entries].sort(comparing(order));
}

/** The whole page of a listing. */
function htmlOf(listing: Partial<Listing>): string {
  const empty = { root: "photos", names: [], entries: [], complete: true, order: BY_NAME };
  return [...listingHtml({ ...empty, upload: false, ...listing })].join("");
}

/** The page of some files. */
function pageOf(...names: string[]): string {
  const entries = names.map((name) => file(name));
  return htmlOf({ entries });
}

test("listing: folders come first, and numbers in names count", () => {
  const entries = [file("b10"), file("b9"), folder("z"), file("A"), folder("a2"), folder("a10")];
  assert.deepEqual(
    sorted(entries, BY_NAME).map(({ name }) => name),
    ["a2", "a10", "z", "A", "b9", "b10"],
  );
  assert.deepEqual(
    sorted(entries, { key: "name", descending: true }).map(({ name }) => name),
    ["z", "a10", "a2", "b10", "b9", "A"],
  );
});

test("listing: sorts by size and time, and what is equal by name", () => {
  const entries = [file("c", 1, 30), file("a", 1, 10), file("b", 9, 20), folder("d", 5)];
  const order = (key: "size" | "time", descending: boolean) =>
    sorted(entries, { key, descending }).map(({ name }) => name).join("");
  assert.equal(order("size", true), "dbac");
  assert.equal(order("size", false), "dacb");
  assert.equal(order("time", true), "dcba");
  assert.equal(order("time", false), "dabc");
});

test("listing: the query tells the order; size and time start with the most", () => {
  const order = (query: string) => {
    const { key, descending } = orderOf(new URLSearchParams(query));
    return `${key} ${descending ? "desc" : "asc"}`;
  };
  assert.equal(order(""), "name asc");
  assert.equal(order("sort=name&order=desc"), "name desc");
  assert.equal(order("sort=size"), "size desc");
  assert.equal(order("sort=time&order=asc"), "time asc");
  assert.equal(order("sort=constructor&order=up"), "name asc");
});

test("listing: names are text, whatever is in them", () => {
  const page = pageOf(`<img src=x onerror="alert('1')">&amp;`);
  assert.ok(page.includes("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;"));
  assert.doesNotMatch(page, /<img/);
});

test("listing: links lead to the file whose name they show, and to no other scheme", () => {
  const names = [
    "a b.txt",
    "a#b",
    "a?b",
    "100%",
    "%41",
    'quo"te',
    "日本",
    "javascript:alert(1)",
    "a&b",
  ];
  const hrefs = [...pageOf(...names).matchAll(/<th scope="row"><a href="([^"]*)"/g)]
    .map(([, href]) => href.replaceAll("&amp;", "&").replaceAll("&#39;", "'"));
  assert.equal(hrefs.length, names.length);
  const led = hrefs.map((href) => {
    const url = new URL(href, "http://127.0.0.1/folder/");
    assert.match(url.pathname, /^\/folder\/[^/]+$/, href);
    assert.equal(url.search + url.hash, "");
    return decodeURIComponent(url.pathname.slice("/folder/".length));
  });
  assert.deepEqual(led.sort(), names.sort());
});

test("listing: sizes are told in short, and exactly in the title", () => {
  const page = htmlOf({
    root: "photos",
    names: [],
    entries: [file("a", 1234567), file("b", 1)],
    order: BY_NAME,
    upload: false,
  });
  assert.match(page, /<data value="1234567" title="1,234,567 bytes">1\.2 MiB<\/data>/);
  assert.match(page, /title="1 byte">1 B</);
});

test("listing: times are there for machines, too", () => {
  const entries = [file("a", 0, Date.UTC(2026, 10, 20, 14, 3, 9))];
  const page = htmlOf({ root: "photos", names: [], entries, order: BY_NAME, upload: false });
  assert.match(page, /<time datetime="2026-11-20T14:03:09\.000Z" title="2026-11-20 14:03:09 UTC">/);
  assert.match(page, />Modified \(UTC\)<\/a>/);
});

test("listing: the headings sort, and say how it is sorted", () => {
  const page = (key: "name" | "size", descending: boolean) =>
    htmlOf({
      root: "photos",
      names: [],
      entries: [file("a")],
      order: { key, descending },
      upload: false,
    });
  assert.match(
    page("name", false),
    /aria-sort="ascending"><a href="\?sort=name&amp;order=desc">Name/,
  );
  assert.match(page("name", false), /<th scope="col"><a href="\?sort=size&amp;order=desc">Size/);
  assert.match(
    page("size", true),
    /aria-sort="descending"><a href="\?sort=size&amp;order=asc">Size/,
  );
  assert.equal(page("size", true).match(/scope="col" aria-sort=/g)?.length, 1);
});

test("listing: breadcrumbs lead back to the root", () => {
  const page = htmlOf({
    root: "photos",
    names: ["a", "<b>", "c"],
    entries: [],
    order: BY_NAME,
    upload: false,
  });
  const crumbs = [...page.matchAll(/<li><a href="([^"]*)"[^>]*>([^<]*)</g)].map((
    [, href, label],
  ) => [
    new URL(href, "http://x/a/%3Cb%3E/c/").pathname,
    label,
  ]);
  assert.deepEqual(crumbs, [["/", "photos"], ["/a/", "a"], [
    "/a/%3Cb%3E/",
    "&lt;b&gt;",
  ]]);
  assert.match(page, /<h1[^>]*>c<\/h1>/);
});

test("listing: an empty folder says so, and a form is there only for uploads", () => {
  const page = (upload: boolean) =>
    htmlOf({ root: "photos", names: [], entries: [], order: BY_NAME, upload });
  assert.match(page(false), /This folder is empty/);
  assert.doesNotMatch(page(false), /<table|<form/);
  assert.match(page(true), /<form method="post" enctype="multipart\/form-data">/);
});

test("listing: the policy allows the page's own style, and no script", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  const { headers, text } = await ask(siteHandler(site.root), { target: "/" });
  const style = /<style>([^]*)<\/style>/.exec(text)![1];
  const hash = createHash("sha256").update(style).digest("base64");
  const policy = headers["content-security-policy"];
  assert.ok(policy.includes(`style-src 'sha256-${hash}'`));
  assert.match(policy, /^default-src 'none';/);
  assert.doesNotMatch(policy, /script-src|unsafe/);
  assert.doesNotMatch(text, /<script/);
  assert.ok(text.includes(`<title>${basename(site.root)} – Index</title>`));
  assert.equal(/<h1[^>]*>([^<]*)/.exec(text)![1], basename(site.root));
  assert.equal(headers["content-type"], "text/html;charset=utf-8");
  assert.equal(headers["cache-control"], "no-cache");
  assert.equal(headers.vary, "Accept, Accept-Encoding");
});

test("listing: programs that prefer JSON get it", async () => {
  await using site = await makeSite({ "a b.txt": "four", "sub/": "" });
  await utimes(site.path("a b.txt"), 1000, 1000);
  await utimes(site.path("sub"), 2000, 2000);
  const { status, headers, text } = await ask(siteHandler(site.root), {
    target: "/?sort=size",
    headers: JSON_ONLY,
  });
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers.vary, "Accept, Accept-Encoding");
  assert.deepEqual(JSON.parse(text), {
    path: "/",
    entries: [
      { name: "sub", type: "directory", href: "./sub/", modified: "1970-01-01T00:33:20.000Z" },
      {
        name: "a b.txt",
        type: "file",
        href: "./a%20b.txt",
        size: 4,
        modified: "1970-01-01T00:16:40.000Z",
      },
    ],
  });
});

test("listing: Accept decides between JSON and HTML", () => {
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  for (const accept of [undefined, "*/*", browser, "text/html", "", "application/json;q=0"]) {
    assert.equal(prefersJson(accept), false, accept);
  }
  for (
    const accept of [
      "application/json",
      "Application/JSON, */*;q=0.1",
      "application/*",
      "application/json, text/html;q=0.9",
      "text/html; q=0, */*",
    ]
  ) assert.equal(prefersJson(accept), true, accept);
});

test("listing: hidden files are left out unless they are served", async () => {
  await using site = await makeSite({
    ".secret": "",
    ".git/config": "",
    ".well-known/x": "",
    "open": "",
    ".plainsocket-upload-0123": "half",
  });
  assert.deepEqual(await listed(site), [".well-known", "open"]);
  assert.deepEqual(await listed(site, "/", true), [".git", ".well-known", ".secret", "open"]);
});

test("listing: what is shown can be fetched", async () => {
  await using outside = await makeSite({ "file": "not yours" });
  await using site = await makeSite({ "a.txt": "a", "sub/b.txt": "b", ".hidden/c.txt": "c" });
  await symlink(outside.root, site.path("outside"));
  await symlink(outside.path("file"), site.path("outside.txt"));
  await symlink(site.path("gone"), site.path("dangling"));
  await symlink("loop", site.path("loop"));
  await symlink(".hidden", site.path("to-hidden"));
  await symlink("sub", site.path("to-sub"));
  await symlink("sub/b.txt", site.path("to-b.txt"));
  const names = await listed(site);
  assert.deepEqual(names, ["sub", "to-hidden", "to-sub", "a.txt", "to-b.txt"]);
  for (const name of names) {
    const { status } = await ask(siteHandler(site.root), { target: `/${name}` });
    assert.ok(status < 400, `${name}: ${status}`);
  }
});

test("listing: names with backslashes, line ends and other controls are there, and lead to the file", async () => {
  if (sep === "\\") return; // Windows has none
  const names = [
    "back\\slash",
    "..x\\..\\y",
    "line\nend",
    "tab\t",
    "esc\x1b[2J",
    "del\x7f",
    "\u202egnp.exe",
  ];
  await using site = await makeSite(
    Object.fromEntries(names.flatMap((name) => [[`x${name}`, name], [`dir${name}/in`, name]])),
  );
  const { text } = await ask(siteHandler(site.root), { target: "/", headers: JSON_ONLY });
  const { entries } = JSON.parse(text);
  assert.equal(entries.length, 2 * names.length);
  for (const { name, href, type } of entries) {
    assert.match(href, /^\.\/[\x21-\x7e]+$/);
    const target = new URL(href, "http://a/").pathname;
    const { status, text } = await ask(siteHandler(site.root), {
      target: type === "file" ? target : `${target}in`,
    });
    assert.deepEqual([status, text], [200, name.replace(/^(x|dir)/, "")]);
  }
});

test("listing: characters that show as nothing, or turn the rest round, are made visible", () => {
  const page = pageOf("line\nend", "esc\x1b[2J", "del\x7f", "c1\x85", "\u202egnp.exe");
  for (const text of ["line\u240aend", "esc\u241b[2J", "del\u2421", "c1\ufffd", "\ufffdgnp.exe"]) {
    assert.ok(page.includes(`>${text}</a>`), text);
  }
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(page, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});

test("listing: a name that is not UTF-8 is shown without a link, and said not to be served", async () => {
  if (process.platform !== "linux") return; // others take text only
  await using site = await makeSite({ "good.txt": "", "real\ufffd.txt": "" });
  const names = ["caf\xe9.txt", "\x80", "surrogate\xed\xa0\x80"];
  for (const name of names) makeFileOfBytes(site.root, Buffer.from(name, "latin1"));
  const { text } = await ask(siteHandler(site.root), { target: "/", headers: JSON_ONLY });
  const { entries } = JSON.parse(text);
  const unserved = entries.filter((entry: Record<string, unknown>) => !("href" in entry));
  assert.equal(entries.length, 2 + names.length);
  assert.deepEqual(
    unserved.map(({ name }: Entry) => name).sort(),
    names.map((name) => Buffer.from(name, "latin1").toString()).sort(),
  );
  for (const entry of unserved) {
    assert.match(entry.unserved, /not UTF-8/);
    assert.equal("size" in entry || "modified" in entry, false);
  }
  const page = (await ask(siteHandler(site.root), { target: "/" })).text;
  assert.match(page, /<span dir="auto">caf\ufffd\.txt<\/span><\/th><td colspan="2">not served: /);
  assert.match(page, /<a href="\.\/real%EF%BF%BD\.txt"/);
  assert.equal((await ask(siteHandler(site.root), { target: "/caf%E9.txt" })).status, 404);
});

test("listing: nor is a link to such a name, or what is below one, served on any runtime", async () => {
  if (process.platform !== "linux") return;
  await using site = await makeSite({ "real\ufffd.txt": "real", "real\ufffd/in": "in" });
  inDirectory(site.root, "caf\xe9.txt", ': > "$1"');
  inDirectory(site.root, "dir\xe9", 'mkdir "$1"; : > "$1/in.txt"');
  inDirectory(site.root, "caf\xe9.txt", 'ln -s "$1" link');
  inDirectory(site.root, "dir\xe9", 'ln -s "$1" folder; ln -s "$1/in.txt" deep');
  for (const [link, target] of [["good", "real\ufffd.txt"], ["better", "real\ufffd"]]) {
    await symlink(target, site.path(link));
  }
  const handler = siteHandler(site.root);
  const { text } = await ask(handler, { target: "/", headers: JSON_ONLY });
  const found = JSON.parse(text).entries.map((entry: Record<string, string>) => {
    return [entry.name, entry.type, entry.unserved?.replace(/^.* (its|leads) .*$/, "$1")];
  });
  assert.deepEqual(found, [
    ["better", "directory", undefined],
    ["dir\ufffd", "directory", "its"],
    ["folder", "directory", "leads"],
    ["real\ufffd", "directory", undefined],
    ["caf\ufffd.txt", "file", "its"],
    ["deep", "file", "leads"],
    ["good", "file", undefined],
    ["link", "file", "leads"],
    ["real\ufffd.txt", "file", undefined],
  ]);
  const statuses: [target: string, status: number][] = [
    ["/link", 404],
    ["/folder", 404],
    ["/folder/", 404],
    ["/folder/in.txt", 404],
    ["/deep", 404],
    ["/dir%EF%BF%BD/", 404],
    ["/good", 200],
    ["/better/in", 200],
    ["/better/", 200],
  ];
  for (const [target, status] of statuses) {
    assert.equal((await ask(handler, { target })).status, status, target);
  }
});

/** Makes an empty file whose name is of these bytes, which Deno cannot. */
function makeFileOfBytes(root: string, name: Uint8Array): void {
  inDirectory(root, Buffer.from(name).toString("latin1"), ': > "$1"');
}

/** Has the shell do something with a name, a byte for each character, as `$1`. */
function inDirectory(root: string, name: string, script: string): void {
  const octal = Array.from(
    Buffer.from(name, "latin1"),
    (byte) => `\\${byte.toString(8).padStart(3, "0")}`,
  ).join("");
  execFileSync("sh", ["-c", `set -- "$(printf '${octal}')"; ${script}`], { cwd: root });
}
