// The browser that tests open pages in.

import { Buffer } from "node:buffer";
import { type Browser, chromium } from "playwright-core";
import { isHere, pathOf } from "./programs.ts";
import { afterAll, beforeAll } from "./runner.deno.ts";

/** Starts Chromium. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: pathOf("chromium"), args: ["--no-sandbox"] });
}

/**
 * Starts Chromium once for all tests of a file. Returns a function that calls `use` with it, and then
 * closes the pages that `use` has opened. What a page keeps ends with it.
 */
export function sharedBrowser(): (use: (browser: Browser) => Promise<void>) => Promise<void> {
  let browser: Browser;
  beforeAll(async () => {
    if (isHere("chromium")) browser = await launchBrowser();
  });
  afterAll(async () => await browser?.close());
  return async (use) => {
    try {
      await use(browser);
    } finally {
      for (const context of browser.contexts()) await context.close();
    }
  };
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
