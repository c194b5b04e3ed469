/**
 * Text that a client of a chat may send to the terminals of the others.
 *
 * @module
 */

import { escapeText } from "../../base/escape.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes a line. Bytes that are not UTF-8 become U+FFFD. */
export function decodeText(line: Uint8Array): string {
  return decoder.decode(line);
}

/**
 * Changes a text so that it can do nothing but be read: what {@linkcode escapeText} escapes is
 * escaped, but for tabs.
 */
export function cleanText(text: string): string {
  return text.split("\t").map(escapeText).join("\t");
}

/** Characters that nothing is shown for, some of which are letters. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/u;

/** Whether it can be a name: 1 to 20 letters and digits of any script, `-` and `_`, all of which are shown. */
export function isName(text: string): boolean {
  return !UNSEEN.test(text) && /^[\p{L}\p{N}_-][\p{L}\p{M}\p{N}_-]{0,19}$/u.test(text);
}

/** The same for all names that people take for the same. */
export function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
