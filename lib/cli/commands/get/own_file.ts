/**
 * Files of one's own in folders that others may write to, too: they are made exclusively, never
 * through a link, and taken up again only if they are what an earlier run has made.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { nodeCrypto } from "../../../base/builtins.deno.ts";
import { CliError, EXIT } from "../../io/exit.ts";

const { O_APPEND, O_CREAT, O_EXCL, O_RDWR } = constants;
// Windows has neither, and no links that everybody can make.
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** Makes a file to append to and to read. Rejects with EEXIST if there is anything of that name. */
export function createOwn(path: string, mode?: number): Promise<FileHandle> {
  return open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL, mode);
}

/**
 * Opens an existing file to append to it and to read it; undefined if there is no file. Rejects with a
 * {@linkcode CliError} unless it is a regular file of one's own that has no other name.
 */
export async function openOwn(path: string): Promise<FileHandle | undefined> {
  const found = await statsOf(path);
  if (found === undefined) return undefined;
  const why = await whyForeign(path, found);
  if (why !== undefined) throw foreign(path, why);
  const handle = await open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  const opened = await handle.stat();
  if (opened.dev === found.dev && opened.ino === found.ino) return handle;
  await handle.close();
  throw foreign(path, "it is another file by now");
}

/** Returns the stats of a path, without following links. Undefined if nothing is there. */
export async function statsOf(path: string): Promise<Stats | undefined> {
  return await lstat(path).catch(missing);
}

/** Nothing, for the error of a file that is not there; throws any other. */
export function missing(error: Error & { code?: string }): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** Rejects with a {@linkcode CliError} if `path` is a link that somebody else has made, but root. */
export async function refuseForeignLink(path: string): Promise<void> {
  const found = await statsOf(path);
  if (!found?.isSymbolicLink() || found.uid === 0 || await isOwn(path, found)) return;
  throw foreign(path, "it is a link that somebody else has made");
}

async function whyForeign(path: string, found: Stats): Promise<string | undefined> {
  if (found.isSymbolicLink()) return "it is a link";
  if (!found.isFile()) return "it is not a regular file";
  if (found.nlink > 1) return "it has another name as well";
  return await isOwn(path, found) ? undefined : "it belongs to somebody else";
}

async function isOwn(path: string, { uid }: Stats): Promise<boolean> {
  return uid === await ownUid(dirname(path));
}

/**
 * The owner of a new file in a folder. The process's own user need not be who the file system says
 * it is, and Deno needs a permission of its own for it. It is asked where no file can be made,
 * as in /dev/fd.
 */
async function ownUid(folder: string): Promise<number | undefined> {
  const probe = join(folder, `.plainsocket-${nodeCrypto().randomBytes(12).toString("hex")}`);
  const handle = await createOwn(probe).catch(() => undefined);
  if (handle === undefined) return processUid();
  try {
    return (await handle.stat()).uid;
  } finally {
    await handle.close();
    await rm(probe, { force: true });
  }
}

function processUid(): number | undefined {
  try {
    return process.geteuid?.();
  } catch {
    return undefined;
  }
}

function foreign(path: string, why: string): CliError {
  const next = "Remove it, or choose another FILE.";
  return new CliError(EXIT.writeFailed, `Cannot write ${path}: ${why}. ${next}`);
}

/** The longest name that file systems take, in bytes. */
const MOST_NAME = 255;

/** The longest suffix of the name of a part: `.json`, or `.9999`. */
const SUFFIX = ".part.json".length;

/** As much of a hash is enough to tell files apart. */
const HASH = 16;

/**
 * The path of the part of a file, with room after it for what is appended. A name that leaves none
 * gives way to its beginning and its hash.
 */
export function partOf(file: string): string {
  const name = Buffer.from(basename(file));
  if (name.length + SUFFIX <= MOST_NAME) return `${file}.part`;
  const hash = nodeCrypto().createHash("sha256").update(name).digest("hex").slice(0, HASH);
  const room = MOST_NAME - SUFFIX - HASH - 1;
  // A character that is cut in two is left out.
  const start = new TextDecoder().decode(name.subarray(0, room), { stream: true });
  return join(dirname(file), `${start}~${hash}.part`);
}
