/**
 * Files over HTTP: a handler that answers with what is below one directory, and with nothing else.
 *
 * @module
 */

import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AnyHandler, toAnyHandler } from "../http/fetch/fetch_handler.ts";
import type { LightRequest, LightResponse } from "../http/server/light.ts";
import { Cache } from "./cache.ts";
import {
  ChangedError,
  locate,
  locateBelow,
  type Located,
  NotServedError,
  statusOfError,
} from "./located_file.ts";
import { withErrorPages } from "./error_responses.ts";
import {
  checkFiles,
  type Directory,
  FILE_OPTIONS,
  type FileOptions,
  type FileServerOptions,
} from "./file_options.ts";
import { checkedTypes, type MediaTypes } from "./media_type.ts";
import { encodeName, isServed, parseTarget, type TargetPath } from "./path.ts";
import { LOOKS_SELDOM } from "./file_system.deno.ts";
import { Semaphore } from "./semaphore.ts";
import { Responses } from "./responses.ts";
import { Resource, type ResourceInit } from "./resource.ts";
import { pauseAtTimes } from "./event_loop_turns.ts";
import { SharedRuns } from "./shared_runs.ts";

/** The most bytes of memory that resources, and what they hold, may take. */
const CACHE_BYTES = 32 * 1024 * 1024;

/**
 * The time for which the target of a path and the siblings of a file are taken to be the same, in
 * milliseconds.
 */
const FRESH_MS = 1000;

/** The number of attempts to read a file that changes each time. At the last it may have grown. */
const MOST_ATTEMPTS = 3;

/** Bounds the paths that are looked up at once: each keeps the event loop busy with a dozen operations. */
const looking = new Semaphore(LOOKS_SELDOM ? 2 : 16);

const ALLOW = ["Allow", "GET, HEAD, OPTIONS"];

const INDEX = "index.html";

/** The cache key of the page that answers for other paths. No target has a space. */
const SPA_KEY = "single-page application";
const NOT_FOUND_KEY = "not found";

/**
 * Makes a handler that answers GET and HEAD with the files below the directory `root`, and with
 * nothing that is not a regular file inside it: links are followed as long as they stay inside.
 *
 * A directory is answered by its `index.html`. A path that leads nowhere gets 404, with the root's
 * `404.html` as its content if there is one. Conditional requests, ranges and content codings are as
 * RFC 9110 has them. A file's sibling `.br`, `.zst` or `.gz` that is not older is sent to clients
 * that decode it; other text from 1 KiB to 1 MiB is compressed by the server, and has no ranges then:
 * a request for a range gets that of the file itself.
 *
 * Files up to 64 KiB are held in memory, 32 MiB in all, and looked at for each request: who asks
 * after a change gets the new bytes. Larger ones are read as the client takes them, with the size
 * that they had at the start: one that grows is sent as it was, one that changes otherwise while it
 * is sent ends the connection. The handler throws what should not happen, such as EIO; it answers
 * 403 for what may not be read, and 503 when the system is out of file descriptors.
 *
 * The handler goes to `serveLight()`, the fastest way, and as well to `serveHttp()`, `Deno.serve()` and
 * Hono: `app.get("*", (c) => files(c.req.raw))`.
 *
 * Throws as `statSync()` does if there is no `root`, and a `TypeError` if it is not a directory or an
 * option has a field that HTTP cannot carry.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { fileHandler } from "@plainsocket/plainsocket/files";
 * import { serveLight } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 * import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const root = mkdtempSync(join(tmpdir(), "site-"));
 * writeFileSync(join(root, "index.html"), "<h1>Hello</h1>");
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveLight(listener, fileHandler(root));
 *
 * const response = await fetch(`http://127.0.0.1:${listener.addr.port}/`);
 * assert.equal(response.headers.get("Content-Type"), "text/html;charset=utf-8");
 * assert.equal(await response.text(), "<h1>Hello</h1>");
 *
 * await server.stop();
 * rmSync(root, { recursive: true });
 * ```
 */
export function fileHandler(root: string, options: FileOptions = {}): AnyHandler {
  checkFiles("fileHandler", root, options, FILE_OPTIONS);
  const server = new FileServer(root, options);
  return toAnyHandler(withErrorPages((request) => server.answer(request)));
}

/** The target of a path: a file, a directory without index.html, or one asked for as a file. */
type Found = Resource | Directory | "no slash";

/** See {@linkcode fileHandler}. */
export class FileServer {
  readonly #root: string;
  readonly #options: FileServerOptions;
  readonly #types: MediaTypes;
  /** Milliseconds. Date.now() costs a fifth of what a monotonic clock does. */
  readonly #now: () => number;
  readonly #cache = new Cache<Resource>(CACHE_BYTES);
  readonly #lookUps = new SharedRuns<Found>();
  readonly #responses: Responses;
  readonly #spaResponses: Responses;

  constructor(root: string, options: FileServerOptions) {
    if (!statSync(root).isDirectory()) throw new TypeError(`${root} is not a directory to serve`);
    this.#root = resolve(root);
    this.#options = options;
    const { clock, types = {} } = options;
    this.#types = checkedTypes(types);
    this.#now = clock === undefined ? Date.now : () => clock.now();
    const common = {
      cacheControl: options.cacheControl,
      headers: options.headers ?? [],
      onHeld: (resource: Resource, bytes: number) => {
        this.#cache.charge(resource.key, resource, bytes);
      },
    };
    this.#responses = new Responses({ ...common, varyAccept: false });
    this.#spaResponses = new Responses({ ...common, varyAccept: true });
  }

  /** Answers at once if the response is ready. */
  answer(request: LightRequest): LightResponse | Promise<LightResponse> {
    const { method, target } = request;
    if (method !== "GET" && method !== "HEAD") return this.#refuse(method);
    const resource = this.#cache.get(target);
    if (resource !== undefined && this.#isFresh(resource) && resource.isCurrent()) {
      const response = this.#responses.response(resource, request);
      if (!(response instanceof Promise)) return response;
      return response.catch(() => this.#findAnew(request));
    }
    return this.#find(request);
  }

  #refuse(method: string): LightResponse {
    if (method === "OPTIONS") return this.#responses.bare(204, ALLOW);
    return this.#responses.plain(405, "Method Not Allowed", ALLOW);
  }

  /** Whether it was looked at a moment ago where its path leads, and which siblings it has. */
  #isFresh({ checkedAt }: Resource): boolean {
    // The clock may have been set back.
    return Math.abs(this.#now() - checkedAt) < FRESH_MS;
  }

  /** Finds the file anew, since the cached state was wrong. */
  #findAnew(request: LightRequest): Promise<LightResponse> {
    this.#cache.delete(request.target);
    return this.#find(request);
  }

  async #find(request: LightRequest): Promise<LightResponse> {
    const target = parseTarget(request.target);
    if (target === 400) return this.#responses.plain(400, "Bad Request");
    if (target === 404) return this.#notFound(request);
    const { names, path } = target;
    const { dotfiles = false } = this.#options;
    if (!names.every((name) => isServed(name, dotfiles))) return this.#notFound(request);
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#answerPath(target, request, attempt === MOST_ATTEMPTS);
      } catch (error) {
        this.#cache.delete(path);
        const changed = error instanceof ChangedError && attempt < MOST_ATTEMPTS;
        if (!changed) return this.#failed(error, request, target);
      }
    }
  }

  async #answerPath(
    target: TargetPath,
    request: LightRequest,
    last: boolean,
  ): Promise<LightResponse> {
    const { path, query } = target;
    const found = await this.#kept(path) ??
      await this.#lookUps.run(`${path} ${last}`, () => {
        return looking.run(async () => {
          await pauseAtTimes();
          return await this.#lookUp(target, last);
        });
      });
    if (found instanceof Resource) return this.#responses.response(found, request);
    if (found === "no slash") {
      // Relative, for a site that a proxy has below a path of its own, and since `//host` is one.
      const location = ["Location", `./${encodeName(target.names.at(-1)!)}/${query}`];
      return this.#responses.plain(301, "Moved Permanently", location);
    }
    const { listing } = this.#options;
    if (listing === undefined) throw new NotServedError(`${found.file} has no ${INDEX}`);
    const response = await listing(found, request);
    const headers = [...response.headers ?? [], ...this.#options.headers ?? []];
    return { ...response, headers };
  }

  /** Looks at the disk; for the `last` time if the file goes on changing. */
  async #lookUp({ names, path, slash }: TargetPath, last: boolean): Promise<Found> {
    const file = join(this.#root, ...names);
    const located = await locate(this.#root, file);
    if (located.state.kind === "file") {
      if (slash) throw new NotServedError(`${file} is not a directory`);
      return this.#keep(path, file, located, last);
    }
    if (!slash) return "no slash";
    const index = await this.#index(file, located.root);
    return index === undefined
      ? { file, path, names }
      : this.#keep(path, join(file, INDEX), index, last);
  }

  /** The index.html of a directory, if it has one. */
  async #index(directory: string, root: string): Promise<Located | undefined> {
    try {
      const index = await locateBelow(root, join(directory, INDEX));
      return index.state.kind === "file" ? index : undefined;
    } catch (error) {
      if (statusOfError(error) === 404) return undefined;
      throw error;
    }
  }

  /** The resource that the cache has under a key, if it is still right. */
  async #kept(key: string): Promise<Resource | undefined> {
    const resource = this.#cache.get(key);
    if (resource === undefined) return undefined;
    if (this.#isFresh(resource) && resource.isCurrent()) return resource;
    try {
      if (await resource.check(this.#init(false))) return resource;
    } catch {
      // It is gone, and what is there now is yet to be seen.
    }
    this.#cache.delete(key, resource);
    return undefined;
  }

  async #keep(
    key: string,
    file: string,
    located: Located,
    mayHaveGrown: boolean,
  ): Promise<Resource> {
    const resource = await Resource.create(key, file, located, this.#init(mayHaveGrown));
    this.#cache.set(key, resource);
    return resource;
  }

  #init(mayHaveGrown: boolean): ResourceInit {
    const { compress = true, siblings = true } = this.#options;
    const types = this.#types;
    return { root: this.#root, compress, siblings, types, now: this.#now(), mayHaveGrown };
  }

  /** Answers for an error of the file system; throws those that should not be. */
  async #failed(
    error: unknown,
    request: LightRequest,
    target?: TargetPath,
  ): Promise<LightResponse> {
    switch (statusOfError(error)) {
      case 404:
        if (this.#options.spa === true && target !== undefined && isNavigation(target, request)) {
          return await this.#spa(request);
        }
        return this.#notFound(request);
      case 403:
        return this.#responses.plain(403, "Forbidden");
      case 503:
        if (!(error instanceof ChangedError)) this.#options.onShortage?.(error);
        return this.#responses.plain(503, "Service Unavailable", ["Retry-After", "1"]);
    }
    throw error;
  }

  /** The page of the single-page application. */
  async #spa(request: LightRequest): Promise<LightResponse> {
    try {
      const page = await this.#page(SPA_KEY, INDEX);
      if (page !== undefined) return await this.#spaResponses.response(page, request);
    } catch (error) {
      this.#cache.delete(SPA_KEY);
      if (statusOfError(error) !== 404) return this.#failed(error, request);
    }
    return this.#notFound(request);
  }

  async #notFound(request: LightRequest): Promise<LightResponse> {
    const responses = this.#options.spa === true ? this.#spaResponses : this.#responses;
    try {
      const page = await this.#page(NOT_FOUND_KEY, "404.html");
      if (page !== undefined) return await responses.page(404, page, request);
    } catch {
      // It cannot be had: the client gets the response without it.
      this.#cache.delete(NOT_FOUND_KEY);
    }
    // As it came: all of it is visible ASCII, and a query may be long.
    return responses.plain(404, `Not Found: ${request.target.replace(/[?#].*$/, "")}`);
  }

  /** A file of the root that is a page, if it is there. */
  async #page(key: string, name: string): Promise<Resource | undefined> {
    const kept = await this.#kept(key);
    if (kept !== undefined) return kept;
    const file = join(this.#root, name);
    const located = await locate(this.#root, file);
    return located.state.kind === "file" ? await this.#keep(key, file, located, true) : undefined;
  }
}

/** Whether it looks as if a browser wanted a page, and not something for it. */
function isNavigation({ names, slash }: TargetPath, request: LightRequest): boolean {
  const accept = request.header("Accept");
  if (accept !== undefined && /\btext\/html\b/i.test(accept)) return true;
  const hasExtension = !slash && /.\.[^.]+$/.test(names.at(-1) ?? "");
  return !hasExtension && (accept === undefined || accept.includes("*/*"));
}
