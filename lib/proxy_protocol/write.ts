/**
 * Writes a header of the PROXY protocol.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import { checkOptions, type Kind, type Kinds, required } from "../base/arguments.ts";
import { formatIP, parseScopedIP } from "../base/ip.ts";
import { PATH_SIZE, SIGNATURE, UNIX } from "./header.ts";

/** Options of {@linkcode proxyHeader}. */
export interface ProxyHeaderOptions {
  /** 1 is a line of text, 2 is binary. */
  readonly version: 1 | 2;
  /** The address of the client. Default: the header says that the client is not known. */
  readonly source?: Addr;
  /** The address that the client connected to. It is needed with `source`. */
  readonly destination?: Addr;
}

const VERSION: Kind = { takes: "1 or 2", is: (value) => value === 1 || value === 2 };

const ADDRESS: Kind = {
  takes: "an address, such as conn.remoteAddr",
  is: (value) => ["host", "path"].some((name) => typeof Object(value)[name] === "string"),
};

const OPTIONS: Kinds<ProxyHeaderOptions> = {
  version: required(VERSION),
  source: ADDRESS,
  destination: ADDRESS,
};

/** Version 2 and its commands. */
const [LOCAL, PROXY] = [0x20, 0x21];

const STREAM = 1;

const text = new TextEncoder();

/**
 * Makes the header that a proxy sends before the first byte of a connection: also before TLS.
 *
 * Version 1 can have IP addresses, and version 2 those of two Unix sockets, too. With others, and
 * without addresses, the header says that the client is not known: `UNKNOWN` in version 1, `LOCAL` in
 * version 2. The receiver then takes the addresses of the connection.
 *
 * @example
 * ```ts
 * import { proxyHeader } from "@plainsocket/plainsocket/proxy-protocol";
 * import assert from "node:assert/strict";
 *
 * const source = { transport: "tcp", host: "192.0.2.1", port: 50000 } as const;
 * const destination = { transport: "tcp", host: "198.51.100.1", port: 443 } as const;
 * assert.equal(
 *   new TextDecoder().decode(proxyHeader({ version: 1, source, destination })),
 *   "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n",
 * );
 * ```
 */
export function proxyHeader(options: ProxyHeaderOptions): Uint8Array {
  checkOptions("proxyHeader", options, OPTIONS, "{ version: 2, source, destination }");
  const { version, source, destination } = options;
  const ends = endsOf(source, destination);
  return version === 1 ? lineOf(ends) : binaryOf(ends);
}

/** An end of a connection. */
interface End {
  /** As version 2 counts them: IPv4, IPv6, Unix. */
  readonly family: 1 | 2 | 3;
  readonly bytes: readonly number[];
  /** 0 of a Unix socket. */
  readonly port: number;
}

/** Both ends, of one family; undefined if no header can have both of them. */
function endsOf(source: Addr | undefined, destination: Addr | undefined): End[] | undefined {
  const [from, to] = [endOf(source), endOf(destination)];
  if (from === undefined || to === undefined) return undefined;
  if (from.family === to.family) return [from, to];
  return from.family === UNIX || to.family === UNIX ? undefined : [from, to].map(mapped);
}

function endOf(addr: Addr | undefined): End | undefined {
  if (addr?.transport === "unix") {
    const path = text.encode(addr.path);
    if (path.length > PATH_SIZE) return undefined;
    return { family: UNIX, bytes: [...path, ...Array(PATH_SIZE - path.length).fill(0)], port: 0 };
  }
  const bytes = addr && parseScopedIP(addr.host);
  return bytes && { family: bytes.length === 4 ? 1 : 2, bytes, port: addr.port };
}

/** IPv4 in IPv6 clothes, where the other end is of IPv6. */
function mapped({ family, bytes, port }: End): End {
  const prefix = family === 1 ? [...Array(10).fill(0), 0xff, 0xff] : [];
  return { family: 2, bytes: [...prefix, ...bytes], port };
}

function lineOf(ends: readonly End[] | undefined): Uint8Array {
  if (ends === undefined || ends[0].family === UNIX) return text.encode("PROXY UNKNOWN\r\n");
  const family = ends[0].family === 1 ? "TCP4" : "TCP6";
  const words = [...ends.map(({ bytes }) => formatIP(bytes)), ...ends.map(({ port }) => port)];
  return text.encode(`PROXY ${family} ${words.join(" ")}\r\n`);
}

function binaryOf(ends: readonly End[] | undefined): Uint8Array {
  if (ends === undefined) return binary(LOCAL, 0, []);
  const [{ family }] = ends;
  const ports = family === UNIX ? [] : ends.flatMap(({ port }) => [port >> 8, port & 0xff]);
  return binary(PROXY, family << 4 | STREAM, [...ends.flatMap(({ bytes }) => bytes), ...ports]);
}

function binary(command: number, family: number, block: readonly number[]): Uint8Array {
  const fixed = [command, family, block.length >> 8, block.length & 0xff];
  return Uint8Array.of(...SIGNATURE, ...fixed, ...block);
}
