/**
 * The parts of a site put together: files, listings, uploads, and who may have them.
 *
 * @module
 */

import type { Credentials } from "../base/basic_auth.ts";
import { type AnyHandler, toAnyHandler } from "../http/fetch/fetch_handler.ts";
import { requireHost } from "../http/fetch/require_host.ts";
import type { LightHandler, LightRequest } from "../http/server/light.ts";
import { requireCredentials } from "./auth.ts";
import { answerPreflights, CORS_FIELDS } from "./cors.ts";
import { listDirectories } from "./directory.ts";
import { withErrorPages } from "./error_responses.ts";
import type { FileOptions } from "./file_options.ts";
import { FileServer } from "./files.ts";
import { textResponse } from "./refusal.ts";
import type { receiveUploads } from "./upload.ts";

/** Options of `siteHandler()`. */
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

/**
 * Makes the handler of a site, of valid options. `receive` makes the handler of its uploads. Undefined:
 * the site takes no uploads.
 */
export function makeSite(
  root: string,
  options: SiteOptions,
  receive: typeof receiveUploads | undefined,
): AnyHandler {
  const upload = receive !== undefined;
  const { cors = false, credentials, hosts, adviceOnHost, onError } = options;
  const headers = [...cors ? CORS_FIELDS : [], ...options.headers ?? []];
  const listing = listDirectories(root, { dotfiles: options.dotfiles, upload });
  // Files that visitors add must not be sent in place of other files.
  const siblings = !upload;
  const files = new FileServer(root, { ...options, headers, listing, siblings });
  const uploads = receive?.(root, {
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
        if (uploads !== undefined) return uploads(request);
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
