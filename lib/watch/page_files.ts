/**
 * The files of the page, by the path that they are served at.
 *
 * @module
 */

import { PAGE_TEXTS } from "./page_texts.deno.ts";

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html;charset=utf-8",
  css: "text/css;charset=utf-8",
  js: "text/javascript;charset=utf-8",
  svg: "image/svg+xml;charset=utf-8",
};

/** See the module. */
export const PAGE_FILES: ReadonlyMap<string, PageFile> = new Map(
  Object.entries(PAGE_TEXTS).map(([name, text]) => {
    const type = TYPES[name.replace(/^.*\./, "")];
    return [name === "index.html" ? "/" : `/${name}`, { type, text }];
  }),
);
