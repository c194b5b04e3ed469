// Numbers, times and bytes as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/**
 * A number of bytes: `512 B`, `1.5 KiB`.
 * @param {number} bytes
 */
export function size(bytes) {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return unit === 0 ? `${Math.round(bytes)} B` : `${bytes.toFixed(1)} ${UNITS[unit]}`;
}

/**
 * A time in milliseconds: `0.12 ms`, `35 ms`, `1.25 s`, `3 min 20 s`, `2 h 5 min`.
 * @param {number} ms
 */
export function time(ms) {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}

/**
 * A count: `12,345`.
 * @param {number} n
 */
export function count(n) {
  return n.toLocaleString("en-US");
}

/**
 * A count and a noun: `1 event`, `2 events`.
 * @param {number} n
 * @param {string} noun
 */
export function counted(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** Unsafe characters: control characters, and those that change the direction of writing. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;

/**
 * Text on one line; what cannot be seen is shown as a symbol.
 * @param {string} text
 */
export function oneLine(text) {
  return text.replaceAll("\r\n", "↵").replaceAll("\n", "↵").replace(UNSAFE, "·");
}

/**
 * Text of several lines; what turns the direction of writing, and other controls, are shown.
 * @param {string} text
 */
export function safeLines(text) {
  return text.replaceAll("\r\n", "\n").replace(UNSAFE, (c) => c === "\n" || c === "\t" ? c : "·");
}

const strict = new TextDecoder("utf-8", { fatal: true });

/**
 * Bytes as text; undefined if they are not text.
 * @param {Uint8Array} bytes
 * @returns {string | undefined}
 */
export function textOf(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Bytes as hex digits, with a space between two bytes.
 * @param {Uint8Array} bytes
 */
export function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/**
 * Whether a text has control characters other than those of lines and tabs.
 * @param {string} text
 */
export function hasControls(text) {
  return /(?![\t\n\r])\p{Cc}/u.test(text);
}

/**
 * The first bytes: text if they are text, else hex.
 * @param {Uint8Array} bytes
 * @param {number} whole how many there are in all
 */
export function preview(bytes, whole) {
  if (bytes.length === 0) return whole === 0 ? "" : "(not kept)";
  const start = bytes.subarray(0, 160);
  // A character that is cut in two is no reason for hex.
  const text = [0, 1, 2, 3].map((cut) => textOf(start.subarray(0, start.length - cut)))
    .find((text) => text !== undefined);
  const isText = text !== undefined && !hasControls(text);
  const shown = isText ? oneLine(text).slice(0, 80) : hex(bytes.subarray(0, 16));
  const isAll = isText ? text.length <= 80 && whole <= 160 : whole <= 16;
  return isAll ? shown : `${shown}…`;
}
