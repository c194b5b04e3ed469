/**
 * Text that others have written, made fit for a terminal and a log: the one place that says which
 * characters are not.
 *
 * @module
 */

import { checkArgument, TEXT } from "./arguments.ts";

/**
 * Control characters (C0, DEL and C1), with which terminals are steered and lines forged; those that
 * turn the direction of writing; the separators of lines and paragraphs; the byte order mark; and
 * halves of surrogate pairs, which are not characters.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;

/**
 * Escapes the characters of a text that do more than be read, as `\x1b` and `\u{202e}`: what a peer
 * has sent can then be shown on a terminal, on one line. The messages of `SocketError` are escaped
 * already.
 *
 * @example
 * ```ts
 * import { escapeText } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * assert.equal(escapeText("grüß\x1b[2J\n"), String.raw`grüß\x1b[2J\x0a`);
 * ```
 */
export function escapeText(text: string): string {
  checkArgument("escapeText", text, TEXT);
  return text.replace(UNSAFE, (character) => escapeCode(character.codePointAt(0)!));
}

/** Whether {@linkcode escapeText} leaves a text as it is. */
export function isSafeText(text: string): boolean {
  return text.search(UNSAFE) === -1;
}

/** Writes a code point, or a byte, as an escape: `\x1b`, `\u{202e}`. */
export function escapeCode(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** Text that {@linkcode UNSAFE} has nothing to look for in; the engines find that out much faster. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * Writes a value as JSON with the same characters escaped, as JSON does that: `\u001b`, `\u202e`. With
 * `indent` it has a line for each part, which so many spaces indent.
 */
export function safeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  return indent ? json.split("\n").map(safe).join("\n") : safe(json);
}

function safe(json: string): string {
  if (PRINTABLE.test(json)) return json;
  // Characters that JSON.stringify() does not escape have one code unit each.
  return json.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Escapes a text to visible ASCII without bare quotes, byte by byte, as Apache's log has it. */
export function escapeAscii(text: string): string {
  if (PLAIN.test(text)) return text;
  let escaped = "";
  for (const character of text) {
    if (character === '"' || character === "\\") escaped += `\\${character}`;
    else if (PLAIN.test(character)) escaped += character;
    else for (const byte of new TextEncoder().encode(character)) escaped += escapeCode(byte);
  }
  return escaped;
}
