/**
 * Requests that are understood, and refused.
 *
 * @module
 */

import { forbiddenBy } from "../base/permission.ts";
import type { LightResponse } from "../http/server/light.ts";

/** Why a request is not done. The message goes to the client: a sentence without a period. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** 400 to 599. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A response of one line of text; `headers` are further fields, names and values by turns. */
export function textResponse(
  status: number,
  message: string,
  headers: readonly string[] = [],
): LightResponse {
  return {
    status,
    headers: ["Content-Type", "text/plain;charset=utf-8", ...headers],
    body: `${message}.\n`,
  };
}

/** The responses to an upload by the errors of the file system. */
const STATUS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ENOSPC: [507, "There is no space left"],
  EDQUOT: [507, "There is no space left"],
  EFBIG: [413, "The file is too large for the file system"],
  EACCES: [403, "The server may not write there"],
  EPERM: [403, "The server may not write there"],
  EROFS: [403, "The server may not write there"],
  EMFILE: [503, "The server is out of file descriptors"],
  ENFILE: [503, "The server is out of file descriptors"],
  ELOOP: [403, "Symbolic links are not written through"],
  ENOENT: [409, "The directory was removed meanwhile"],
  ENOTDIR: [409, "The directory was removed meanwhile"],
  ENAMETOOLONG: [400, "The name is too long"],
  EINVAL: [400, "The file system does not take this name"],
};

/** The errors that Deno gives no code, by their numbers on Linux. */
const NUMBERS: Readonly<Record<string, string>> = { "27": "EFBIG", "122": "EDQUOT" };

function codeOf(error: unknown): unknown {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return code ?? NUMBERS[/\(os error (\d+)\)$/.exec(String(message))?.[1] ?? ""];
}

/** The refusal that an error of the file system comes to; undefined if it is the server's mistake. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (forbiddenBy(error) !== undefined) return new Refusal(...STATUS.EACCES);
  const code = codeOf(error);
  return typeof code === "string" && Object.hasOwn(STATUS, code)
    ? new Refusal(...STATUS[code])
    : undefined;
}
