/**
 * The texts of the page's files, by name: imported, so that they come along wherever the program is
 * run from.
 *
 * @module
 */

import css from "./page/page.css" with { type: "text" };
import html from "./page/index.html" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import app from "./page/app.js" with { type: "text" };

/** See the module. */
export const PAGE_TEXTS: Readonly<Record<string, string>> = {
  "index.html": html,
  "page.css": css,
  "icon.svg": icon,
  "app.js": app,
};
