/**
 * Options of `fileHandler()` and `FileServer`.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  CLOCK,
  FIELDS,
  FLAG,
  FUNCTION,
  type Kind,
  type Kinds,
  TEXT,
  TEXT_BY_NAME,
} from "../base/arguments.ts";
import type { Clock } from "../base/clock.ts";
import type { LightRequest, LightResponse } from "../http/server/light.ts";

/** A directory that has no index.html. */
export interface Directory {
  /** Its path in the file system. */
  readonly file: string;
  /** Its path in URLs, percent-encoded; starts and ends with a slash. */
  readonly path: string;
  /** The decoded names of {@linkcode path}, from the root down; none for the root itself. */
  readonly names: readonly string[];
}

/** Options of {@linkcode fileHandler}. */
export interface FileOptions {
  /**
   * Whether the root's index.html, a single-page application, answers for pages that are not files.
   * Those are paths whose last name has no extension, and requests that accept text/html. Default:
   * false.
   */
  readonly spa?: boolean;
  /** Whether names that start with a dot are served; `.well-known` always is. Default: false. */
  readonly dotfiles?: boolean;
  /**
   * The value of Cache-Control in responses with a file. Default: `no-cache`, as in all other
   * responses: caches ask before each use whether the file has changed. If `headers` have the
   * field, theirs is sent.
   */
  readonly cacheControl?: string;
  /** Fields of every response, names and values by turns. Default: none. */
  readonly headers?: readonly string[];
  /**
   * Whether text is compressed for clients that accept it. Siblings that are compressed already are
   * served either way. Default: true.
   */
  readonly compress?: boolean;
  /**
   * Media types by extension, which replace the usual ones. The extension of a name without a dot
   * is the whole name. Text gets `charset=utf-8` unless the file says otherwise, or the type has a
   * parameter. Default: no further types.
   */
  readonly types?: Readonly<Record<string, string>>;
  /** Answers for a directory without index.html. Default: 404. */
  readonly listing?: (
    directory: Directory,
    request: LightRequest,
  ) => LightResponse | Promise<LightResponse>;
  /**
   * Called with the error when the system is out of file descriptors or memory, and the response is
   * 503.
   */
  readonly onShortage?: (error: unknown) => void;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const ROOT: Kind = {
  takes: "the path of a directory",
  is: (value) => typeof value === "string",
  instead: (value) => value instanceof URL ? "fileURLToPath(url)" : undefined,
};

/** The kinds of {@linkcode FileOptions}. */
export const FILE_OPTIONS: Kinds<FileOptions> = {
  spa: FLAG,
  dotfiles: FLAG,
  cacheControl: TEXT,
  headers: FIELDS,
  compress: FLAG,
  types: TEXT_BY_NAME,
  listing: FUNCTION,
  onShortage: FUNCTION,
  clock: CLOCK,
};

/** Throws unless `where` takes them. */
export function checkFiles(
  where: string,
  root: unknown,
  options: unknown,
  kinds: Kinds<Record<string, unknown>>,
): void {
  checkArgument(where, root, ROOT);
  checkOptions(where, options, kinds, "{ spa: true }");
}

/** Options of {@linkcode FileServer}. */
export interface FileServerOptions extends FileOptions {
  /** Whether siblings that hold a file compressed are sent in its place. Default: true. */
  readonly siblings?: boolean;
}
