// The drawing of a recording in Chromium.

import assert from "node:assert/strict";

import { toSvg } from "../../lib/recording/svg.ts";
import { sharedBrowser } from "../support/browser.ts";
import { accepted, recordingOf } from "../support/recordings.ts";
import { test } from "../support/runner.deno.ts";
import { openTab, PHONE, setLook } from "./looks.ts";

const withBrowser = sharedBrowser();

/** A text, and where it is, in pixels. */
interface Place {
  readonly words: string;
  readonly x: number;
  readonly y: number;
  readonly right: number;
  readonly bottom: number;
  readonly size: number;
}

/** Whether two texts share more than the edge of a line. */
function overlap(a: Place, b: Place): boolean {
  return a.x < b.right && b.x < a.right && a.y + 3 < b.bottom && b.y + 3 < a.bottom;
}

/** The relative luminance of `rgb(…)` (WCAG 2.2). */
function luminance(color: string): number {
  const [r, g, b] = color.match(/\d+/g)!.map((value) => {
    const part = Number(value) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** A recording of the longest texts that a drawing can have. */
async function longTexts(): Promise<string> {
  const host = "2001:db8:1234:5678:9abc:def0:1234:5678";
  const [localAddr, remoteAddr] = [54321, 54322].map((port) => ({ transport: "tcp", host, port }));
  const path = `/home/${"somebody/".repeat(20)}app.sock`;
  const from = { transport: "udp", host, port: 54321 };
  const error = { code: "EPIPE", op: "write", message: "A message that has no end. ".repeat(9) };
  return toSvg(
    await recordingOf([
      { type: "accept", socket: 2, listener: 1, localAddr, remoteAddr },
      { type: "recv", socket: 2, text: "\u0001".repeat(50), time: 999.999 },
      { type: "recv", socket: 2, text: "W".repeat(100), from, time: 99_999_999 },
      { type: "error", socket: 2, op: "write", error, time: 99_999_999.9 },
      {
        type: "accept",
        socket: 3,
        listener: 1,
        localAddr: { transport: "unix", path },
        remoteAddr: { transport: "unix", path: "" },
        time: 99_999_999.9,
      },
    ]),
  );
}

test(
  "browser: no text of a drawing leaves it or lies on another, and all are legible on a phone",
  async () => {
    await withBrowser(async (context) => {
      const page = await openTab(context, { viewport: PHONE });
      await page.goto(`data:image/svg+xml,${encodeURIComponent(await longTexts())}`);
      const { width, texts } = await page.evaluate(`({
      width: document.documentElement.viewBox.baseVal.width,
      texts: [...document.querySelectorAll("text")].map((each) => {
        const { x, y, width, height } = each.getBoundingClientRect();
        const size = parseFloat(getComputedStyle(each).fontSize);
        return { words: each.textContent, x, y, right: x + width, bottom: y + height, size };
      }),
    })`) as { width: number; texts: Place[] };
      assert.ok(width <= 400, `${width}`);
      assert.ok(texts.length > 8);
      for (const [i, one] of texts.entries()) {
        assert.ok(one.x >= 0 && one.right <= width, JSON.stringify(one));
        assert.ok(one.size >= 12, JSON.stringify(one));
        for (const other of texts.slice(i + 1)) {
          assert.ok(!overlap(one, other), JSON.stringify([one, other]));
        }
      }
    });
  },
  ["chromium"],
);

test("browser: the drawing of a recording can be read in light and in dark", async () => {
  const svg = toSvg(await recordingOf(accepted([["client", "hello"], ["server", "welcome"]])));
  await withBrowser(async (context) => {
    const pages: string[] = [];
    const page = await openTab(context);
    await page.goto(`data:image/svg+xml,${encodeURIComponent(svg)}`);
    for (const colorScheme of ["light", "dark"] as const) {
      await setLook(page, { colorScheme });
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
  });
}, ["chromium"]);
