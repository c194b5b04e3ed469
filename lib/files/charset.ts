/**
 * The charset of a file by its first bytes: whether it is text, and whether that may be
 * called UTF-8.
 *
 * @module
 */

import { Buffer, isUtf8 } from "node:buffer";

/** The bytes that are looked at: HTML wants its charset declared within them. */
export const HEAD_BYTES = 1024;

/** Bytes that are in no text (MIME Sniffing, section 7.1). */
// deno-lint-ignore no-control-regex
const BINARY = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** Whether a file that starts like this is text. */
export function isText(head: Uint8Array): boolean {
  return bomOf(head) !== undefined || !BINARY.test(latin1Of(head));
}

/**
 * Whether a text of this media type that starts like this is UTF-8: by its byte order mark, else by
 * what it declares as HTML, XML and CSS can, else by its bytes.
 */
export function isUtf8Text(type: string, head: Uint8Array): boolean {
  const bom = bomOf(head);
  if (bom !== undefined) return bom === "utf-8";
  const encoding = declaredEncoding(type, latin1Of(head));
  return encoding === undefined ? isUtf8(wholeCharacters(head)) : encoding === "utf-8";
}

function latin1Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, Math.min(byteLength, HEAD_BYTES)).toString("latin1");
}

function bomOf([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xfe && b === 0xff || a === 0xff && b === 0xfe) return "utf-16";
}

/** Without the character at the end, of which there may be a part only if there is more of the file. */
function wholeCharacters(head: Uint8Array): Uint8Array {
  let end = head.length;
  for (let i = 1; i <= 3 && head.length >= HEAD_BYTES; i++) {
    const byte = head[head.length - i];
    if (byte >= 0xc0) end = head.length - i;
    if (byte < 0x80 || byte >= 0xc0) break;
  }
  return head.subarray(0, end);
}

/** The name of the encoding that a text declares, if it does. */
function declaredEncoding(type: string, text: string): string | undefined {
  if (type === "text/html") return metaEncoding(text);
  const declaration = type === "text/css"
    ? CSS_DECLARATION
    : /[/+]xml$/.test(type)
    ? XML_DECLARATION
    : undefined;
  const label = declaration?.exec(text)?.[2];
  return label === undefined ? undefined : encodingOf(label);
}

const XML_DECLARATION =
  /^<\?xml[ \t\r\n][^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*(["'])([^"'>]*)\1/;
const CSS_DECLARATION = /^@charset (")([^"]*)";/;

/** A comment, a tag with its name, or something else in angle brackets. */
const MARKUP = /<(?:!--|(\/?[a-z][^\t\n\f\r />]*)|[!/?])/gi;
const ATTRIBUTE =
  /[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r >]*)))?/y;

/** HTML, section 13.2.3.2: "prescan a byte stream to determine its encoding". */
function metaEncoding(text: string): string | undefined {
  MARKUP.lastIndex = 0;
  for (let match; (match = MARKUP.exec(text)) !== null;) {
    const [markup, tag] = match;
    let end = MARKUP.lastIndex;
    if (tag !== undefined) {
      const attributes = new Map<string, string>();
      end = readAttributes(text, end, attributes);
      const encoding = tag.toLowerCase() === "meta" ? encodingOfMeta(attributes) : undefined;
      if (encoding !== undefined) return encoding;
    } else {
      // `<!-->` is a whole comment.
      end = markup === "<!--" ? text.indexOf("-->", end - 2) : text.indexOf(">", end);
      if (end === -1) return undefined;
    }
    MARKUP.lastIndex = end;
  }
  return undefined;
}

/** Reads the attributes of a tag, of each the first; returns where they end. */
function readAttributes(text: string, start: number, attributes: Map<string, string>): number {
  ATTRIBUTE.lastIndex = start;
  let end = start;
  for (let match; (match = ATTRIBUTE.exec(text)) !== null; end = ATTRIBUTE.lastIndex) {
    const [, name, double, single, bare] = match;
    const key = name.toLowerCase();
    if (!attributes.has(key)) attributes.set(key, double ?? single ?? bare ?? "");
  }
  return end;
}

function encodingOfMeta(attributes: ReadonlyMap<string, string>): string | undefined {
  const charset = attributes.get("charset");
  if (charset !== undefined) return encodingOf(charset);
  if (attributes.get("http-equiv")?.toLowerCase() !== "content-type") return undefined;
  const [, double, single, bare] =
    /charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r ;"']+))/i
      .exec(attributes.get("content") ?? "") ?? [];
  const label = double ?? single ?? bare;
  return label === undefined ? undefined : encodingOf(label);
}

/** The encoding that a label stands for; undefined for none that is known. */
function encodingOf(label: string): string | undefined {
  try {
    const { encoding } = new TextDecoder(label);
    // A file that declares UTF-16 in ASCII is not UTF-16.
    return encoding.startsWith("utf-16") ? "utf-8" : encoding;
  } catch {
    return undefined;
  }
}
