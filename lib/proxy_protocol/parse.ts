/**
 * Reads a header of the PROXY protocol, of either version.
 *
 * @module
 */

import { BYTES, checkArgument } from "../base/arguments.ts";
import { parseIP } from "../base/ip.ts";
import { ProxyHeaderError } from "./error.ts";
import { addrOf, type ParsedProxyHeader, SIGNATURE } from "./header.ts";
import { parseV2 } from "./parse_v2.ts";

/** The most bytes of a header of version 1, its line end included. */
const MAX_LINE = 107;

const START = new TextEncoder().encode("PROXY ");

/**
 * Reads the header at the start of `bytes`. Returns undefined if more bytes are needed: call it again
 * with all that have come. A header has at most 4096 bytes, of version 1 at most 107.
 *
 * Throws a {@linkcode ProxyHeaderError} as soon as the bytes cannot be a header any more.
 *
 * @example
 * ```ts
 * import { parseProxyHeader } from "@plainsocket/plainsocket/proxy-protocol";
 * import assert from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode("PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\nhello");
 * const { header, length } = parseProxyHeader(bytes)!;
 * assert.deepEqual(header.source, { transport: "tcp", host: "192.0.2.1", port: 50000 });
 * assert.equal(new TextDecoder().decode(bytes.subarray(length)), "hello");
 * ```
 */
export function parseProxyHeader(bytes: Uint8Array): ParsedProxyHeader | undefined {
  checkArgument("parseProxyHeader", bytes, BYTES);
  if (startsAs(bytes, SIGNATURE)) return parseV2(bytes);
  if (startsAs(bytes, START)) return parseV1(bytes);
  throw new ProxyHeaderError("the connection does not begin with a header");
}

/** Whether bytes are the start of `wanted`, or begin with it. */
function startsAs(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const n = Math.min(bytes.length, wanted.length);
  for (let i = 0; i < n; i++) if (bytes[i] !== wanted[i]) return false;
  return true;
}

function parseV1(bytes: Uint8Array): ParsedProxyHeader | undefined {
  const end = endOfLine(bytes);
  if (end === undefined) return undefined;
  const line = String.fromCharCode(...bytes.subarray(0, end));
  const none = { source: undefined, destination: undefined };
  const ends = /^PROXY UNKNOWN( |$)/.test(line) ? none : endsOf(line);
  return { header: { version: 1, ...ends, fields: [] }, length: end + 2 };
}

/** The number of bytes before CRLF; undefined if that has not come. */
function endOfLine(bytes: Uint8Array): number | undefined {
  for (let i = 0; i < Math.min(bytes.length, MAX_LINE); i++) {
    const isCr = bytes[i] === 0x0d;
    if (isCr && i === bytes.length - 1) break;
    if (isCr && bytes[i + 1] === 0x0a && i + 2 <= MAX_LINE) return i;
    if (isCr || bytes[i] === 0x0a) throw new ProxyHeaderError("its line does not end with CRLF");
  }
  if (bytes.length < MAX_LINE) return undefined;
  throw new ProxyHeaderError(`its line has no end within ${MAX_LINE} bytes`);
}

const LINE = /^PROXY TCP([46]) ([\da-f.:]+) ([\da-f.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/i;

function endsOf(line: string): Pick<ParsedProxyHeader["header"], "source" | "destination"> {
  const [, family, from, to, fromPort, toPort] = LINE.exec(line) ?? [];
  const [source, destination] = [[from, fromPort], [to, toPort]].map(([host = "", port]) => {
    const ip = parseIP(host);
    if (ip?.length !== (family === "4" ? 4 : 16) || Number(port) > 65_535) {
      throw new ProxyHeaderError("its line is not valid");
    }
    return addrOf(ip, Number(port));
  });
  return { source, destination };
}
