/**
 * Version 2 of the PROXY protocol, in binary.
 *
 * @module
 */

import { type Addr, unixAddr } from "../base/addr.ts";
import { crc32c } from "./crc32c.ts";
import { ProxyHeaderError } from "./error.ts";
import {
  addrOf,
  FIXED_SIZE,
  type ParsedProxyHeader,
  PATH_SIZE,
  type ProxyField,
  UNIX,
} from "./header.ts";

/** The most bytes of a header: a client's certificate fits in. */
export const MAX_HEADER = 4096;

/** The number of bytes of one address, by family: IPv4, IPv6, Unix. */
const ADDRESS_SIZES = [0, 4, 16, PATH_SIZE];

const CRC32C = 0x03;

/** Reads a header whose first bytes are right as far as they have come. */
export function parseV2(bytes: Uint8Array): ParsedProxyHeader | undefined {
  const { length: n } = bytes;
  if (n > 12) checkCommand(bytes[12]);
  if (n > 13) checkFamily(bytes[12], bytes[13]);
  if (n < FIXED_SIZE) return undefined;
  const length = FIXED_SIZE + wordAt(bytes, 14);
  if (length > MAX_HEADER) {
    throw new ProxyHeaderError(`it has ${length} bytes, and at most ${MAX_HEADER} are read`);
  }
  if (n < length) return undefined;
  return { header: { version: 2, ...parseBlock(bytes.subarray(0, length)) }, length };
}

function checkCommand(byte: number): void {
  if (byte >> 4 !== 2) throw new ProxyHeaderError(`its version is ${byte >> 4}`);
  if ((byte & 15) > 1) throw new ProxyHeaderError(`its command is ${byte & 15}`);
}

function isLocal(command: number): boolean {
  return (command & 15) === 0;
}

function checkFamily(command: number, byte: number): void {
  // Of a connection of the proxy itself it is ignored.
  if (isLocal(command) || byte >> 4 <= 3 && (byte & 15) <= 2) return;
  throw new ProxyHeaderError(`its family is 0x${byte.toString(16).padStart(2, "0")}`);
}

function parseBlock(header: Uint8Array): Omit<ParsedProxyHeader["header"], "version"> {
  const [family, protocol] = [header[13] >> 4, header[13] & 15];
  const nobody = { source: undefined, destination: undefined };
  // What the block of such a header has is not known, or not to be looked at.
  if (isLocal(header[12]) || (family === 0) !== (protocol === 0)) return { ...nobody, fields: [] };
  const size = ADDRESS_SIZES[family];
  const ports = FIXED_SIZE + 2 * size;
  const start = family === 0 || family === UNIX ? ports : ports + 4;
  if (start > header.length) throw new ProxyHeaderError("its addresses are cut off");
  const fields = fieldsFrom(header, start);
  if (family === 0 || protocol === 2) return { ...nobody, fields };
  const [source, destination] = [0, 1].map((which): Addr => {
    const address = header.subarray(FIXED_SIZE + which * size, FIXED_SIZE + (which + 1) * size);
    if (family === UNIX) return unixAddr(pathOf(address));
    return addrOf([...address], wordAt(header, ports + 2 * which));
  });
  return { source, destination, fields };
}

function fieldsFrom(header: Uint8Array, start: number): ProxyField[] {
  const fields: ProxyField[] = [];
  for (let at = start; at < header.length;) {
    const end = at + 3 + (at + 3 <= header.length ? wordAt(header, at + 1) : 0);
    if (end > header.length) throw new ProxyHeaderError("its last field is cut off");
    const [type, value] = [header[at], header.slice(at + 3, end)];
    if (type === CRC32C) checkSum(header, at + 3, value);
    fields.push({ type, value });
    at = end;
  }
  return fields;
}

/** The checksum is that of the header with zeros in its own place. */
function checkSum(header: Uint8Array, at: number, value: Uint8Array): void {
  const zeroed = header.slice();
  zeroed.fill(0, at, at + value.length);
  const sum = value.length === 4 ? wordAt(value, 0) * 0x10000 + wordAt(value, 2) : undefined;
  if (sum !== crc32c(zeroed)) throw new ProxyHeaderError("its checksum is wrong");
}

function pathOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] << 8 | bytes[at + 1];
}
