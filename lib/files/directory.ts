/**
 * Answers for directories: shows what is in them as a page or as JSON.
 *
 * @module
 */

import { basename, resolve } from "node:path";
import type { LightRequest, LightResponse } from "../http/server/light.ts";
import { ChangedError, locate } from "./located_file.ts";
import type { Directory } from "./file_options.ts";
import { listingHtml, listingJson, listingPolicy, orderOf } from "./listing.ts";
import { codingOf, ListingBody } from "./listing_body.ts";
import { OpenDirectory } from "./open_directory.ts";
import { isServed } from "./path.ts";
import { readDirectory } from "./directory_reading.ts";
import { Readings } from "./shared_readings.ts";
import { NOT_SENT } from "./responses.ts";

/** Options of {@linkcode listDirectories}. */
export interface ListingOptions {
  /** Whether names that start with a dot are shown. Default: false. */
  readonly dotfiles?: boolean;
  /** Whether the page has a form to upload files with. Default: false. */
  readonly upload?: boolean;
}

/**
 * Makes the `listing` of `fileHandler()` for the same `root`: what it shows can be fetched there, so
 * there are no hidden files, no links that lead outside, and nothing but files and directories.
 *
 * A directory is read once for all who ask at the same time, and sent as it is rendered, compressed for
 * those who decode it. Of more than 200,000 entries some are left out, and the listing says so.
 */
export function listDirectories(
  root: string,
  { dotfiles = false, upload = false }: ListingOptions = {},
): (directory: Directory, request: LightRequest) => Promise<LightResponse> {
  // That of the file system has no name of its own.
  const rootName = basename(resolve(root)) || "/";
  const isShown = (name: string) => isServed(name, dotfiles);
  const readings = new Readings((path, signal) => readDirectory(root, path, isShown, signal));
  return async ({ file, names }, request) => {
    await checkListable(root, file);
    const order = orderOf(new URLSearchParams(/\?([^#]*)/.exec(request.target)?.[1]));
    const json = prefersJson(request.header("accept"));
    const coding = codingOf(request.header("accept-encoding"));
    const headers = [
      "Content-Type",
      json ? "application/json" : "text/html;charset=utf-8",
      ...(coding === "identity" ? [] : ["Content-Encoding", coding]),
      "Cache-Control",
      "no-cache",
      "Vary",
      "Accept, Accept-Encoding",
      "X-Content-Type-Options",
      "nosniff",
      ...(json ? [] : ["Content-Security-Policy", listingPolicy()]),
    ];
    if (request.method === "HEAD") return { status: 200, headers, body: NOT_SENT };
    const body = new ListingBody({
      coding,
      use: (signal, onDrop) => readings.use(file, signal, onDrop),
      async render(reading) {
        const entries = await reading.sorted(order);
        const { complete } = reading;
        const listing = { root: rootName, names, entries, complete, order, upload };
        return json ? listingJson(listing) : listingHtml(listing);
      },
    });
    return { status: 200, headers, body };
  };
}

/** Rejects as `fs` does if a directory may not be read, before the response has begun. */
async function checkListable(root: string, path: string): Promise<void> {
  const located = await locate(root, path);
  if (located.state.kind !== "directory") throw new ChangedError(located.real);
  await using _directory = await OpenDirectory.open(located, "read");
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
