/**
 * Files as they are found and opened: nothing outside the root, nothing but regular files, and
 * nothing that has become another file since it was looked at.
 *
 * On Linux, a path is opened without being touched (O_PATH) to be looked at, and once more to be read,
 * and what is open has to be inside the root both times. That holds against links of every kind, and
 * against swapping them.
 *
 * Elsewhere, and where the runtime's permissions are few, a path is resolved, what it resolves to is opened
 * without following a link, and its path must still be free of links once it is open. That holds
 * against every link there is. Against somebody who swaps directories for links to and fro in between
 * these steps it makes it hard, not impossible.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { forbiddenBy } from "../base/permission.ts";
import { type FileState, hasGrown, isSame, stateAfter, stateOf } from "./file_state.ts";
import { isInside, knowsOpenPaths, O_PATH, pathOf, realPathOf } from "./real_paths.ts";

/** A path below the root, resolved. */
export interface Located {
  /** The path of the root with no link in it. */
  readonly root: string;
  /** The path with no link in it. */
  readonly real: string;
  /** The state of the file that is there. */
  readonly state: FileState;
}

/** A file is not what it was when it was looked at: look again. */
export class ChangedError extends Error {
  /** `real` is the path of the file. */
  constructor(real: string) {
    super(`${real} was changed while it was read`);
    this.name = "ChangedError";
  }
}

/** A file is larger than can be served. */
export class TooLargeError extends Error {
  readonly code: string = "EFBIG";

  /** `real` is the path of the file. */
  constructor(real: string, most: string) {
    super(`Cannot serve ${real}: it is larger than ${most}`);
    this.name = "TooLargeError";
  }
}

/** Something is there, but it is not for clients. */
export class NotServedError extends Error {
  /** For clients it is as if it were not there. */
  readonly code: string = "ENOENT";
}

/**
 * Resolves `path` and looks at what is there: a regular file or a directory inside `root`. The root
 * may be a link, and lead elsewhere tomorrow. Rejects as `fs` does, ENOENT too for what is outside
 * and for special files, which are never opened: opening a FIFO would wait, and a device may act.
 */
export async function locate(root: string, path: string): Promise<Located> {
  return await locateBelow(await realPathOf(root), path);
}

/** The same, for a root whose path has no link in it. */
export async function locateBelow(root: string, path: string): Promise<Located> {
  const { real, state } = await look(path);
  if (!isInside(root, real)) throw new NotServedError(`${path} leads out of ${root}`);
  if (state.kind === "other") throw new NotServedError(`${path} is not a file`);
  return { root, real, state };
}

/** Finds the real path of a path, and the state of the file there. */
async function look(path: string): Promise<{ real: string; state: FileState }> {
  if (!knowsOpenPaths()) {
    const real = await realPathOf(path);
    return { real, state: stateOf(await stat(real)) };
  }
  const handle = await open(path, O_PATH);
  try {
    return { real: pathOf(handle), state: stateOf(await handle.stat()) };
  } finally {
    await handle.close();
  }
}

/** Whether what was opened by the path that was located is inside the root. */
async function isServed(handle: FileHandle, { root, real }: Located): Promise<boolean> {
  return knowsOpenPaths() ? isInside(root, pathOf(handle)) : await realPathOf(real) === real;
}

/** Flags with which a FIFO in the place of the file does not hold the open up. Windows has none. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * Opens a file that was located, if it still is that file; the caller closes it. It may have grown
 * since, if that is said: then there is more after what was located. Rejects as `fs` does, and with a
 * {@linkcode ChangedError}.
 */
export async function openLocated(located: Located, mayHaveGrown = false): Promise<FileHandle> {
  const { real, state } = located;
  const handle = await open(real, FLAGS);
  try {
    const now = await stateAfter(state, handle);
    const isIt = isSame(state, now) || mayHaveGrown && hasGrown(state, now);
    if (!isIt || !await isServed(handle, located)) throw new ChangedError(real);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** More than this is not read of a file whose size says nothing. */
const MOST_UNSIZED = 1024 * 1024;

/**
 * The content of a located file, whole. It has another length than the state says if the file system
 * does not tell sizes, as those of the kernel do not: /proc has 0 for all, /sys has 4096.
 *
 * Of a file that has grown since it was located that much is read as it had then, if that
 * `mayHaveGrown`. Rejects as {@linkcode openLocated} does, and with EFBIG if more than 1 MiB is
 * there for no size.
 */
export async function readLocated(
  located: Located,
  mayHaveGrown = false,
): Promise<Uint8Array> {
  const { real, state } = located;
  const handle = await openLocated(located, mayHaveGrown);
  try {
    // A byte more, to see that there is none.
    const buffer = Buffer.allocUnsafeSlow(state.size + 1);
    const n = await readFully(handle, buffer, 0);
    const now = await stateAfter(state, handle);
    if (isSame(state, now)) {
      return n <= state.size ? buffer.subarray(0, n) : await readUnsized(handle, real);
    }
    if (!mayHaveGrown || !hasGrown(state, now) || n < state.size) throw new ChangedError(real);
    return buffer.subarray(0, state.size);
  } finally {
    await handle.close();
  }
}

async function readUnsized(handle: FileHandle, real: string): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(MOST_UNSIZED + 1);
  const n = await readFully(handle, buffer, 0);
  if (n > MOST_UNSIZED) throw new TooLargeError(real, "1 MiB, the most of a file that has no size");
  return Buffer.from(buffer.subarray(0, n));
}

/** Fills `p` from `position` of the file on; returns how many bytes there were. */
export async function readFully(
  handle: FileHandle,
  p: Uint8Array,
  position: number,
): Promise<number> {
  let n = 0;
  while (n < p.length) {
    const { bytesRead } = await handle.read(p, n, p.length - n, position + n);
    if (bytesRead === 0) break;
    n += bytesRead;
  }
  return n;
}

/**
 * Rejects as {@linkcode openLocated} does, unless it has grown. Not by access(2): Deno asks for the
 * permission to know the user for that, and ends the process if it has not got it.
 */
export async function checkReadable(located: Located): Promise<void> {
  await (await openLocated(located, true)).close();
}

const STATUS_OF_CODE: Readonly<Record<string, 403 | 404 | 503>> = {
  ENOENT: 404,
  ENOTDIR: 404,
  ENAMETOOLONG: 404,
  ELOOP: 404,
  ENXIO: 404,
  EACCES: 403,
  EPERM: 403,
  EMFILE: 503,
  ENFILE: 503,
  ENOMEM: 503,
  EAGAIN: 503,
  EBUSY: 503,
};

/**
 * Returns the status of the response that `fileHandler()` and `siteHandler()` make of an error of the
 * file system, such as 404 for ENOENT. An error that should not happen has 500. A server's `onError`
 * gets errors of files that were removed or changed while they were sent, too: this tells them apart.
 */
export function statusOfError(error: unknown): 403 | 404 | 503 | 500 {
  if (error instanceof ChangedError) return 503;
  if (forbiddenBy(error) !== undefined) return 403;
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && Object.hasOwn(STATUS_OF_CODE, code)
    ? STATUS_OF_CODE[code]
    : 500;
}
