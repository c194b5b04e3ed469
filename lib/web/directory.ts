/**
 * Answers for directories: reads what is in them, and shows it as a page or as JSON.
 *
 * @module
 */

import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { LightReply, LightRequest } from "../http/light.ts";
import { locate } from "./disk.ts";
import { type FileState, stateOf } from "./file_state.ts";
import type { Directory } from "./files.ts";
import {
  type Entry,
  type Listing,
  LISTING_POLICY,
  listingHtml,
  listingJson,
  orderOf,
} from "./listing.ts";
import { isHidden } from "./path.ts";
import { isTemporary } from "./temporary.ts";

/** What {@linkcode listDirectories} takes. */
export interface ListingOptions {
  /** Whether names that start with a dot are shown. Default: false. */
  readonly dotfiles?: boolean;
  /** Whether the page has a form to upload files with. Default: false. */
  readonly upload?: boolean;
}

/**
 * Makes the `listing` of `serveFiles()` for the same `root`: what it shows can be fetched there, so
 * there are no hidden files, no links that lead outside, and nothing but files and directories.
 */
export function listDirectories(
  root: string,
  { dotfiles = false, upload = false }: ListingOptions = {},
): (directory: Directory, request: LightRequest) => Promise<LightReply> {
  // That of the file system has no name of its own.
  const rootName = basename(resolve(root)) || "/";
  return async ({ file, names }, request) => {
    const entries = await readEntries(root, file, dotfiles);
    const query = new URLSearchParams(/\?([^#]*)/.exec(request.target)?.[1]);
    const listing: Listing = { root: rootName, names, entries, order: orderOf(query), upload };
    const json = prefersJson(request.header("accept"));
    return {
      status: 200,
      headers: [
        "Content-Type",
        json ? "application/json" : "text/html;charset=utf-8",
        "Cache-Control",
        "no-cache",
        "Vary",
        "Accept",
        "X-Content-Type-Options",
        "nosniff",
        ...(json ? [] : ["Content-Security-Policy", LISTING_POLICY]),
      ],
      body: json ? listingJson(listing) : listingHtml(listing),
    };
  };
}

/** What is in a directory. What cannot be looked at is left out, as it cannot be fetched. */
async function readEntries(root: string, path: string, dotfiles: boolean): Promise<Entry[]> {
  const found = await readdir(path, { withFileTypes: true });
  const entries = await Promise.all(
    found.filter(({ name }) => isShown(name, dotfiles)).map(async (entry) => {
      const file = join(path, entry.name);
      try {
        const link = entry.isSymbolicLink();
        return entryOf(
          entry.name,
          link ? (await locate(root, file)).state : stateOf(await stat(file)),
        );
      } catch (error) {
        if (isGarbled(entry.name, error)) return garbledEntry(entry.name);
        return undefined; // it has gone away, leads nowhere, or is forbidden
      }
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

function isShown(name: string, dotfiles: boolean): boolean {
  return !isTemporary(name) && (dotfiles || !isHidden(name));
}

/**
 * Whether a name is not that of its file, which cannot be asked for then: bytes that are no text have
 * become U+FFFD, since Deno takes names as text only.
 */
function isGarbled(name: string, error: unknown): boolean {
  return name.includes("\ufffd") && (error as { code?: unknown }).code === "ENOENT";
}

function garbledEntry(name: string): Entry {
  return { name, kind: "file", size: 0, time: 0, unserved: "not served: its name is not UTF-8" };
}

function entryOf(name: string, { kind, size, mtimeMs }: FileState): Entry | undefined {
  return kind === "other" ? undefined : { name, kind, size, time: mtimeMs };
}

/** Whether a client would rather have JSON than HTML (RFC 9110 section 12.5.1). */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const weights = new Map<string, number>();
  for (const range of accept.split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    weights.set(type, weight === undefined ? 1 : Number(weight) || 0);
  }
  const weigh = (...ranges: string[]) =>
    weights.get(ranges.find((range) => weights.has(range)) ?? "") ?? 0;
  return weigh("application/json", "application/*", "*/*") >
    weigh("text/html", "text/*", "*/*");
}
