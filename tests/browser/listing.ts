// The web file server with a real browser: Chromium as Debian packages it.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Page } from "playwright-core";
import type { Exchange } from "../../lib/http/server/options.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { siteHandler, type SiteOptions } from "../../lib/files/site.ts";
import { complaintsOf, sharedBrowser } from "../support/browser.ts";
import { until } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite, type Site } from "../support/site_helpers.ts";
import { descriptorsBelow } from "../files/web_helpers.ts";
import { type Look, openTab, setLook } from "./looks.ts";
import { makeVideo, SECONDS, seekVideo } from "./webm.ts";

/** A page of a browser that has nothing but the site. */
interface Visit {
  readonly page: Page;
  readonly url: string;
  readonly site: Site;
  /** What was answered so far. */
  readonly exchanges: readonly Exchange[];
  /** What the browser found wrong. */
  readonly complaints: readonly string[];
}

const withBrowser = sharedBrowser();

/** Serves a directory and opens a browser for as long as `visit` takes. */
async function visiting(
  files: Parameters<typeof makeSite>[0],
  { site: siteOptions, ...look }: Look & { readonly site?: SiteOptions },
  visit: (visit: Visit) => Promise<void>,
): Promise<void> {
  await using site = await makeSite(files);
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const stop = new AbortController();
  const exchanges: Exchange[] = [];
  const served = serveLight(listener, siteHandler(site.root, siteOptions), {
    signal: stop.signal,
    drainTimeout: 0,
    onResponse: (exchange) => exchanges.push(exchange),
  }).finished;
  try {
    await withBrowser(async (context) => {
      const page = await openTab(context, look);
      const complaints = complaintsOf(page);
      page.on("dialog", (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      const url = `http://127.0.0.1:${listener.addr.port}/`;
      await visit({ page, url, site, exchanges, complaints });
    });
  } finally {
    stop.abort();
    await served;
    // The server does not wait for the file of a client that has left: its last read may go on.
    await until(() => descriptorsBelow(site.root) === 0, "the end of the last read");
  }
}

/** The names in a listing, from top to bottom. */
async function listed(page: Page): Promise<string[]> {
  // It comes bit by bit.
  await page.waitForLoadState();
  return await page.locator("tbody th a").allTextContents();
}

/** Presses Tab until a link with this text has the focus. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press("Tab");
    if (await page.locator(":focus").textContent() === text) return;
  }
  assert.fail(`Tab does not lead to ${text}`);
}

/** The window of a small phone. */
const SMALL = { width: 360, height: 640 };

/** Fails for a page that is wider than a small phone, or has one background in light and in dark. */
async function assertFitsInBoth(page: Page): Promise<void> {
  const backgrounds = new Set<string>();
  for (const colorScheme of ["light", "dark"] as const) {
    await setLook(page, { colorScheme });
    const [width, background] = await page.locator("body").evaluate((body) => {
      const { documentElement, defaultView } = body.ownerDocument;
      return [documentElement.scrollWidth, defaultView!.getComputedStyle(body).backgroundColor];
    });
    assert.equal(width, SMALL.width);
    backgrounds.add(String(background));
  }
  assert.equal(backgrounds.size, 2);
}

/** The bytes of a second of video: all of it is more than the browser reads ahead. */
const SECOND = 1024 * 1024;

test("browser: the listing is used by keyboard, with the focus to be seen", async () => {
  const files = { "a.txt": "a", "sub/b.txt": "b" };
  await visiting(files, {}, async ({ page, url, site, complaints }) => {
    await page.goto(url);
    await tabTo(page, "sub/");
    const outline = await page.locator(":focus").evaluate((link) => {
      const { outlineStyle, outlineWidth } = link.ownerDocument.defaultView!
        .getComputedStyle(link);
      return `${outlineStyle} ${outlineWidth}`;
    });
    assert.equal(outline, "solid 2px");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${url}sub/`);
    assert.equal(await page.locator("h1").textContent(), "sub");
    await tabTo(page, basename(site.root));
    await page.keyboard.press("Enter");
    await page.waitForURL(url);
    assert.deepEqual(await listed(page), ["sub/", "a.txt"]);
    assert.deepEqual(complaints, []);
  });
}, ["chromium"]);

test("browser: a click on a heading sorts, and another the other way round", async () => {
  const files = { "a": "1", "b": "333", "c": "22", "d/": "" };
  await visiting(files, {}, async ({ page, url }) => {
    await page.goto(url);
    assert.deepEqual(await listed(page), ["d/", "a", "b", "c"]);
    const size = page.getByRole("columnheader", { name: "Size" });
    await size.getByRole("link").click();
    assert.deepEqual(await listed(page), ["d/", "b", "c", "a"]);
    assert.equal(await size.getAttribute("aria-sort"), "descending");
    await size.getByRole("link").click();
    assert.deepEqual(await listed(page), ["d/", "a", "c", "b"]);
    assert.equal(await size.getAttribute("aria-sort"), "ascending");
    await page.getByRole("link", { name: "Name" }).click();
    assert.deepEqual(await listed(page), ["d/", "a", "b", "c"]);
  });
}, ["chromium"]);

test("browser: every name leads to its file, however odd", async () => {
  const names = [
    "a b#c?d%20&e;f.txt",
    "javascript:alert(1).txt",
    "<img src=x onerror=alert(1)>.txt",
    `quo"te's.txt`,
    "日本語.txt",
    "100%.txt",
    "  spaces  .txt",
  ];
  const files = Object.fromEntries(names.map((name) => [name, `This is ${name}`]));
  await visiting(files, {}, async ({ page, url, complaints }) => {
    await page.goto(url);
    assert.deepEqual((await listed(page)).sort(), [...names].sort());
    for (const [i, name] of names.entries()) {
      if (i > 0) await page.goto(url);
      await page.locator("tbody th a").filter({ hasText: name.trim() }).click();
      assert.equal(await page.locator("body").textContent(), `This is ${name}`);
    }
    // Text has no icon.
    assert.deepEqual(complaints.filter((text) => !/status of 404/.test(text)), []);
  });
}, ["chromium"]);

test("browser: the listing fits a phone, and follows light and dark", async () => {
  const files = { [`${"long-name-".repeat(20)}.txt`]: "x", "b.txt": "x" };
  await visiting(files, { viewport: SMALL, site: { upload: true } }, async ({ page, url }) => {
    await page.goto(url);
    await assertFitsInBoth(page);
  });
}, ["chromium"]);

test(
  "browser: the page of an error fits a phone, follows light and dark, and leads back",
  async () => {
    const files = { "sub/a.txt": "" };
    await visiting(files, { viewport: SMALL }, async ({ page, url, complaints }) => {
      await page.goto(`${url}sub/${"no-such-file-".repeat(20)}`);
      assert.equal(await page.locator("h1").textContent(), "There is nothing here");
      await assertFitsInBoth(page);
      await page.getByRole("link", { name: "Folder above" }).click();
      await page.waitForURL(`${url}sub/`);
      assert.deepEqual(await listed(page), ["a.txt"]);
      assert.deepEqual(complaints.filter((text) => !/status of 404/.test(text)), []);
    });
  },
  ["chromium"],
);

test("browser: a video is sought in by ranges, and shows the second asked for", async () => {
  const files = {
    "encode.html": '<!doctype html><link rel="icon" href="data:,">',
    "index.html":
      '<!doctype html><link rel="icon" href="data:,"><video src="clip.webm" preload="metadata"></video>',
  };
  await visiting(files, {}, async ({ page, url, site, exchanges, complaints }) => {
    await page.goto(`${url}encode.html`);
    const video = await makeVideo(page, SECOND);
    await writeFile(site.path("clip.webm"), video);
    await page.goto(url);
    assert.equal(await seekVideo(page, 22.5), 22);
    assert.equal(await seekVideo(page, 3.5), 3);
    // The response from the beginning on is broken off, and told of then.
    await page.close();
    const parts = () => exchanges.filter(({ status }) => status === 206);
    const starts = () =>
      parts().map(({ request }) => Number(/^bytes=(\d+)-/.exec(request!.header("range")!)![1]));
    const sought = video.length * 22 / SECONDS;
    await until(
      () => starts().some((start) => Math.abs(start - sought) < SECOND),
      "a response from the second that is sought",
    );
    await until(() => starts().includes(0), "the end of the response from the beginning");
    assert.equal(parts().find((_, i) => starts()[i] === 0)!.complete, false);
    assert.deepEqual(complaints, []);
  });
}, ["chromium"]);

test("browser: the form uploads files, and refuses to overwrite", async () => {
  await visiting({ "sub/": "" }, { site: { upload: true } }, async ({ page, url, site }) => {
    const chosen = ["one.txt", "zwei ü.txt"].map((name) => ({
      name,
      mimeType: "text/plain",
      buffer: Buffer.from(`This is ${name}`),
    }));
    await page.goto(`${url}sub/`);
    await page.getByLabel("Add files").setInputFiles(chosen);
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByRole("link", { name: "one.txt" }).waitFor();
    assert.equal(page.url(), `${url}sub/`);
    assert.deepEqual(await listed(page), ["one.txt", "zwei ü.txt"]);
    assert.equal(await readFile(site.path("sub/zwei ü.txt"), "utf8"), "This is zwei ü.txt");
    await page.getByLabel("Add files").setInputFiles(chosen.slice(0, 1));
    const answered = page.waitForResponse((response) => response.request().method() === "POST");
    await page.getByRole("button", { name: "Upload" }).click();
    assert.equal((await answered).status(), 409);
    await page.getByRole("link", { name: "Back to the folder" }).click();
    await page.waitForURL(`${url}sub/`);
    assert.deepEqual(await listed(page), ["one.txt", "zwei ü.txt"]);
    // The names are those on the disk of the visitor, whatever is in them.
    const odd = ['q"x.txt', "100%25.txt", "日本 é.txt", "a;b=c'.txt"];
    await page.getByLabel("Add files").setInputFiles(
      odd.concat("one.txt").map((name) => ({ ...chosen[0], name })),
    );
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByText("Not stored: one.txt").waitFor();
    assert.equal(await page.getByText(/^Stored: /).count(), odd.length);
    const stored = ["one.txt", "zwei ü.txt", ...odd].sort();
    assert.deepEqual((await readdir(site.path("sub"))).sort(), stored);
  });
}, ["chromium"]);

test("browser: a form with more than may be uploaded ends with a page that says so", async () => {
  await visiting({}, { site: { upload: true } }, async ({ page, url, site }) => {
    await page.goto(url);
    // By its path: Playwright would send the content of a buffer through a pipe, as JSON.
    await using large = await makeSite({ "large.bin": Buffer.alloc(20 << 20) });
    await page.getByLabel("Add files").setInputFiles(large.path("large.bin"));
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByRole("heading", { name: "This is too large" }).waitFor();
    await page.getByRole("link", { name: "Start page" }).click();
    await page.getByText("This folder is empty").waitFor();
    assert.deepEqual(await readdir(site.root), []);
  });
}, ["chromium"]);

test("browser: a form of another site cannot upload", async () => {
  const files = { "page.html": "<!doctype html>" };
  await visiting(files, { site: { upload: true } }, async ({ page, url, site, exchanges }) => {
    // The same server under another name is another site.
    await page.goto(`http://localhost:${new URL(url).port}/page.html`);
    await page.setContent(
      `<form method="post" enctype="multipart/form-data" action="${url}">` +
        `<input type="file" name="x" id="x"><button>Go</button></form>`,
    );
    const file = { name: "evil.txt", mimeType: "text/plain", buffer: Buffer.from("evil") };
    await page.locator("#x").setInputFiles([file]);
    await page.getByRole("button", { name: "Go" }).click();
    await page.waitForURL(url);
    assert.ok(exchanges.some(({ status }) => status === 403));
    assert.deepEqual(await readdir(site.root), ["page.html"]);
  });
}, ["chromium"]);

test("browser: a page of 200 small files loads all of them", async () => {
  const count = 200;
  const scripts = Array.from({ length: count }, (_, i) => `s${i}.js`);
  const tags = scripts.map((name) => `<script src="${name}"></script>`).join("\n");
  const files = {
    "index.html":
      `<!doctype html><link rel="icon" href="data:,"><script>loaded = 0</script>${tags}`,
    ...Object.fromEntries(scripts.map((name) => [name, "loaded++;"])),
  };
  await visiting(files, {}, async ({ page, url, exchanges, complaints }) => {
    await page.goto(url, { waitUntil: "load" });
    assert.equal(await page.evaluate("loaded"), count);
    const ok = exchanges.filter(({ status, complete }) => status === 200 && complete);
    assert.ok(ok.length >= count, `${ok.length} of ${count}`);
    assert.deepEqual(complaints, []);
  });
}, ["chromium"]);
