/**
 * Short texts of ASCII, which most messages are: a call of the runtime costs more than looking at each
 * character.
 *
 * @module
 */

/** The longest text that is looked at character by character. */
const SHORT = 128;

/** The text of these bytes; undefined if they are many, or not ASCII. */
export function shortAscii(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (to - from > SHORT) return undefined;
  for (let i = from; i < to; i++) if (bytes[i] > 0x7f) return undefined;
  let text = "";
  let at = from;
  // Eight at a time: each call makes a string.
  for (; at + 8 <= to; at += 8) {
    text += String.fromCharCode(
      bytes[at],
      bytes[at + 1],
      bytes[at + 2],
      bytes[at + 3],
      bytes[at + 4],
      bytes[at + 5],
      bytes[at + 6],
      bytes[at + 7],
    );
  }
  for (; at < to; at++) text += String.fromCharCode(bytes[at]);
  return text;
}

/** Puts a text into bytes, from `at` on; false, and nothing of use done, if it is long, or not ASCII. */
export function putShortAscii(text: string, bytes: Uint8Array, at: number): boolean {
  const { length } = text;
  if (length > SHORT) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    bytes[at + i] = code;
  }
  return true;
}
