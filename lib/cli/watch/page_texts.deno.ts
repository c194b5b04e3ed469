/**
 * The texts of the page's files, by name: imported, so that they come along wherever the program is
 * run from.
 *
 * @module
 */

import app from "./page/app.js" with { type: "text" };
import bytes from "./page/bytes.js" with { type: "text" };
import detail from "./page/detail.js" with { type: "text" };
import diagram from "./page/diagram.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import frames from "./page/frames.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import html from "./page/index.html" with { type: "text" };
import list from "./page/list.js" with { type: "text" };
import message from "./page/message.js" with { type: "text" };
import connectionStyle from "./page/connection.css" with { type: "text" };
import diagramStyle from "./page/diagram.css" with { type: "text" };
import listStyle from "./page/list.css" with { type: "text" };
import narrowStyle from "./page/narrow.css" with { type: "text" };
import css from "./page/page.css" with { type: "text" };
import plots from "./page/plots.js" with { type: "text" };
import race from "./page/race.js" with { type: "text" };
import semantics from "./page/semantics.html" with { type: "text" };
import semanticsStyle from "./page/semantics.css" with { type: "text" };
import steps from "./page/steps.js" with { type: "text" };
import teach from "./page/teach.js" with { type: "text" };

/** See the module. */
export const PAGE_TEXTS: Readonly<Record<string, string>> = {
  "app.js": app,
  "bytes.js": bytes,
  "detail.js": detail,
  "diagram.js": diagram,
  "dom.js": dom,
  "format.js": format,
  "frames.js": frames,
  "icon.svg": icon,
  "index.html": html,
  "list.js": list,
  "message.js": message,
  "connection.css": connectionStyle,
  "diagram.css": diagramStyle,
  "list.css": listStyle,
  "narrow.css": narrowStyle,
  "page.css": css,
  "plots.js": plots,
  "race.js": race,
  "semantics.html": semantics,
  "semantics.css": semanticsStyle,
  "steps.js": steps,
  "teach.js": teach,
};
