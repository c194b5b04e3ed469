/**
 * A whole web site from one directory: files, listings, uploads, and who may have them.
 *
 * @module
 */

import { FLAG, FUNCTION, type Kinds, optionsOf, required, TEXT, TEXTS } from "../base/arguments.ts";
import type { Credentials } from "../base/basic_auth.ts";
import type { AnyHandler } from "../http/fetch/fetch_handler.ts";
import { checkFiles, FILE_OPTIONS } from "./file_options.ts";
import { receiveUploads } from "./upload.ts";
import { makeSite, type SiteOptions } from "./make_site.ts";

export type { SiteOptions } from "./make_site.ts";

const CREDENTIALS: Kinds<Credentials> = { user: required(TEXT), password: required(TEXT) };

const { listing: _listing, ...OF_FILES } = FILE_OPTIONS;

const OPTIONS: Kinds<SiteOptions> = {
  ...OF_FILES,
  upload: FLAG,
  cors: FLAG,
  credentials: optionsOf(CREDENTIALS),
  hosts: TEXTS,
  adviceOnHost: FUNCTION,
  onError: FUNCTION,
};

/**
 * Makes a handler that answers with what is below `root`: files as `fileHandler()` does, and a
 * listing, as HTML or as JSON by the request's Accept, for each directory that has no index.html. It
 * can be used like that of `fileHandler()`, and throws the same errors.
 *
 * The largest upload is the server's limit of a body: `limits.maxSize`, 1 MiB by default.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { siteHandler } from "@plainsocket/plainsocket/files";
 * import { serveLight } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 * import { mkdtempSync, readFileSync, rmSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const root = mkdtempSync(join(tmpdir(), "site-"));
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveLight(listener, siteHandler(root, { upload: true }));
 *
 * const url = `http://127.0.0.1:${listener.addr.port}/`;
 * const put = await fetch(`${url}hello.txt`, { method: "PUT", body: "Hello" });
 * await put.body?.cancel();
 * assert.equal(put.status, 201);
 * assert.equal(readFileSync(join(root, "hello.txt"), "utf8"), "Hello");
 *
 * const listing = await fetch(url, { headers: { Accept: "application/json" } });
 * assert.equal((await listing.json()).entries[0].href, "./hello.txt");
 *
 * await server.stop();
 * rmSync(root, { recursive: true });
 * ```
 */
export function siteHandler(root: string, options: SiteOptions = {}): AnyHandler {
  checkFiles("siteHandler", root, options, OPTIONS);
  return makeSite(root, options, options.upload ? receiveUploads : undefined);
}
