/**
 * Responses to errors: text for programs, a page for browsers.
 *
 * @module
 */

import { SocketError } from "../base/errors.ts";
import { HttpError } from "../http/message/errors.ts";
import type { LightHandler, LightRequest, LightResponse } from "../http/server/light.ts";
import { INTERNAL_ERROR } from "../http/server/response.ts";
import { prefersJson } from "./directory.ts";
import { errorPage } from "./error_page.ts";
import { listingPolicy } from "./listing.ts";

/**
 * Called with an error that should not have happened, and the request that was answered with 500.
 */
export type OnMistake = (error: unknown, request: LightRequest) => void;

/**
 * Has browsers shown pages for the errors that `handler` answers with text. If there is an `onError`,
 * so it is for what `handler` throws; else that goes on to the server, which answers 500 with text.
 */
export function withErrorPages(handler: LightHandler, onError?: OnMistake): LightHandler {
  const failed = (error: unknown, request: LightRequest) => {
    // The server reports errors of the request and its connection.
    const isMistake = !(error instanceof HttpError || error instanceof SocketError);
    if (onError === undefined || !isMistake) throw error;
    onError(error, request);
    return forWhomAsks(INTERNAL_ERROR, request);
  };
  return (request) => {
    try {
      const response = handler(request);
      if (!(response instanceof Promise)) return forWhomAsks(response, request);
      return response.then((response) => forWhomAsks(response, request))
        .catch((error) => failed(error, request));
    } catch (error) {
      return failed(error, request);
    }
  };
}

function forWhomAsks(response: LightResponse, request: LightRequest): LightResponse {
  const { status, headers = [], body } = response;
  if (status < 400 || typeof body !== "string") return response;
  const at = indexOf(headers, "content-type");
  if (at === -1 || !headers[at + 1].startsWith("text/plain")) return response;
  const varied = varyByAccept(headers);
  if (!prefersHtml(request.header("accept"))) return { ...response, headers: varied };
  varied.splice(at, 2);
  const type = ["Content-Type", "text/html;charset=utf-8"];
  const safe = indexOf(varied, "x-content-type-options") === -1
    ? ["X-Content-Type-Options", "nosniff"]
    : [];
  return {
    ...response,
    headers: [...type, ...safe, "Content-Security-Policy", listingPolicy(), ...varied],
    body: errorPage(status, body, request),
  };
}

/** Whether HTML is asked for by name, as browsers do for what they show as a page. */
function prefersHtml(accept: string | undefined): boolean {
  return accept !== undefined && /(?:^|,)[ \t]*text\/html[ \t]*(?:,|;|$)/i.test(accept) &&
    !prefersJson(accept) && !/text\/html[ \t]*;[ \t]*q=0(?:\.0*)?[ \t]*(?:,|$)/i.test(accept);
}

function indexOf(headers: readonly string[], name: string): number {
  return headers.findIndex((header, i) => i % 2 === 0 && header.toLowerCase() === name);
}

/** A copy of the fields of a response that depends on Accept. */
function varyByAccept(headers: readonly string[]): string[] {
  const at = indexOf(headers, "vary");
  if (at === -1) return [...headers, "Vary", "Accept"];
  const isThere = /(?:^|,) *(?:accept *(?:,|$)|\*)/i.test(headers[at + 1]);
  return isThere ? [...headers] : headers.with(at + 1, `${headers[at + 1]}, Accept`);
}
