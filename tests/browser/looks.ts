// How a page is looked at: its window, its colours, and what axe finds wrong.

import assert from "node:assert/strict";
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";

/** The window and the colours of a page. */
export interface Look {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
}

/** The window of a phone. */
export const PHONE: { readonly width: number; readonly height: number } = {
  width: 390,
  height: 844,
};

/** Opens a tab. */
export async function openTab(context: BrowserContext, look: Look = {}): Promise<Page> {
  const page = await context.newPage();
  await setLook(page, look);
  return page;
}

/** Shows a page in another look. */
export async function setLook(page: Page, { viewport, colorScheme }: Look): Promise<void> {
  if (viewport !== undefined) await page.setViewportSize(viewport);
  if (colorScheme !== undefined) await page.emulateMedia({ colorScheme });
}

/** What axe looks at. Default: all of the page, by all of its rules. */
export interface Extent {
  /** The selector of the part of the page. */
  readonly part?: string;
  /** By the rules about colours only. */
  readonly coloursOnly?: boolean;
}

/** The rules that a page can break in one colour scheme and keep in the other. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** What axe finds wrong on a page. */
export async function violationsOn(
  page: Page,
  { part, coloursOnly = false }: Extent = {},
): Promise<axe.Result[]> {
  if (!await page.evaluate("'axe' in window")) await page.evaluate(axe.source);
  const options = {
    // All else need not be collected.
    reporter: "no-passes",
    ...(coloursOnly ? { runOnly: COLOUR_RULES } : {}),
  };
  const context = part === undefined ? "document" : JSON.stringify(part);
  const found = await page.evaluate(`axe.run(${context}, ${JSON.stringify(options)})`);
  return (found as axe.AxeResults).violations;
}

/** Fails for what axe calls serious. */
export async function assertAccessible(page: Page, extent?: Extent): Promise<void> {
  const serious = (await violationsOn(page, extent)).filter(({ impact }) =>
    impact === "serious" || impact === "critical"
  );
  const told = serious.map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`
  );
  assert.deepEqual(told, []);
}
