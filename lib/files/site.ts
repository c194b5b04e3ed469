/**
 * A whole web site from one directory: files, listings, uploads, and who may have them.
 *
 * @module
 */

import { FLAG, FUNCTION, type Kinds, optionsOf, required, TEXT, TEXTS } from "../base/arguments.ts";
import type { Credentials } from "../base/basic_auth.ts";
import { type AnyHandler, toAnyHandler } from "../http/fetch/fetch_handler.ts";
import { requireHost } from "../http/fetch/require_host.ts";
import type { LightHandler, LightRequest } from "../http/server/light.ts";
import { requireCredentials } from "./auth.ts";
import { answerPreflights, CORS_FIELDS } from "./cors.ts";
import { listDirectories } from "./directory.ts";
import { withErrorPages } from "./error_responses.ts";
import { checkFiles, FILE_OPTIONS, type FileOptions } from "./file_options.ts";
import { FileServer } from "./files.ts";
import { textResponse } from "./refusal.ts";
import { receiveUploads } from "./upload.ts";

/** Options of {@linkcode siteHandler}. */
export interface SiteOptions extends Omit<FileOptions, "listing"> {
  /** Whether files may be uploaded, see `receiveUploads()`. Default: false. */
  readonly upload?: boolean;
  /** Whether scripts of other sites may read. Default: false. */
  readonly cors?: boolean;
  /** The user and password that a client must send. Default: no password is needed. */
  readonly credentials?: Credentials;
  /**
   * The names of the site besides IP addresses and localhost, such as `example.com`. Requests for
   * any other name get 421. That keeps out pages whose own name leads to this machine (DNS
   * rebinding). Use it for private sites without a password. Default: any name.
   */
  readonly hosts?: readonly string[];
  /**
   * Returns what has to be done if a name is one of the site's, for the text of the 421: see
   * `requireHost()`. Default: it has to be added to the hosts of this site.
   */
  readonly adviceOnHost?: (name: string) => string;
  /**
   * Called with an error that should not happen, such as EIO, and the request: the response to that
   * is 500, as a page for browsers. Default: it is thrown, and the server answers.
   */
  readonly onError?: (error: unknown, request: LightRequest) => void;
}

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
  const { upload = false, cors = false, credentials, hosts, adviceOnHost, onError } = options;
  const headers = [...cors ? CORS_FIELDS : [], ...options.headers ?? []];
  const listing = listDirectories(root, { dotfiles: options.dotfiles, upload });
  // Files that visitors add must not be sent in place of other files.
  const siblings = !upload;
  const files = new FileServer(root, { ...options, headers, listing, siblings });
  const uploads = receiveUploads(root, {
    headers,
    statusOf: async (request) => (await files.answer(request)).status,
  });
  const methods = upload ? "GET, HEAD, PUT, POST, OPTIONS" : "GET, HEAD, OPTIONS";

  const answer: LightHandler = (request) => {
    switch (request.method) {
      case "GET":
      case "HEAD":
        return files.answer(request);
      case "PUT":
      case "POST":
        if (upload) return uploads(request);
        break;
      case "OPTIONS":
        return { status: 204, headers: ["Allow", methods, ...headers] };
    }
    return textResponse(405, `There is no ${request.method} here`, ["Allow", methods, ...headers]);
  };
  const guarded = credentials === undefined
    ? answer
    : requireCredentials(answer, credentials, headers);
  const shared = cors ? answerPreflights(guarded, headers) : guarded;
  const named = hosts === undefined
    ? shared
    : requireHost(shared, { hosts, headers, adviceOnHost });
  return toAnyHandler(withErrorPages(named, onError));
}
