/**
 * Files received over HTTP: PUT makes or replaces the file that it names, POST of a form adds files
 * to a directory. A file appears when it is whole, and never in part.
 *
 * @module
 */

import { join } from "node:path";
import { borrowedFrom } from "../base/borrowed.ts";
import { HttpError } from "../http/message/errors.ts";
import type { LightHandler, LightRequest, LightResponse } from "../http/server/light.ts";
import { isCrossOrigin } from "./cors.ts";
import { ChangedError, locate, statusOfError } from "./located_file.ts";
import { readForm } from "./form.ts";
import { OpenDirectory } from "./open_directory.ts";
import {
  addNew,
  checked,
  dotted,
  isDotted,
  modeOf,
  replaceable,
  taken,
  visible,
  withoutFolders,
} from "./new_file.ts";
import { encodeName, parseTarget, type TargetPath } from "./path.ts";
import { Refusal, refusalOf, textResponse } from "./refusal.ts";
import { removeStale, TemporaryFile } from "./temporary_file.ts";

/** A file of a form, and what has become of it. */
interface Received {
  /** Its name in the form. */
  readonly sent: string;
  /** The name that it is stored under. */
  readonly name: string;
  /** The received file, which waits to get its name. */
  readonly file?: TemporaryFile;
  /** Why it is not stored. */
  readonly refusal?: Refusal;
}

/** Options of {@linkcode receiveUploads}. */
export interface UploadOptions {
  /** Fields of every response, names and values by turns. */
  readonly headers: readonly string[];
  /** The status that a HEAD request would be answered with. */
  readonly statusOf: (request: LightRequest) => Promise<number>;
}

/**
 * Makes a handler of PUT and POST requests that puts files below `root`. Directories are not made,
 * names with a dot at the start not taken, and symbolic links not written through.
 *
 * PUT answers 201 for a new file and 204 for a replaced one, whose permissions it keeps. POST stores
 * the files of a form once all of it has come, without the folders that may stand before their names;
 * the response names those that had any. It answers 303 to the directory if all are stored; if some
 * cannot be, as there is a file of that name, the others are, and the response says which: 409, or the
 * status that all of those have in common. How large a request may be is the limit of a body,
 * `limits.maxSize` of the server.
 */
export function receiveUploads(root: string, options: UploadOptions): LightHandler {
  const uploads = new Uploads(root, options);
  return async (request) => {
    try {
      return await uploads.answer(request);
    } catch (error) {
      const refusal = uploadRefusalOf(error);
      if (refusal === undefined) throw error;
      return textResponse(refusal.status, refusal.message, options.headers);
    }
  };
}

/**
 * Returns the refusal for an error. Errors of the request itself go to the server, except its size.
 */
function uploadRefusalOf(error: unknown): Refusal | undefined {
  const tooLarge = error instanceof HttpError && error.code === "BODY_TOO_LARGE";
  return tooLarge
    ? new Refusal(413, "This is more than may be uploaded at once")
    : refusalOf(error);
}

function crossOrigin(request: LightRequest): Refusal {
  const why = "Pages of other sites may not upload";
  if (request.header("sec-fetch-site") !== undefined) return new Refusal(403, why);
  // Without TLS browsers say no more than Origin.
  return new Refusal(403, `${why}. If this is no other site, a proxy has to pass Host on`);
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

  answer(request: LightRequest): Promise<LightResponse> {
    if (isCrossOrigin(request)) throw crossOrigin(request);
    const target = parseTarget(request.target);
    if (typeof target === "number") throw new Refusal(target, "No file can have this name");
    if (target.names.some(isDotted)) throw dotted();
    return request.method === "PUT" ? this.#put(request, target) : this.#post(request, target);
  }

  async #put(request: LightRequest, { names, slash }: TargetPath): Promise<LightResponse> {
    const encoding = request.header("content-encoding");
    if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
      throw new Refusal(415, "A file is uploaded as it is, without Content-Encoding");
    }
    // RFC 9110 section 14.5.
    if (request.header("content-range") !== undefined) {
      throw new Refusal(400, "A file is uploaded whole, without Content-Range");
    }
    if (slash || names.length === 0) throw new Refusal(409, "A directory cannot be uploaded");
    await using directory = await this.#directory(names.slice(0, -1), 409);
    const path = join(directory.path, checked(names.at(-1)!));
    const seen = await replaceable(path);
    await this.#checkConditions(request, seen !== undefined);

    await using file = await TemporaryFile.create(directory.path, modeOf(seen));
    for await (const bytes of borrowedFrom(request.body)) await file.write(bytes);
    // Somebody else may have been faster.
    const replaced = await replaceable(path);
    if (replaced !== undefined) await file.setMode(modeOf(replaced)!);
    await file.end();
    await this.#checkConditions(request, replaced !== undefined);
    if (request.header("if-none-match") === "*") await addNew(path, file, 412);
    else await file.keepAs(path);
    return { status: replaced === undefined ? 201 : 204, headers: this.#options.headers };
  }

  async #post(request: LightRequest, { names, slash }: TargetPath): Promise<LightResponse> {
    await using directory = await this.#directory(names, 404);
    const all: Received[] = [];
    const stored: Received[] = [];
    try {
      await readForm(request, async (sent, content) => {
        all.push(await receive(directory.path, sent, content));
      });
      if (all.length === 0) throw new Refusal(400, "There is no file in the form");
      // Nothing appears before all has come: who sends the form again finds no half of it.
      const refused: Refused[] = [];
      for (const { sent, name, file, refusal } of all) {
        const why = refusal ?? await refusalOfAdding(join(directory.path, name), file!);
        if (why === undefined) stored.push({ sent, name });
        else refused.push({ sent, why });
      }
      if (refused.length > 0) return this.#partly(stored, refused);
    } finally {
      for (const { file } of all) await file?.[Symbol.asyncDispose]();
    }
    // Relative: a proxy may have the site below a path of its own.
    const location = slash || names.length === 0 ? "./" : `./${encodeName(names.at(-1)!)}/`;
    const renamed = stored.filter(({ sent, name }) => sent !== name);
    const text = ["Uploaded", ...renamed.map(lineOf)].join(".\n");
    return textResponse(303, text, ["Location", location, ...this.#options.headers]);
  }

  /** The response to a form of which not all is stored: a line for each file. */
  #partly(stored: readonly Received[], refused: readonly Refused[]): LightResponse {
    const { headers } = this.#options;
    const [{ why: { status, message } }] = refused;
    if (stored.length === 0 && refused.length === 1) return textResponse(status, message, headers);
    const alike = refused.every(({ why }) => why.status === status);
    const lines = [
      stored.length === 0 ? "No file was stored" : "Not all files were stored",
      ...refused.map(({ sent, why }) => `Not stored: ${visible(sent)}: ${why.message}`),
      ...stored.map(lineOf),
    ];
    return textResponse(alike ? status : 409, lines.join(".\n"), headers);
  }

  /** RFC 9110 section 13.2: a client that replaces a file may say which one it has seen. */
  async #checkConditions(request: LightRequest, exists: boolean): Promise<void> {
    if (!CONDITIONS.some((name) => request.header(name) !== undefined)) return;
    const status = exists ? await this.#options.statusOf(headOf(request)) : 404;
    const onlyExisting = request.header("if-match") !== undefined;
    if (status === 404 ? onlyExisting : status === 304 || status === 412) {
      throw new Refusal(412, exists ? "The file is another one" : "The file does not exist");
    }
  }

  /** A directory, held open; `missing` is the status if no such directory is served. */
  async #directory(names: readonly string[], missing: number): Promise<OpenDirectory> {
    const refuse = (error: unknown) => {
      if (error instanceof ChangedError) {
        throw new Refusal(503, "The directory was replaced meanwhile");
      }
      if (statusOfError(error) !== 404) throw error;
      throw new Refusal(missing, "There is no such directory");
    };
    const located = await locate(this.#root, join(this.#root, ...names)).catch(refuse);
    if (located.state.kind !== "directory") throw new Refusal(409, "It is not a directory");
    const directory = await OpenDirectory.open(located).catch(refuse);
    if (!this.#cleared.has(located.real)) {
      this.#cleared.add(located.real);
      await removeStale(directory.path);
    }
    return directory;
  }
}

/** The conditions that say something about writing. */
const CONDITIONS: readonly string[] = ["if-match", "if-none-match", "if-unmodified-since"];

/**
 * The same request as HEAD, with its conditions only: they are about the file as it is stored, and not
 * about a part or a coding of it that the client would take in a response.
 */
function headOf(request: LightRequest): LightRequest {
  const headers = request.headers.filter((_, i, all) => {
    return CONDITIONS.includes(all[i - i % 2].toLowerCase());
  });
  return { ...request, method: "HEAD", headers, body: undefined };
}

/** A file of a form that is not stored. */
interface Refused {
  /** Its name in the form. */
  readonly sent: string;
  readonly why: Refusal;
}

/** The line of the response about a file that is stored. */
function lineOf({ sent, name }: Received): string {
  return `Stored: ${visible(sent)}${sent === name ? "" : ` as ${visible(name)}`}`;
}

/** Takes in one file of a form, or says why not. Rejects if it is the form that is not right. */
async function receive(
  directory: string,
  sent: string,
  content: AsyncIterable<Uint8Array>,
): Promise<Received> {
  const name = withoutFolders(sent);
  let file: TemporaryFile | undefined;
  try {
    if (await replaceable(join(directory, checked(name))) !== undefined) throw taken(409);
    file = await TemporaryFile.create(directory);
    for await (const bytes of content) await file.write(bytes);
    // A form has more files than there are descriptors.
    await file.end();
    return { sent, name, file };
  } catch (error) {
    await file?.[Symbol.asyncDispose]();
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { sent, name, refusal };
  }
}

async function refusalOfAdding(path: string, file: TemporaryFile): Promise<Refusal | undefined> {
  try {
    await addNew(path, file, 409);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}
