// What is shown when something is wrong: pages to browsers, text to programs.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { SocketError } from "../../lib/base/errors.ts";
import { HttpError } from "../../lib/http/message/errors.ts";
import type { LightHandler } from "../../lib/http/server/light.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { siteHandler, type SiteOptions } from "../../lib/files/site.ts";
import { bytes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { type Answer, ask, makeSite, type Question, type Site } from "../support/site_helpers.ts";

/** As Chromium and Firefox ask for a page. */
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

const FORM = "multipart/form-data; boundary=x";
const part = (name: string) =>
  `--x\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n!\r\n`;

/** Something wrong of each kind, by the status that it gets. */
const WRONG: readonly (readonly [status: number, question: Question, options?: SiteOptions])[] = [
  [400, { target: "/../x" }],
  [401, { target: "/a" }, { credentials: { user: "u", password: "p" } }],
  [403, { method: "POST", target: "/", headers: { Origin: "http://evil.example" } }],
  [404, { target: "/none" }],
  [404, { target: "/sub/none/x?y" }],
  [405, { method: "DELETE", target: "/a" }],
  [409, { method: "PUT", target: "/sub" }],
  [
    409,
    {
      method: "POST",
      target: "/",
      headers: { "Content-Type": FORM },
      body: [bytes(`${part("a")}${part("b")}--x--\r\n`)],
    },
  ],
  [412, { target: "/a", headers: { "If-Match": '"x"' } }],
  [413, { method: "PUT", target: "/b", body: failing(new HttpError(413, "BODY_TOO_LARGE", "")) }],
  [415, { method: "POST", target: "/" }],
  [416, { target: "/a", headers: { Range: "bytes=99-" } }],
  [421, { target: "/a", headers: { Host: "evil.example" } }, { hosts: [] }],
  [500, { method: "PUT", target: "/b", body: failing(new Error("EIO")) }, { onError: () => {} }],
];

function failing(error: Error): AsyncIterable<Uint8Array> {
  return {
    // deno-lint-ignore require-yield
    async *[Symbol.asyncIterator]() {
      throw error;
    },
  };
}

function answer(
  site: Site,
  [, question, options]: typeof WRONG[number],
  accept?: string,
): Promise<Answer> {
  const headers = { ...question.headers, ...accept === undefined ? {} : { Accept: accept } };
  return ask(siteHandler(site.root, { upload: true, ...options }), { ...question, headers });
}

/** A page of a handler, by the request of a browser. */
async function pageOf(handler: LightHandler, question: Question): Promise<Answer> {
  const { headers } = question;
  const page = await ask(handler, { ...question, headers: { ...headers, Accept: BROWSER } });
  assert.equal(page.headers["content-type"], "text/html;charset=utf-8", page.text);
  return page;
}

/** The links of a page, as they lead from a URL, by their text. */
function linksOf({ text }: Answer, url: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].map(([, href, label]) => [
      label,
      new URL(href, url).href,
    ]),
  );
}

test("error pages: each status is a page in the listing's style for browsers, and text for programs", async () => {
  for (const wrong of WRONG) {
    await using site = await makeSite({ "a": "a", "sub/": "" });
    const [status, { method = "GET", target }] = wrong;
    const what = `${status} ${method} ${target}`;
    const page = await answer(site, wrong, BROWSER);
    assert.equal(page.status, status, what);
    assert.equal(page.headers["content-type"], "text/html;charset=utf-8", what);
    assert.match(page.headers.vary, /(?:^|, )Accept(?:,|$)/, what);
    assert.equal(page.headers["x-content-type-options"], "nosniff", what);
    assert.match(
      page.text,
      new RegExp(`^<!doctype html>[^]*<h1>[A-Z][^]* – ${status}|– ${status}`),
    );
    assert.match(page.text, /<p class="ways"><a href="/, `${what} leads nowhere`);
    const style = /<style>([^]*)<\/style>/.exec(page.text)![1];
    const hash = createHash("sha256").update(style).digest("base64");
    assert.ok(page.headers["content-security-policy"].includes(`'sha256-${hash}'`), what);
    assert.match(style, /prefers-color-scheme: dark/);
  }
  for (const accept of [undefined, "*/*", "text/plain", "application/json", "image/*,*/*;q=0.8"]) {
    for (const wrong of WRONG) {
      await using site = await makeSite({ "a": "a", "sub/": "" });
      const response = await answer(site, wrong, accept);
      const what = `${wrong[0]} ${wrong[1].target} ${accept}`;
      assert.equal(response.status, wrong[0], what);
      assert.equal(response.headers["content-type"], "text/plain;charset=utf-8", what);
      assert.match(response.headers.vary, /(?:^|, )Accept(?:,|$)/, what);
      assert.match(response.text, /^[^<]+\n$/, what);
    }
  }
});

test("error pages: a program that names HTML last, or refuses it, gets text", async () => {
  await using site = await makeSite();
  const handler = fileHandler(site.root);
  for (
    const [accept, isPage] of [
      ["text/html", true],
      ["TEXT/HTML", true],
      ["application/xhtml+xml, text/html", true],
      ["text/html;q=0.9, */*;q=0.1", true],
      ["text/html;q=0", false],
      ["text/html; q=0.000, */*", false],
      ["application/json, text/html;q=0.5", false],
      ["text/htmlx", false],
      ["text/*", false],
      ["", false],
    ] as const
  ) {
    const { headers } = await ask(handler, { target: "/none", headers: { Accept: accept } });
    assert.equal(headers["content-type"].startsWith("text/html"), isPage, accept);
  }
});

test("error pages: lead back, wherever the site is mounted", async () => {
  await using site = await makeSite({ "sub/deep/": "" });
  const handler = siteHandler(site.root, { upload: true });
  const cases: [target: string, links: Record<string, string>][] = [
    ["/none", { "Start page": "/" }],
    ["/none/", { "Start page": "/" }],
    ["/sub/none", { "Folder above": "/sub/", "Start page": "/" }],
    ["/sub/none/?q", { "Folder above": "/sub/", "Start page": "/" }],
    ["/a/b/c/d", { "Folder above": "/a/b/c/", "Start page": "/" }],
    ["/%2f/x", { "Folder above": "/%2f/", "Start page": "/" }],
    ["//none", { "Folder above": "//", "Start page": "/" }],
  ];
  for (const [target, links] of cases) {
    const page = await pageOf(handler, { target });
    for (const prefix of ["http://127.0.0.1:8080", "https://files.example/behind/a/proxy"]) {
      const led = linksOf(page, prefix + target);
      const wanted = Object.entries(links).map(([label, path]) => [label, prefix + path]);
      assert.deepEqual(led, Object.fromEntries(wanted), target);
    }
  }
  for (const [target, back] of [["/sub/deep/", "/sub/deep/"], ["/sub/deep", "/sub/deep/"]]) {
    const page = await pageOf(handler, { method: "POST", target });
    const led = linksOf(page, `http://a${target}`);
    assert.deepEqual(led, { "Back to the folder": `http://a${back}`, "Start page": "http://a/" });
  }
  const named = siteHandler(site.root, { hosts: [] });
  const wrongName = await pageOf(named, { target: "/x", headers: { Host: "evil.example" } });
  assert.deepEqual(linksOf(wrongName, "http://evil.example/x"), {
    "Open 127.0.0.1:8080": "http://127.0.0.1:8080/",
  });
  const guarded = siteHandler(site.root, { credentials: { user: "u", password: "p" } });
  const again = linksOf(await pageOf(guarded, { target: "/x?y" }), "http://a/x?y");
  assert.equal(again["Try again"], "http://a/x?y");
});

test("error pages: all of the request is text in them", async () => {
  await using site = await makeSite({ "x<b>": "", "dir/": "" });
  const handler = siteHandler(site.root, { upload: true, hosts: [] });
  const evil = `<script>alert(1)</script>"'&`;
  const targets = [
    `/${encodeURIComponent(evil)}`,
    `/${encodeURIComponent(evil)}/x`,
    `/<script>alert(1)</script>`,
    `/"><script>alert(1)</script>/`,
    "/%1b%5b2J%0a%e2%80%ae%c2%85",
    `/${"<".repeat(5000)}`,
    "/javascript:alert(1)/x",
    "/%",
    "/%3Cb%3E%ff",
    `http://a/<script>`,
  ];
  const pages = await Promise.all([
    ...targets.map((target) => pageOf(handler, { target })),
    ...targets.map((target) => pageOf(handler, { method: "POST", target })),
    pageOf(handler, { target: "/", headers: { Host: "<script>.example" } }),
    pageOf(handler, {
      method: "POST",
      target: "/",
      headers: { "Content-Type": FORM },
      body: [bytes(`${part("x<b>")}${part("<i>new")}${part(".<u>")}--x--\r\n`)],
    }),
  ]);
  for (const { text } of pages) {
    const body = text.replace(/<style>[^]*<\/style>/, "");
    assert.doesNotMatch(body, /<(?:script|b|i|u)\b/, body);
    assert.doesNotMatch(body, /href="(?!\.|http:\/\/127|data:|")/, body);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(body, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.ok(text.length < 50_000);
  }
  const { text } = pages.at(-1)!;
  for (const line of ["Not stored: x&lt;b&gt;", "Stored: &lt;i&gt;new", "Not stored: .&lt;u&gt;"]) {
    assert.ok(text.includes(`<li dir="auto">${line}`), line);
  }
});

test("error pages: fields of the response stay, and a 404.html of the site counts more", async () => {
  await using site = await makeSite({ "404.html": "<h1>Own</h1>" });
  const options = {
    cors: true,
    headers: ["X-One", "1"],
    credentials: { user: "u", password: "p" },
  };
  const refused = await pageOf(siteHandler(site.root, options), { target: "/none" });
  assert.equal(refused.headers["www-authenticate"], 'Basic realm="plainsocket", charset="UTF-8"');
  assert.equal(refused.headers["cache-control"], "no-store");
  assert.equal(refused.headers["x-one"], "1");
  assert.equal(refused.headers["access-control-allow-origin"], "*");
  const { headers } = await pageOf(siteHandler(site.root), { method: "DELETE", target: "/" });
  assert.equal(headers.allow, "GET, HEAD, OPTIONS");
  const own = await pageOf(siteHandler(site.root), { target: "/none" });
  assert.deepEqual([own.status, own.text], [404, "<h1>Own</h1>"]);
});

test("error pages: what should not happen is told once, and goes on without one who is told", async () => {
  await using site = await makeSite();
  const mistake = new Error("EIO");
  const question = () => ({ method: "PUT", target: "/b", body: failing(mistake) });
  const told: unknown[] = [];
  const onError = (error: unknown, { target }: { target: string }) => told.push([error, target]);
  const told500 = siteHandler(site.root, { upload: true, onError });
  const { status, text } = await ask(told500, question());
  assert.deepEqual([status, text], [500, "Internal Server Error\n"]);
  assert.deepEqual(told, [[mistake, "/b"]]);
  await assert.rejects(ask(siteHandler(site.root, { upload: true }), question()), mistake);
  // These are the connection's, and nobody is there to read an answer.
  const lost = [
    new HttpError(400, "BODY_INCOMPLETE", "The client closed"),
    new SocketError("ECONNRESET", "read"),
  ];
  for (const error of lost) {
    const body = failing(error);
    await assert.rejects(ask(told500, { method: "PUT", target: "/b", body }), error);
  }
  assert.equal(told.length, 1);
});
