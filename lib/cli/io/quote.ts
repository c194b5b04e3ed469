/**
 * Bytes, and foreign text, as text for people.
 *
 * @module
 */

import { escapeCode, escapeText } from "../../base/escape.ts";

const MOST_CHARACTERS = 64;

/**
 * Quotes bytes: text stays text, what is not is escaped as `\n`, `\t`, `\x00`, and what is long is
 * cut, with its length after it. Terminals see no control character.
 */
export function quote(data: Uint8Array): string {
  let out = "";
  let taken = 0;
  // No character needs more than four bytes, so this prefix is enough, and no more is decoded.
  const head = data.subarray(0, MOST_CHARACTERS * 4);
  for (const { text, bytes } of characters(head)) {
    if (out.length + text.length > MOST_CHARACTERS) break;
    out += text;
    taken += bytes;
  }
  return taken === data.length ? `"${out}"` : `"${out}…" (${data.length} bytes)`;
}

/** Escapes bytes as {@linkcode quote} does, all of them. */
export function escaped(data: Uint8Array): string {
  return Array.from(characters(data), ({ text }) => text).join("");
}

/** Escapes a text as {@linkcode quote} does, all of it: an error is one line. */
export function escapedText(text: string): string {
  return escaped(new TextEncoder().encode(text));
}

function* characters(data: Uint8Array): Generator<{ text: string; bytes: number }> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let at = 0; at < data.length;) {
    const bytes = sequenceLength(data[at]);
    const text = bytes === 1 ? oneByte(data[at]) : sequence(data.subarray(at, at + bytes), decoder);
    yield text === undefined ? { text: escapeCode(data[at]), bytes: 1 } : { text, bytes };
    at += text === undefined ? 1 : bytes;
  }
}

function oneByte(byte: number): string | undefined {
  return byte < 0x80 ? escape(String.fromCharCode(byte)) : undefined;
}

/** Undefined unless the bytes are one character. */
function sequence(
  bytes: Uint8Array,
  decoder: { decode(bytes: Uint8Array): string },
): string | undefined {
  // Binary data mostly fails this check. The decoder would throw an exception, which is slow.
  for (let i = 1; i < bytes.length; i++) if (bytes[i] >> 6 !== 0b10) return undefined;
  try {
    return escape(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

/**
 * Returns the length of the UTF-8 sequence that starts with this byte. 1 if it starts no sequence.
 */
function sequenceLength(byte: number): number {
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}

function escape(character: string): string {
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    case '"':
    case "\\":
      return `\\${character}`;
  }
  return escapeText(character);
}
