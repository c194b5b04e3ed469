/**
 * Files received over HTTP: PUT makes or replaces the file that it names, POST of a form adds files
 * to a directory. A file appears when it is whole, and never in part.
 *
 * @module
 */

import { lstat, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { readBorrowed } from "../borrowed.ts";
import type { LightHandler, LightReply, LightRequest } from "../http/light.ts";
import { isCrossOrigin } from "./cors.ts";
import { locate, statusOfError } from "./disk.ts";
import { readForm } from "./form.ts";
import { encodeName, isHidden, parseTarget, type TargetPath } from "./path.ts";
import { Refusal, refusalOf, textReply } from "./refusal.ts";
import { removeStale, TemporaryFile } from "./temporary.ts";

/** A file that has come and waits to be given its name. */
interface Received {
  readonly path: string;
  readonly file: TemporaryFile;
}

/** What {@linkcode receiveUploads} takes. */
export interface UploadOptions {
  /** Fields of every reply, names and values by turns. */
  readonly headers: readonly string[];
  /** The status that a HEAD request would be answered with. */
  readonly statusOf: (request: LightRequest) => Promise<number>;
  /** Is told when files were added or replaced. */
  readonly onChange?: () => void;
}

/**
 * Makes a handler of PUT and POST requests that puts files below `root`. Directories are not made,
 * names with a dot at the start not taken, and symbolic links not written through.
 *
 * PUT answers 201 for a new file and 204 for a replaced one; POST answers 303 to the directory, and
 * 409, adding nothing, if one of the files is there already. How large a file may be is the limit of
 * a body, `limits.body` of the server.
 */
export function receiveUploads(root: string, options: UploadOptions): LightHandler {
  const uploads = new Uploads(root, options);
  return async (request) => {
    try {
      return await uploads.answer(request);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return textReply(refusal.status, refusal.message, options.headers);
    }
  };
}

class Uploads {
  readonly #root: string;
  readonly #options: UploadOptions;
  /** The directories that were cleared of what is stale. */
  readonly #cleared = new Set<string>();

  constructor(root: string, options: UploadOptions) {
    this.#root = root;
    this.#options = options;
  }

  answer(request: LightRequest): Promise<LightReply> {
    if (isCrossOrigin(request)) throw new Refusal(403, "Pages of other sites may not upload");
    const target = parseTarget(request.target);
    if (typeof target === "number") throw new Refusal(target, "No file can have this name");
    if (target.names.some(isHidden)) throw hidden();
    return request.method === "PUT" ? this.#put(request, target) : this.#post(request, target);
  }

  async #put(request: LightRequest, { names, slash }: TargetPath): Promise<LightReply> {
    const encoding = request.header("content-encoding");
    if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
      throw new Refusal(415, "A file is uploaded as it is, without Content-Encoding");
    }
    // RFC 9110 section 14.5.
    if (request.header("content-range") !== undefined) {
      throw new Refusal(400, "A file is uploaded whole, without Content-Range");
    }
    if (slash || names.length === 0) throw new Refusal(409, "A directory cannot be uploaded");
    const directory = await this.#directory(names.slice(0, -1), 409);
    const path = join(directory, names.at(-1)!);
    const exists = await isReplaceable(path);
    await this.#checkConditions(request, exists);

    await using file = await TemporaryFile.create(directory);
    for (let bytes; (bytes = await readBorrowed(request)) !== null;) await file.write(bytes);
    await file.end();
    // Somebody else may have been faster.
    await this.#checkConditions(request, await isReplaceable(path));
    if (request.header("if-none-match") === "*") await addAll([{ path, file }], 412);
    else await file.keepAs(path);
    this.#options.onChange?.();
    return { status: exists ? 204 : 201, headers: this.#options.headers };
  }

  async #post(request: LightRequest, { names, path }: TargetPath): Promise<LightReply> {
    const directory = await this.#directory(names, 404);
    const received: Received[] = [];
    try {
      await readForm(request, async (name, content) => {
        const path = join(directory, checked(name));
        if (await isReplaceable(path)) throw new Refusal(409, `There is a ${name} already`);
        const file = await TemporaryFile.create(directory);
        received.push({ path, file });
        for await (const bytes of content) await file.write(bytes);
        await file.end();
      });
      if (received.length === 0) throw new Refusal(400, "There is no file in the form");
      await addAll(received, 409);
      this.#options.onChange?.();
    } finally {
      for (const { file } of received) await file[Symbol.asyncDispose]();
    }
    const location = path.endsWith("/") ? path : `${path}/`;
    return textReply(303, "Uploaded", ["Location", location, ...this.#options.headers]);
  }

  /** RFC 9110 section 13.2: whoever replaces a file may say which one he has seen. */
  async #checkConditions(request: LightRequest, exists: boolean): Promise<void> {
    const fields = ["if-match", "if-none-match", "if-unmodified-since"];
    if (!fields.some((name) => request.header(name) !== undefined)) return;
    const status = exists ? await this.#options.statusOf(headOf(request)) : 404;
    const onlyExisting = request.header("if-match") !== undefined;
    if (status === 404 ? onlyExisting : status === 304 || status === 412) {
      throw new Refusal(412, exists ? "The file is another one" : "The file does not exist");
    }
  }

  /** Where a directory really is; `missing` is the status if there is none that is served. */
  async #directory(names: readonly string[], missing: number): Promise<string> {
    const { real, stats } = await locate(this.#root, join(this.#root, ...names)).catch((error) => {
      if (statusOfError(error) !== 404) throw error;
      throw new Refusal(missing, "There is no such directory");
    });
    if (!stats.isDirectory()) throw new Refusal(409, "It is no directory");
    if (!this.#cleared.has(real)) {
      this.#cleared.add(real);
      await removeStale(real);
    }
    return real;
  }
}

/** The same request as HEAD, without what says nothing about writing. */
function headOf(request: LightRequest): LightRequest {
  const { target, minor, scheme, host, localAddr, remoteAddr, signal } = request;
  const headers = request.headers.filter((_, i, all) => {
    return all[i - i % 2].toLowerCase() !== "if-modified-since";
  });
  const header = (name: string) => request.header(name);
  return {
    method: "HEAD",
    target,
    minor,
    scheme,
    host,
    headers,
    localAddr,
    remoteAddr,
    signal,
    header,
    read: () => Promise.resolve(null),
  };
}

function hidden(): Refusal {
  return new Refusal(403, "Names that start with a dot are not taken");
}

/** The name of a file in a form, if it is one that can be asked for. */
function checked(name: string): string {
  if (isHidden(name)) throw hidden();
  const target = parseTarget(`/${encodeName(name)}`);
  if (typeof target === "number" || target.names[0] !== name) {
    throw new Refusal(400, "No file can have this name");
  }
  return name;
}

/** Whether there is a file, false if there is nothing; rejects if it is not to be replaced. */
async function isReplaceable(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) throw new Refusal(403, "Symbolic links are not written through");
    if (!stats.isFile()) {
      throw new Refusal(
        409,
        "There is a directory of this name, or something else that is no file",
      );
    }
    // Renaming asks for the right to write to the directory only.
    await (await open(path, "r+")).close();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
}

/** Gives files their names, all of them or, if one name is taken, none: a refusal of that status. */
async function addAll(received: readonly Received[], taken: number): Promise<void> {
  const reserved: string[] = [];
  try {
    for (const { path } of received) {
      // Only this fails if there is a file, however late it came.
      await (await open(path, "wx")).close();
      reserved.push(path);
    }
    for (const { path, file } of received) await file.keepAs(path);
  } catch (error) {
    for (const path of reserved) await rm(path, { force: true });
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    throw new Refusal(taken, "There is a file of this name already");
  }
}
