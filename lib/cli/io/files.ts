/**
 * The files that the command line names: reading them, and the words for what goes wrong.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { nodeFs } from "../../base/builtins.deno.ts";
import { forbiddenBy } from "../../base/permission.ts";
import { formatSize } from "../../base/size.ts";
import { CliError, EXIT } from "./exit.ts";
import { UsageError } from "./flags.ts";

/** The most bytes of a text that an option names: a million networks, certificates or rules. */
const MAX_TEXT = 16 * 1024 * 1024;

const UNREADABLE: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOENT: "there is no such file",
};

const UNWRITABLE: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is too large",
  EEXIST: "somebody else has just made it",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in circles",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "its folder does not exist",
  ENOSPC: "there is no space left on the device",
  ERR_FS_EISDIR: "it is a folder",
  ENOTDIR: "its folder is a file",
  ENXIO: "it is a socket, or a pipe that nobody reads yet",
  EPERM: "permission denied",
  EPIPE: "nobody reads it any more",
  EROFS: "the file system is read-only",
};

/** Why `path` cannot be read, for people. */
export function whyUnreadable(path: string, error: unknown): string {
  const forbidden = whyForbidden("read", path, error);
  if (forbidden !== undefined) return forbidden;
  const { code = "", message } = error as Error & { code?: string };
  return Object.hasOwn(UNREADABLE, code) ? UNREADABLE[code] : message;
}

/**
 * The error of a write to `path`, which messages call `name`. Default: by its path. `option` is what
 * another one is named with. Default: `-o FILE`.
 */
export function writeError(
  path: string,
  cause: unknown,
  { name = path, option = "-o FILE" }: { readonly name?: string; readonly option?: string } = {},
): CliError {
  if (cause instanceof CliError) return cause;
  const tooLong = (cause as { code?: string }).code === "ENAMETOOLONG";
  const next = tooLong ? ` Choose a shorter one with ${option}.` : "";
  const message = `Cannot write ${name}: ${whyUnwritable(path, cause)}.${next}`;
  return new CliError(EXIT.writeFailed, message, { cause });
}

function whyUnwritable(path: string, error: unknown): string {
  const forbidden = whyForbidden("write", path, error);
  if (forbidden !== undefined) return forbidden;
  const { code = "", message } = error as Error & { code?: string };
  return Object.hasOwn(UNWRITABLE, code) ? `${UNWRITABLE[code]} (${code})` : message;
}

function whyForbidden(right: "read" | "write", path: string, error: unknown): string | undefined {
  const forbidden = forbiddenBy(error);
  return forbidden && `${forbidden.why}; run again with ${forbidden.fileFlag(right, path)}`;
}

/**
 * Reads a text that an option names, without the mark that some editors put before it. Throws a
 * {@linkcode UsageError}, whose message goes on after the name of the option: also for UTF-16.
 */
export function readTextFile(path: string): string {
  const data = readStart(path, MAX_TEXT + 1);
  if (data.length > MAX_TEXT) {
    throw new UsageError(`cannot read '${path}': it has more than ${formatSize(MAX_TEXT)}`);
  }
  // The mark of UTF-16, which no text in UTF-8 begins with. PowerShell's > writes it.
  if (["fffe", "feff"].includes(data.toString("hex", 0, 2))) {
    throw new UsageError(
      `cannot read '${path}': it is text in UTF-16: save it as ASCII or UTF-8`,
    );
  }
  return data.toString("utf8").replace(/^\ufeff/, "");
}

/**
 * Throws a {@linkcode UsageError}, as {@linkcode readTextFile} does, for a pipe. One that was read to its end
 * is empty, and one that nobody writes to would hold up the process.
 */
export function checkReadableAgain(path: string): void {
  if (isPipe(path)) throw new UsageError(`cannot read '${path}' again: it is a pipe`);
}

/** Whether a path leads to a pipe, which is read once only. */
export function isPipe(path: string): boolean {
  try {
    return nodeFs().statSync(path).isFIFO();
  } catch {
    // Reading it says why.
    return false;
  }
}

/** An entry of a file, and where it stands: `PATH:LINE: `. */
export interface Entry {
  readonly text: string;
  readonly where: string;
}

/** The most characters of an entry: more than a URL, a path or a network has, and no flood of the log. */
const MAX_ENTRY = 1000;

/**
 * Reads a file with one entry a line, and `#` before a comment. Throws as {@linkcode readTextFile} does,
 * also for an entry that is too long.
 */
export function readEntries(path: string): Entry[] {
  const entries = readTextFile(path).split("\n").map((line, i) => ({
    text: line.replace(/#.*/, "").trim(),
    where: `${path}:${i + 1}: `,
  }));
  const long = entries.findIndex(({ text }) => text.length > MAX_ENTRY);
  if (long !== -1) {
    const why = `line ${long + 1} has more than ${MAX_ENTRY} characters`;
    throw new UsageError(`cannot read '${path}': ${why}`);
  }
  return entries.filter(({ text }) => text !== "");
}

/** Reads at most `most` bytes of a file: a device has no end. */
function readStart(path: string, most: number): Buffer {
  const { closeSync, openSync, readSync } = nodeFs();
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const pieces: Buffer[] = [];
    for (let left = most; left > 0;) {
      const piece = Buffer.alloc(Math.min(left, 64 * 1024));
      const n = readSync(fd, piece);
      if (n === 0) break;
      pieces.push(piece.subarray(0, n));
      left -= n;
    }
    return Buffer.concat(pieces);
  } catch (error) {
    throw new UsageError(`cannot read '${path}': ${whyUnreadable(path, error)}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Reads a file that an option names, as it is. Throws as {@linkcode readTextFile} does. */
export function readFile(path: string): Buffer {
  try {
    return nodeFs().readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read '${path}': ${whyUnreadable(path, error)}`);
  }
}

/** Whether two paths name one file that is there: through links, too. `-` is stdin or stdout, no file. */
export function isSameFile(a: string, b: string): boolean {
  if (a === "-" || b === "-") return false;
  const [one, other] = [a, b].map((path) => {
    try {
      return nodeFs().statSync(path, { bigint: true });
    } catch {
      return undefined;
    }
  });
  // A device, such as /dev/null, loses nothing.
  return one !== undefined && one.isFile() && one.dev === other?.dev && one.ino === other.ino;
}
