/**
 * The pages over HTTP: their files, the messages that fill them, and downloads.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { LightHandler, LightRequest, LightResponse } from "../../http/server/light.ts";
import { download, FORMATS } from "./download.ts";
import { type PageFile, pageFiles } from "../pages/page_files.ts";
import { refuse, safe } from "../pages/safe_response.ts";
import { refuseForeign, tokenCheck } from "./page_access.ts";
import { Hub, type Watched } from "./hub.ts";
import { PAGE_TEXTS } from "./page_texts.deno.ts";
import type { Picture } from "./picture.ts";
import { ReplayedRecording } from "./replayed_recording.ts";
import { eventStream } from "./event_stream.ts";
import { ConnectionUpdates, ListUpdates, type Updates } from "./updates.ts";

/** The files of the page. */
const PAGE_FILES = pageFiles(PAGE_TEXTS);

/** The most streams of messages at once; a page that is looked at has one or two. */
const MOST_STREAMS = 16;

/** Options of a {@linkcode WatchPages}. */
export interface WatchPagesOptions {
  /** The token that a request must have in the query of its URL. */
  readonly token: string;
  readonly clock: Clock;
}

/** See the module. */
export class WatchPages {
  /** The number of streams of messages. Each page that is looked at has one. */
  streams = 0;
  /** Answers requests. */
  readonly handler: LightHandler = (request) => this.#answer(request);
  readonly #watched: Hub | ReplayedRecording;
  readonly #clock: Clock;
  readonly #isToken: (given: string | null) => boolean;
  readonly #stop = new AbortController();

  constructor(watched: Hub | ReplayedRecording, { token, clock }: WatchPagesOptions) {
    this.#watched = watched;
    this.#clock = clock;
    this.#isToken = tokenCheck(token);
  }

  /** Ends the streams. */
  close(): void {
    this.#stop.abort();
  }

  #answer(request: LightRequest): LightResponse | Promise<LightResponse> {
    const foreign = refuseForeign(request);
    if (foreign !== undefined) return foreign;
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refuse(405, "This page is only read.", ["Allow", "GET, HEAD"]);
    }
    if (!request.target.startsWith("/")) return refuse(400, "The request is for no path.");
    const { pathname, searchParams } = new URL(`http://127.0.0.1${request.target}`);
    const file = PAGE_FILES.get(pathname);
    // Files that are the same for all who have the program are no secret.
    if (file !== undefined && pathname !== "/") return fileResponse(file);
    if (!this.#isToken(searchParams.get("token"))) {
      return refuse(403, "The URL has no valid token. Take the one that the program has printed.");
    }
    if (file !== undefined) return fileResponse(file);
    switch (pathname) {
      case "/about":
        return json(this.#about());
      case "/events":
        return this.#events(searchParams, request);
      case "/picture":
        return this.#picture(searchParams);
      case "/download":
        return this.#download(searchParams);
    }
    return refuse(404, "There is nothing here.");
  }

  #about(): object {
    const { title, head } = this.#watched;
    const duration = this.#watched instanceof ReplayedRecording
      ? this.#watched.duration
      : undefined;
    return { title, started: head.started, redaction: head.redaction, duration };
  }

  /** A stream of messages: the list, or what happens on one connection. */
  #events(query: URLSearchParams, request: LightRequest): LightResponse {
    const watched = this.#watched;
    if (!(watched instanceof Hub)) return refuse(404, "A recording has no further events.");
    if (this.streams >= MOST_STREAMS) {
      const why = "Too many pages are open. Close one of them.";
      return refuse(503, why, ["Retry-After", "5"]);
    }
    const updates = updatesOf(watched, watched.picture, query);
    if (updates === undefined) return noSuch(query);
    const signal = AbortSignal.any([request.signal(), this.#stop.signal]);
    return safe(
      200,
      "text/event-stream;charset=utf-8",
      request.method === "HEAD" ? undefined : this.#counted(updates, watched, signal),
    );
  }

  async *#counted(updates: Updates, hub: Hub, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.streams++;
    try {
      yield* eventStream(updates, hub, this.#clock, signal);
    } finally {
      this.streams--;
    }
  }

  /** One message, of a recording as it was at a moment. */
  #picture(query: URLSearchParams): LightResponse {
    const watched = this.#watched;
    if (!(watched instanceof ReplayedRecording)) return refuse(404, "This is not a recording.");
    const at = Number(query.get("at") ?? Infinity);
    const picture = at >= watched.duration ? watched.picture : watched.at(at);
    const updates = updatesOf(watched, picture, query);
    if (updates === undefined) return noSuch(query);
    const messages: string[] = [];
    for (let message = updates.next(); message !== undefined; message = updates.next()) {
      messages.push(message);
    }
    return safe(200, JSON_TYPE, `[${messages.join()}]`);
  }

  async #download(query: URLSearchParams): Promise<LightResponse> {
    const watched = this.#watched;
    const connection = watched.picture.get(Number(query.get("conn")));
    if (connection === undefined) return noSuch(query);
    const format = FORMATS.find((format) => format === query.get("format"));
    if (format === undefined) return refuse(400, `The format is one of ${FORMATS.join(", ")}.`);
    const { type, body } = await download(watched, connection, format);
    const name = `connection-${connection.number}.${format}`;
    return safe(200, type, body, ["Content-Disposition", `attachment; filename="${name}"`]);
  }
}

const JSON_TYPE = "application/json;charset=utf-8";

function json(value: object): LightResponse {
  return safe(200, JSON_TYPE, JSON.stringify(value));
}

function fileResponse({ type, text }: PageFile): LightResponse {
  return safe(200, type, text);
}

function updatesOf(
  watched: Watched,
  picture: Picture,
  query: URLSearchParams,
): Updates | undefined {
  if (!query.has("conn")) return new ListUpdates(watched, picture);
  const connection = picture.get(Number(query.get("conn")));
  return connection && new ConnectionUpdates(picture, connection);
}

function noSuch(query: URLSearchParams): LightResponse {
  const number = Number(query.get("conn"));
  return refuse(404, `There is no connection ${number}: it may be too old to be kept.`);
}
