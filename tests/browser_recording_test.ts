// The drawing of a recording in Chromium.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { toSvg } from "../lib/recording/svg.ts";
import { pathOf } from "./programs.ts";
import { accepted, recordingOf } from "./recordings.ts";
import { test } from "./runner.deno.ts";

/** The relative luminance of `rgb(…)` (WCAG 2.2). */
function luminance(color: string): number {
  const [r, g, b] = color.match(/\d+/g)!.map((value) => {
    const part = Number(value) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test("browser: the drawing of a recording can be read in light and in dark", async () => {
  const svg = toSvg(await recordingOf(accepted([["client", "hello"], ["server", "welcome"]])));
  const executablePath = pathOf("chromium");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const pages: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await (await browser.newContext({ colorScheme })).newPage();
      await page.goto(`data:image/svg+xml,${encodeURIComponent(svg)}`);
      const { fills, background } = await page.evaluate(`({
        fills: [...document.querySelectorAll("text")].map((each) => getComputedStyle(each).fill),
        background: getComputedStyle(document.querySelector("rect")).fill,
      })`) as { fills: string[]; background: string };
      pages.push(background);
      for (const fill of new Set(fills)) {
        const [a, b] = [luminance(fill), luminance(background)].sort();
        assert.ok((b + 0.05) / (a + 0.05) >= 4.5, `${colorScheme}: ${fill} on ${background}`);
      }
    }
    assert.notEqual(pages[0], pages[1]);
  } finally {
    await browser.close();
  }
}, ["chromium"]);
