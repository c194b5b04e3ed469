// The content of a message: its bytes, and HTTP where it is that.

import { hasControls } from "./format.js";

/** @typedef {{ start: string, fields: [string, string][], body: string }} HttpMessage */

/**
 * The bytes of an event, as far as they are kept.
 * @param {{ text?: string, b64?: string }} event
 * @returns {Uint8Array}
 */
export function bytesOf({ text, b64 }) {
  if (text !== undefined) return new TextEncoder().encode(text);
  if (b64 === undefined) return new Uint8Array();
  return Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));
}

const START = /^(?:[A-Z]{3,12} \S+ HTTP\/1\.[01]|HTTP\/1\.[01] \d{3}.*)$/;

/**
 * The head of an HTTP message; undefined if it does not begin with one.
 * @param {string} text
 * @returns {HttpMessage | undefined}
 */
export function httpOf(text) {
  const end = text.indexOf("\r\n\r\n");
  const [start, ...lines] = (end < 0 ? text : text.slice(0, end)).split("\r\n");
  if (!START.test(start)) return undefined;
  const fields = lines.filter((line) => line.includes(":")).map((line) => {
    const colon = line.indexOf(":");
    return /** @type {[string, string]} */ ([line.slice(0, colon), line.slice(colon + 1).trim()]);
  });
  return { start, fields, body: end < 0 ? "" : text.slice(end + 4) };
}

/**
 * JSON in several lines; undefined if it is not JSON.
 * @param {string} text
 * @returns {string | undefined}
 */
export function jsonOf(text) {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Header fields that curl sends by default. */
const OWN = new Set(["host", "content-length", "connection", "transfer-encoding"]);

/**
 * The curl command of a request; undefined if it is not a request, or has what no command line can have.
 * @param {HttpMessage} message
 * @param {boolean} tls
 * @param {string} address of the server
 */
export function curlOf({ start, fields, body }, tls, address) {
  const [method, target] = start.split(" ");
  if (method.startsWith("HTTP/") || hasControls(body)) return undefined;
  const host = fields.find(([name]) => name.toLowerCase() === "host")?.[1] ?? address;
  const url = /^https?:/.test(target) ? target : `${tls ? "https" : "http"}://${host}${target}`;
  const words = ["curl"];
  if (method === "HEAD") words.push("--head");
  else if (method !== "GET") words.push("-X", quoted(method));
  for (const [name, value] of fields) {
    if (!OWN.has(name.toLowerCase())) words.push("-H", quoted(`${name}: ${value}`));
  }
  if (body !== "") words.push("--data-binary", quoted(body));
  return [...words, quoted(url)].join(" ");
}

/**
 * Finds bytes in others.
 * @param {Uint8Array} bytes
 * @param {Uint8Array} wanted
 * @returns {number[]}
 */
export function find(bytes, wanted) {
  /** @type {number[]} */
  const found = [];
  if (wanted.length === 0) return found;
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) {
      found.push(at);
      at += wanted.length - 1;
    }
  }
  return found;
}

/**
 * Parses a search: hex digits behind `0x`, else text.
 * @param {string} text
 * @returns {Uint8Array}
 */
export function wantedOf(text) {
  const digits = /^0x((?:[0-9a-f]{2}\s*)+)$/i.exec(text.trim())?.[1].replaceAll(/\s/g, "");
  if (digits === undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
