// The browser that tests open pages in.

import { type Browser, chromium } from "playwright-core";
import { pathOf } from "./programs.ts";

/** Starts Chromium. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: pathOf("chromium"), args: ["--no-sandbox"] });
}
