/**
 * The page that a browser shows for an error. It looks like the listings and has a link back.
 *
 * @module
 */

import { formatAddr } from "../base/addr.ts";
import type { LightRequest } from "../http/server/light.ts";
import { reasonOf } from "../http/message/status.ts";
import { escape, pageHead } from "./listing.ts";

/** Headings; others are the reason phrase of the status. */
const HEADINGS: Readonly<Record<number, string>> = {
  400: "This address is not right",
  401: "A password is needed",
  403: "This is not allowed",
  404: "There is nothing here",
  409: "This cannot be stored as it is",
  413: "This is too large",
  421: "This name is not known here",
  500: "Something went wrong",
  503: "The server is busy",
  507: "There is no space left",
};

/** Explanations that replace a text with only the reason phrase, and perhaps the path. */
const EXPLANATIONS: Readonly<Record<number, string>> = {
  400: "The server cannot make anything of it.",
  401: "Sign in with the user name and password of this site.",
  403: "The server may not read what is at this address.",
  404: "It may have been moved or removed, or there is a mistake in the address.",
  405: "What is at this address can only be read.",
  500: "The server could not answer. Its log says why.",
  503: "Try again in a moment.",
};

/** Longer paths are cut where they are shown. */
const MOST_SHOWN = 300;

/** The page of an error; `text` is the text for programs, in lines. */
export function errorPage(status: number, text: string, request: LightRequest): string {
  const reason = reasonOf(status);
  const [first, ...lines] = text.trimEnd().split("\n");
  const isBare = first.split(":")[0] === reason || status === 401;
  const heading = HEADINGS[status] ?? reason;
  const explanation = isBare ? EXPLANATIONS[status] : first;
  return `${pageHead(`${heading} – ${status}`)}<header>
<h1>${escape(heading)}</h1>
<p>${status} ${escape(reason)} · <span class="path" dir="auto">${
    escape(shownPath(request))
  }</span></p>
</header>
<main class="error">
${explanation === undefined ? "" : `<p>${escape(explanation)}</p>\n`}${
    list(lines)
  }<p class="ways">${
    waysOut(status, request).map(([href, label]) =>
      `<a href="${escape(href)}">${escape(label)}</a>`
    ).join(" ")
  }</p>
</main>
</html>
`;
}

function list(lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `<ul>\n${lines.map((line) => `<li dir="auto">${escape(line)}</li>\n`).join("")}</ul>\n`;
}

/** The path of a request as it came. */
function pathOf({ target }: LightRequest): string {
  const [, path = ""] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(target)!;
  return path.startsWith("/") ? path : "/";
}

/** The path as people read it, if it can be decoded. */
function shownPath(request: LightRequest): string {
  let path = pathOf(request);
  try {
    path = decodeURIComponent(path);
  } catch {
    // It is shown as it came.
  }
  return path.length <= MOST_SHOWN ? path : `${path.slice(0, MOST_SHOWN)}…`;
}

/**
 * Links away from the error, by address and label. They are relative, since a proxy may have the site
 * below a path of its own.
 */
function waysOut(status: number, request: LightRequest): [href: string, label: string][] {
  const { method, scheme, localAddr } = request;
  if (status === 421 && localAddr.transport !== "unix") {
    const address = formatAddr(localAddr);
    return [[`${scheme}://${address}/`, `Open ${address}`]];
  }
  const path = pathOf(request);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const depth = path.split("/").length - 2;
  const ways: [string, string][] = [];
  if (status === 401 || status >= 500 && method === "GET") ways.push(["", "Try again"]);
  if (method === "POST") {
    // The form of a listing is sent to its folder.
    if (path !== "/") ways.push([name === "" ? "./" : `./${name}/`, "Back to the folder"]);
  } else if (depth > (name === "" ? 1 : 0)) ways.push([name === "" ? "../" : "./", "Folder above"]);
  ways.push(["../".repeat(depth) || "./", "Start page"]);
  return ways;
}
