/**
 * From a request-target to the names of a file below the root, and back. No file system in it: what
 * comes out is safe to join to the root, since no name of it can lead out or be taken for two.
 *
 * @module
 */

import { Buffer, isUtf8 } from "node:buffer";
import { sep } from "node:path";
import { isTemporary } from "./temporary_file.ts";

/** The path of a request-target. */
export interface TargetPath {
  /** The decoded names, from the root down; none is empty, `.` or `..`, or has a `/` in it. */
  readonly names: readonly string[];
  /** Whether it ends with a slash, and so means a directory. */
  readonly slash: boolean;
  /** The same path in its one normal spelling, percent-encoded; starts with exactly one slash. */
  readonly path: string;
  /** `?` and the query as received, or "". */
  readonly query: string;
}

/**
 * Takes a request-target apart: decodes it once, merges slashes, and leaves query and fragment out.
 * Of an absolute target the path counts.
 *
 * Returns a status instead for a target that is not valid, or that no file can have. 400 is for `.`
 * and `..` however encoded, NUL, a `%` without two digits, and `*`: no client that keeps RFC 3986
 * sends them. 404 is for an encoded slash, a backslash on Windows, and bytes that are not UTF-8,
 * since file systems are asked for text.
 */
export function parseTarget(target: string): TargetPath | 400 | 404 {
  const { raw, query } = splitTarget(target);
  if (raw === undefined) return 400;
  const names: string[] = [];
  let status: 200 | 404 = 200;
  let path = "";
  for (const segment of raw.split("/")) {
    if (segment === "") continue;
    const name = decodeSegment(segment);
    // A 400 further on outdoes a 404.
    if (name === 400) return 400;
    if (name === 404) status = 404;
    else {
      names.push(name);
      path += `/${encodeName(name)}`;
    }
  }
  if (status === 404) return 404;
  const slash = raw.endsWith("/");
  return { names, slash, path: slash ? `${path}/` : path, query };
}

/** The path, if there is one, and the query. RFC 9112 section 3.2. */
function splitTarget(target: string): { raw: string | undefined; query: string } {
  const hash = target.indexOf("#");
  if (hash !== -1) target = target.slice(0, hash);
  const mark = target.indexOf("?");
  const query = mark === -1 ? "" : target.slice(mark);
  let raw: string | undefined = mark === -1 ? target : target.slice(0, mark);
  if (!raw.startsWith("/")) {
    const absolute = /^https?:\/\/[^/]+(\/.*)?$/i.exec(raw);
    raw = absolute === null ? undefined : absolute[1] ?? "/";
  }
  return { raw, query };
}

/** The name that a segment of a path encodes, or the status it deserves. */
function decodeSegment(segment: string): string | 400 | 404 {
  const name = percentDecode(segment);
  if (typeof name === "number") return name;
  if (name === "." || name === ".." || name.includes("\0")) return 400;
  return name.includes("/") || name.includes(sep) ? 404 : name;
}

function percentDecode(text: string): string | 400 | 404 {
  if (!text.includes("%")) return text;
  if (/%(?![0-9a-f]{2})/i.test(text)) return 400;
  const bytes = Buffer.from(
    text.replace(/%(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
    "latin1",
  );
  return isUtf8(bytes) ? bytes.toString() : 404;
}

/** Characters that RFC 3986 section 3.3 allows in a segment and encodeURIComponent() escapes. */
const ALLOWED = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;

/**
 * Percent-encodes a name as one segment of a path, in the spelling of {@linkcode TargetPath.path}.
 * Text that is not well-formed Unicode (a lone surrogate) is encoded as U+FFFD.
 */
export function encodeName(name: string): string {
  return encodeURIComponent(name.replace(LONE_SURROGATE, "\ufffd"))
    .replace(ALLOWED, (code) => decodeURIComponent(code));
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

/**
 * Whether a name is hidden: it starts with a dot, and is not `.well-known` (RFC 8615).
 */
export function isHidden(name: string): boolean {
  return name.startsWith(".") && name !== ".well-known";
}

/** Whether a name is served and listed: hidden ones with `dotfiles`, and no upload that is not whole. */
export function isServed(name: string, dotfiles: boolean): boolean {
  return dotfiles ? !isTemporary(name) : !isHidden(name);
}
