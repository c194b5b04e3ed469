/**
 * Media types by file name.
 *
 * @module
 */

import { mimes } from "mrmime";

/** What the table of `mrmime` leaves out and a web site has. */
const MORE: Readonly<Record<string, string>> = { ico: "image/vnd.microsoft.icon" };

/** What is text though its type does not start with `text/`. */
const TEXT = /^text\/|[/+](?:json|xml|javascript|toml)$/;

/** Formats that are no text and have no compression of their own. */
const COMPRESSIBLE =
  /^application\/(?:wasm|rtf|vnd\.ms-fontobject)$|^font\/(?:ttf|otf)$|^image\/(?:bmp|vnd\.microsoft\.icon)$/;

/** The value of Content-Type for a file of this name; text is taken to be UTF-8. */
export function mediaTypeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = dot === -1 ? "" : name.slice(dot + 1).toLowerCase();
  const type = (Object.hasOwn(MORE, extension) ? MORE[extension] : undefined) ??
    (Object.hasOwn(mimes, extension) ? mimes[extension] : undefined);
  if (type === undefined) return "application/octet-stream";
  return TEXT.test(type) ? `${type};charset=utf-8` : type;
}

/** Whether content of a type that {@linkcode mediaTypeOf} gave is worth compressing. */
export function isCompressible(type: string): boolean {
  return type.endsWith(";charset=utf-8") || COMPRESSIBLE.test(type);
}
