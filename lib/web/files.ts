/**
 * Files over HTTP: a handler that answers with what is below one directory, and with nothing else.
 *
 * @module
 */

import { open, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Clock } from "../clock.ts";
import type { LightHandler, LightReply, LightRequest } from "../http/light.ts";
import { mediaTypeOf } from "./media_type.ts";
import { isHidden, parseTarget, type TargetPath } from "./path.ts";

/** A directory that has no index.html. */
export interface Directory {
  /** Its path in the file system. */
  readonly file: string;
  /** Its path in URLs, percent-encoded; starts and ends with a slash. */
  readonly path: string;
  /** The decoded names of {@linkcode path}, from the root down; none for the root itself. */
  readonly names: readonly string[];
}

/** What {@linkcode serveFiles} takes. */
export interface FileOptions {
  /**
   * Whether a page that is no file is answered by the root's index.html, whose script knows what to
   * show: that is a path whose last name has no extension, or a request that accepts text/html.
   * Default: false.
   */
  readonly spa?: boolean;
  /** Whether names that start with a dot are served; `.well-known` always is. Default: false. */
  readonly dotfiles?: boolean;
  /** The value of Cache-Control of replies with a file. Default: none. */
  readonly cacheControl?: string;
  /** Fields of every reply, names and values by turns. Default: none. */
  readonly headers?: readonly string[];
  /**
   * Whether text is compressed for clients that accept it. Siblings that are compressed already are
   * served either way. Default: true.
   */
  readonly compress?: boolean;
  /** Answers for a directory without index.html. Default: 404. */
  readonly listing?: (
    directory: Directory,
    request: LightRequest,
  ) => LightReply | Promise<LightReply>;
  /** What time it is. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Answers GET and HEAD with the files below `root`.
 */
export function serveFiles(root: string, options: FileOptions = {}): LightHandler {
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return { status: 405, headers: ["Allow", "GET, HEAD, OPTIONS"] };
    }
    const target = parseTarget(request.target);
    if (typeof target === "number") return { status: target, body: "Not Found\n" };
    try {
      return await answer(root, target, request, options);
    } catch {
      return { status: 404, body: "Not Found\n" };
    }
  };
}

async function answer(
  root: string,
  target: TargetPath,
  request: LightRequest,
  options: FileOptions,
): Promise<LightReply> {
  if (options.dotfiles !== true && target.names.some(isHidden)) throw new Error("hidden");
  let file = join(root, ...target.names);
  const inside = (await realpath(file) + sep).startsWith(await realpath(root) + sep);
  if (!inside) throw new Error("outside");
  if ((await stat(file)).isDirectory()) {
    if (!target.slash) {
      return { status: 301, headers: ["Location", `${target.path}/${target.query}`] };
    }
    const index = await stat(join(file, "index.html")).then((s) => s.isFile(), () => false);
    if (!index) {
      if (options.listing === undefined) throw new Error("no index");
      return options.listing({ file, path: target.path, names: target.names }, request);
    }
    file = join(file, "index.html");
  } else if (target.slash) throw new Error("no directory");
  const handle = await open(file);
  try {
    const body = await handle.readFile();
    const headers = ["Content-Type", mediaTypeOf(file), ...options.headers ?? []];
    return { status: 200, headers, body };
  } finally {
    await handle.close();
  }
}
