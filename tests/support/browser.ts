// The browser that tests open pages in.

import { Buffer } from "node:buffer";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { isHere, pathOf } from "./programs.ts";
import { afterAll, beforeAll } from "./runner.deno.ts";

/** Starts Chromium. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: pathOf("chromium"),
    // The tabs of a context share a process, whose start would cost as much as the page. What draws
    // them needs none of its own.
    args: ["--no-sandbox", "--renderer-process-limit=1", "--in-process-gpu"],
  });
}

/** A tab of the context that tests share. It stays open, which keeps the process of the others. */
let kept: Page | undefined;

/** Whether the browser starts before the first test, and ends after the last. */
let isPlanned = false;

/** Has the browser start before the first test, and end after the last. */
function planBrowser(): void {
  if (isPlanned) return;
  isPlanned = true;
  beforeAll(async () => {
    if (!isHere("chromium")) return;
    kept = await (await (await launchBrowser()).newContext()).newPage();
    // Playwright waits for this with a timer, which is not to end in a test.
    await kept.waitForLoadState("networkidle");
  });
  afterAll(async () => await kept?.context().browser()?.close());
}

/**
 * Starts Chromium once for all test files of a process. Returns a function that calls `use` with a
 * context, and then closes the pages and the contexts that `use` has opened. What a page keeps is
 * that of its origin: tests have ports of their own.
 */
export function sharedBrowser(): (
  use: (context: BrowserContext) => Promise<void>,
) => Promise<void> {
  planBrowser();
  return async (use) => {
    const context = kept!.context();
    try {
      await use(context);
    } finally {
      for (const page of context.pages()) if (page !== kept) await page.close();
      for (const other of context.browser()!.contexts()) {
        if (other !== context) await other.close();
      }
    }
  };
}

/** Collects what a page writes to the console, and its errors that nobody catches, as they come. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

/** The same picture as WebP without losses, which is less than half as large. */
export async function webpOf(browser: Browser, png: Uint8Array): Promise<Uint8Array> {
  const page = await browser.newPage();
  const url = await page.evaluate(`(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,${Buffer.from(png).toString("base64")}";
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 1);
  })()`) as string;
  return Buffer.from(url.split(",")[1], "base64");
}
