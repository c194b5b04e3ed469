/**
 * Files as they are found and opened: nothing outside the root, nothing but regular files, and
 * nothing that has become another file since it was looked at.
 *
 * Where a link leads is only known afterwards: there is no way, here, to open a path beneath a
 * directory (openat2(2)). So a path is resolved first, links and all, and has to be inside the root;
 * what it resolves to is opened without following a link, must be the very file that was looked at,
 * and its path must still be free of links once it is open. That holds against every link there is.
 * Against somebody who can write below the root and swaps directories for links to and fro in
 * between these steps it makes it hard, not impossible.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { sep } from "node:path";

/** A path below the root, resolved. */
export interface Located {
  /** The path with no link in it. */
  readonly real: string;
  /** What is there. */
  readonly stats: BigIntStats;
}

/** A file is not what it was when it was looked at: look again. */
export class ChangedError extends Error {
  /** `real` is the path of the file. */
  constructor(real: string) {
    super(`${real} was changed while it was read`);
    this.name = "ChangedError";
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
  const [realRoot, real] = await Promise.all([realpath(root), realpath(path)]);
  const inside = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
  if (real !== realRoot && !real.startsWith(inside)) {
    throw new NotServedError(`${path} leads out of ${root}`);
  }
  const stats = await stat(real, { bigint: true });
  if (!stats.isFile() && !stats.isDirectory()) throw new NotServedError(`${path} is no file`);
  return { real, stats };
}

/** Whether both are the same file in the same state. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.mtimeNs === b.mtimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev &&
    a.ctimeNs === b.ctimeNs && a.mode === b.mode;
}

/** Not to wait for the other end, should a FIFO have taken the file's place; 0 on Windows. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * Opens a file that was located, if it still is that file; the caller closes it. Rejects as `fs`
 * does, and with a {@linkcode ChangedError}.
 */
export async function openLocated({ real, stats }: Located): Promise<FileHandle> {
  const handle = await open(real, FLAGS);
  try {
    if (!isSame(stats, await handle.stat({ bigint: true })) || await realpath(real) !== real) {
      throw new ChangedError(real);
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The content of a located file, whole. Rejects as {@linkcode openLocated} does. */
export async function readLocated(located: Located): Promise<Uint8Array> {
  const handle = await openLocated(located);
  try {
    const size = Number(located.stats.size);
    // A byte more, to see that there is none.
    const buffer = Buffer.allocUnsafeSlow(size + 1);
    const n = await readFully(handle, buffer, 0);
    if (n !== size || !isSame(located.stats, await handle.stat({ bigint: true }))) {
      throw new ChangedError(located.real);
    }
    return buffer.subarray(0, size);
  } finally {
    await handle.close();
  }
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
 * Rejects as {@linkcode openLocated} does. Not by access(2): Deno asks for the permission to know the
 * user for that, and ends the process if it has not got it.
 */
export async function checkReadable(located: Located): Promise<void> {
  await (await openLocated(located)).close();
}

const STATUS_OF_CODE: Readonly<Record<string, 403 | 404 | 503>> = {
  ENOENT: 404,
  ENOTDIR: 404,
  ENAMETOOLONG: 404,
  ELOOP: 404,
  ENXIO: 404,
  EACCES: 403,
  EPERM: 403,
  ENOTCAPABLE: 403,
  EMFILE: 503,
  ENFILE: 503,
  ENOMEM: 503,
  EAGAIN: 503,
  EBUSY: 503,
};

/** The status that an error of the file system becomes; 500 for those that should not be. */
export function statusOfError(error: unknown): 403 | 404 | 503 | 500 {
  if (error instanceof ChangedError) return 503;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && Object.hasOwn(STATUS_OF_CODE, code)
    ? STATUS_OF_CODE[code]
    : 500;
}
