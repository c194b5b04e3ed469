/**
 * The texts of the page's files, by name: read from the folder beside this module.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("./page/", import.meta.url);

/** See the module. */
export const PAGE_TEXTS: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER), "utf8")]),
);
