/**
 * What a client of a chat may send to the terminals of the others.
 *
 * @module
 */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes a line so that it can do nothing but be read: control characters, with which terminals are
 * steered, and those that turn the direction of writing are escaped as `\x1b` and `\u{202e}`. A tab
 * stays; what is not UTF-8 becomes U+FFFD.
 */
export function cleanText(line: Uint8Array): string {
  return decoder.decode(line).replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => character === "\t" ? character : escape(character.codePointAt(0)!),
  );
}

function escape(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** Whether it can be a name: 1 to 20 letters and digits of any script, `-` and `_`. */
export function isName(text: string): boolean {
  return /^[\p{L}\p{N}_-][\p{L}\p{M}\p{N}_-]{0,19}$/u.test(text);
}

/** The same for all names that people take for the same. */
export function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
