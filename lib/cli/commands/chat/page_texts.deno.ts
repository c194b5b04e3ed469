/**
 * The texts of the chat's page, by name: imported, so that they come along wherever the program is run
 * from.
 *
 * @module
 */

import chat from "./page/chat.js" with { type: "text" };
import connection from "./page/connection.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import html from "./page/index.html" with { type: "text" };
import lines from "./page/lines.js" with { type: "text" };
import css from "./page/page.css" with { type: "text" };

/** See the module. */
export const PAGE_TEXTS: Readonly<Record<string, string>> = {
  "chat.js": chat,
  "connection.js": connection,
  "icon.svg": icon,
  "index.html": html,
  "lines.js": lines,
  "page.css": css,
};
