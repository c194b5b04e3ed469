/**
 * The contents of a directory as a page for people, and as JSON for programs. No file system in it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { counted } from "../base/counted.ts";
import { formatSize } from "../base/size.ts";
import { LISTING_STYLE } from "./listing_style.ts";
import { encodeName } from "./path.ts";

/** A file or directory in a listing. */
export interface Entry {
  /** Its name, without a slash. */
  readonly name: string;
  /** The kind of the entry. Symbolic links are followed. */
  readonly kind: "file" | "directory";
  /** Bytes of a file. That of a directory means nothing. */
  readonly size: number;
  /** When it was last modified, in milliseconds since 1970; NaN if it is unknown. */
  readonly time: number;
  /** Why it cannot be fetched; then nothing but its name is known. Default: it can be. */
  readonly unserved?: string;
}

/** The keys that entries can be sorted by. */
export type SortKey = "name" | "size" | "time";

/** The order of a listing. Directories come first in any. */
export interface SortOrder {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** The content of a listing. */
export interface Listing {
  /** The name of the root. */
  readonly root: string;
  /** The decoded names on the way from the root; none for the root itself. */
  readonly names: readonly string[];
  /** In their order. */
  readonly entries: readonly Entry[];
  /** Whether these are all. */
  readonly complete: boolean;
  readonly order: SortOrder;
  /** Whether there is a form to upload files with. */
  readonly upload: boolean;
}

/** The columns, with the direction that their first click sorts in. */
const COLUMNS = [
  { key: "name", label: "Name", firstDescending: false },
  { key: "size", label: "Size", firstDescending: true },
  { key: "time", label: "Modified (UTC)", firstDescending: true },
] as const;

/** Made for the first listing: that takes 7 ms, which the start of a server can do without. */
let collator: Intl.Collator | undefined;

/** The order that a query asks for, as in `?sort=size&order=desc`; by name if it asks for none. */
export function orderOf(query: URLSearchParams): SortOrder {
  const column = COLUMNS.find(({ key }) => key === query.get("sort")) ?? COLUMNS[0];
  const order = query.get("order");
  const descending = order === "desc" || order !== "asc" && column.firstDescending;
  return { key: column.key, descending };
}

/** Compares entries by an order: directories first, and what is equal by name. */
export function comparing({ key, descending }: SortOrder): (a: Entry, b: Entry) => number {
  const sign = descending ? -1 : 1;
  // Numbers in names count as such: file2 comes before file10. The locale is fixed on purpose.
  const { compare } = collator ??= new Intl.Collator("en", { numeric: true });
  return (a, b) => {
    if (a.kind !== b.kind) return a.kind === "directory" ? -1 : 1;
    const byName = compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
    if (key === "name") return sign * byName;
    // The sizes of directories say nothing.
    if (key === "size" && a.kind === "directory") return byName;
    return sign * (rank(a[key]) - rank(b[key])) || byName;
  };
}

/** Ranks unknown values before all others. NaN would come anywhere. */
function rank(value: number): number {
  return isNaN(value) ? -Infinity : value;
}

/**
 * The listing as JSON, in pieces: `{ path, entries: [{ name, type, href, size, modified }] }`, and
 * `complete: false` if there are more entries.
 */
export function* listingJson({ names, entries, complete }: Listing): Generator<string, void> {
  const path = names.map((name) => `${encodeName(name)}/`).join("");
  yield `{\n  "path": ${JSON.stringify(`/${path}`)},\n  "entries": [`;
  let separator = "\n";
  for (const entry of entries) {
    yield `${separator}    ${JSON.stringify(plain(entry), null, 2).replaceAll("\n", "\n    ")}`;
    separator = ",\n";
  }
  yield `${entries.length === 0 ? "" : "\n  "}]${complete ? "" : `,\n  "complete": false`}\n}\n`;
}

/** An entry as JSON has it. */
function plain(entry: Entry): unknown {
  const { name, kind, size, time, unserved } = entry;
  if (unserved !== undefined) return { name, type: kind, unserved };
  return {
    name,
    type: kind,
    href: hrefOf(entry),
    ...(kind === "file" ? { size } : {}),
    ...(isDate(time) ? { modified: new Date(time).toISOString() } : {}),
  };
}

/** A folder. */
const ICON: string =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'" +
  "%3E%3Cpath fill='%23478be6' d='M0 4 2 2h6l2 3h8l2 2v9l-2 2H2l-2-2z'/%3E%3C/svg%3E";

/** Made for the first page. */
let policy: string | undefined;

/** The policy that a listing is sent with: its own style and icon, and nothing else. */
export function listingPolicy(): string {
  return policy ??= "default-src 'none'; style-src 'sha256-" +
    createHash("sha256").update(LISTING_STYLE).digest("base64") +
    "'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";
}

/** The beginning of a page, up to its content. `title` is plain text. */
export function pageHead(title: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${ICON}">
<title>${escape(title)}</title>
<style>${LISTING_STYLE}</style>
`;
}

/** The listing as a page, which works without any script, in pieces. */
export function* listingHtml(listing: Listing): Generator<string, void> {
  const { root, names, entries, order, upload } = listing;
  const title = names.at(-1) ?? root;
  yield `${pageHead(`${[root, ...names].join(" / ")} – Index`)}<header>
${breadcrumbs(root, names)}<h1 dir="auto">${escape(title)}</h1>
<p>${summary(listing)}</p>
</header>
<main>
${upload ? UPLOAD_FORM : ""}`;
  if (entries.length === 0) yield `<p class="empty">This folder is empty.</p>\n`;
  else {
    yield `<table>
<caption>Contents of ${escape(title)}</caption>
<thead><tr>${COLUMNS.map((column) => heading(column, order)).join("")}</tr></thead>
<tbody>
`;
    for (const entry of entries) yield row(entry);
    yield `</tbody>
</table>
`;
  }
  yield `</main>
</html>
`;
}

const UPLOAD_FORM = `<form method="post" enctype="multipart/form-data">
<label for="files">Add files to this folder</label>
<input id="files" type="file" name="files" multiple required>
<button>Upload</button>
</form>
`;

/** The way back to the root; none from the root itself. */
function breadcrumbs(root: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const labels = [root, ...names.slice(0, -1)];
  const links = labels.map((label, depth) => {
    const href = "../".repeat(labels.length - depth);
    return `<li><a href="${href}" dir="auto">${escape(label)}</a></li>`;
  });
  return `<nav aria-label="Breadcrumbs"><ol>${links.join("")}</ol></nav>\n`;
}

function summary({ entries, complete }: Listing): string {
  let [folders, files, bytes] = [0, 0, 0];
  for (const { kind, size } of entries) {
    if (kind === "directory") folders++;
    else [files, bytes] = [files + 1, bytes + size];
  }
  const parts = [
    ...(folders > 0 ? [counted(folders, "folder", withCommas(folders))] : []),
    ...(files > 0 || folders === 0 ? [counted(files, "file", withCommas(files))] : []),
    ...(files > 0 ? [formatSize(bytes)] : []),
    ...(complete ? [] : ["and more, which are too many to be listed"]),
  ];
  return parts.join(" · ");
}

function heading(column: typeof COLUMNS[number], order: SortOrder): string {
  const { key, label, firstDescending } = column;
  const active = key === order.key;
  const descending = active ? !order.descending : firstDescending;
  const href = `?sort=${key}&amp;order=${descending ? "desc" : "asc"}`;
  const sort = active ? ` aria-sort="${order.descending ? "descending" : "ascending"}"` : "";
  return `<th scope="col"${sort}><a href="${href}">${label}</a></th>`;
}

function row(entry: Entry): string {
  const { name, kind, unserved } = entry;
  if (unserved !== undefined) {
    return `<tr class="unserved"><th scope="row"><span dir="auto">${escape(name)}</span></th>` +
      `<td colspan="2">${escape(unserved)}</td></tr>\n`;
  }
  const label = kind === "directory" ? `${escape(name)}<span>/</span>` : escape(name);
  return `<tr class="${kind}"><th scope="row"><a href="${escape(hrefOf(entry))}" dir="auto">` +
    `${label}</a></th><td>${kind === "directory" ? "" : size(entry.size)}</td>` +
    `<td>${time(entry.time)}</td></tr>\n`;
}

/** A link from the page; `./` before it, lest a name with a colon be taken for a scheme. */
function hrefOf({ name, kind }: Entry): string {
  return `./${encodeName(name)}${kind === "directory" ? "/" : ""}`;
}

function size(bytes: number): string {
  const exact = counted(bytes, "byte", withCommas(bytes));
  return `<data value="${bytes}" title="${exact}">${formatSize(bytes)}</data>`;
}

/** Whether a `Date` can hold a time: that of a file need not be one. */
function isDate(ms: number): boolean {
  return Math.abs(ms) <= 8.64e15;
}

/** A time in UTC, the zone that server and reader share; nothing if it is beyond all dates. */
function time(ms: number): string {
  if (!isDate(ms)) return "";
  const iso = new Date(ms).toISOString();
  const [day, clock] = iso.split("T");
  return `<time datetime="${iso}" title="${day} ${clock.slice(0, 8)} UTC">${day}` +
    ` <span>${clock.slice(0, 5)}</span></time>`;
}

function withCommas(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

const REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Invisible characters, and those that change the direction of the text after them. */
// deno-lint-ignore no-control-regex
const UNSEEN = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Text as HTML, inside elements and quoted attributes, with all that is in it to be seen. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => REFERENCES[c]).replace(UNSEEN, pictureOf);
}

/** The picture that Unicode has of a control character. */
function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
}
