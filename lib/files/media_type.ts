/**
 * Media types of files: by name, and by the first bytes where the name does not tell enough.
 *
 * @module
 */

import { isMediaType } from "../base/header_fields.ts";
import mime from "mime";
import { isText, isUtf8Text } from "./charset.ts";

/** Media types by extensions in lower case, without a dot. */
export type MediaTypes = Readonly<Record<string, string>>;

/** Types that browsers or newer standards want instead of those in the table of `mime`. */
const BETTER: MediaTypes = { cjs: "text/javascript", flac: "audio/flac", xml: "text/xml" };

/** Sources and other text, for which that table has types that browsers save or misread. */
const SOURCES: ReadonlySet<string> = new Set(
  ("asm bat c cc coffee cpp csh cts cxx dart f f77 f90 for h hbs hh java jsx latex less litcoffee " +
    "lua mts nfo org pas php pl pm r rs s sass scm scss sh sql srt styl stylus tcl tex toml ts tsx")
    .split(" "),
);

/** Types of text, also those that do not start with `text/`. */
const TEXT = /^text\/|[/+](?:json|xml|javascript|toml)$/;

/** Formats that are not text and have no compression of their own. */
const COMPRESSIBLE =
  /^application\/(?:wasm|rtf|x-tar|vnd\.ms-fontobject)$|^font\/(?:ttf|otf)$|^image\/(?:bmp|vnd\.microsoft\.icon)$|^model\//;

const UNKNOWN = "application/octet-stream";

/**
 * Types with their extensions as they are looked for. Throws a `TypeError` for a type that is not
 * valid.
 */
export function checkedTypes(types: MediaTypes): MediaTypes {
  return Object.fromEntries(
    Object.entries(types).map(([extension, type]) => {
      if (!isMediaType(type)) {
        throw new TypeError(`types.${extension} takes a media type as "text/plain", not ${type}`);
      }
      return [extension.replace(/^\./, "").toLowerCase(), type];
    }),
  );
}

/** Whether {@linkcode mediaTypeOf} wants the first bytes of a file of this name. */
export function needsHead(name: string, types: MediaTypes): boolean {
  const type = typeByName(name, types);
  return type === undefined || TEXT.test(type);
}

/**
 * The value of Content-Type for a file of this name: of `types`, or as is usual. `head` has the first
 * 1,024 bytes. They tell whether a source, or a file whose name says nothing, is text, and whether
 * text is UTF-8, which is not said of what declares another charset. Default: it is what its name says.
 */
export function mediaTypeOf(name: string, head?: Uint8Array, types: MediaTypes = {}): string {
  const type = typeByName(name, types) ?? typeByContent(name, head);
  if (type.includes(";") || !TEXT.test(type)) return type;
  return head === undefined || isUtf8Text(type, head) ? `${type};charset=utf-8` : type;
}

/** Whether content of a type that {@linkcode mediaTypeOf} gave is worth compressing. */
export function isCompressible(type: string): boolean {
  const [essence] = type.split(";");
  return TEXT.test(essence) || COMPRESSIBLE.test(essence);
}

/** Whether there may be siblings that hold a file of this type compressed. */
export function mayHaveSiblings(type: string): boolean {
  return isCompressible(type) || type === UNKNOWN;
}

/** Returns the text after the last dot of a name. All of the name if it has no dot. */
function extensionOf(name: string): string {
  return baseOf(name).split(".").at(-1)!.toLowerCase();
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The type that does not depend on the content. */
function typeByName(name: string, types: MediaTypes): string | undefined {
  const extension = extensionOf(name);
  if (Object.hasOwn(types, extension)) return types[extension];
  if (!baseOf(name).includes(".") || SOURCES.has(extension)) return undefined;
  return Object.hasOwn(BETTER, extension)
    ? BETTER[extension]
    : mime.getType(extension) ?? undefined;
}

function typeByContent(name: string, head: Uint8Array | undefined): string {
  const extension = extensionOf(name);
  const isSource = baseOf(name).includes(".") && SOURCES.has(extension);
  if (head === undefined ? isSource : isText(head)) return "text/plain";
  // As video, which has the extension of TypeScript, too.
  return isSource ? mime.getType(extension) ?? UNKNOWN : UNKNOWN;
}
