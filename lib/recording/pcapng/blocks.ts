/**
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in little-endian byte order.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Raw IP packets: the version is in the first byte. */
const LINKTYPE_RAW = 101;

/** Options (section 3.5 and those of each block). */
const END_OF_OPTIONS = 0;
const COMMENT = 1;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;
const ISB_IFDROP = 5;

/** The longest text of an option, in bytes: the length has 16 bits. */
const MAX_OPTION = 65_000;

/** Microseconds: 10^-6 seconds. */
const MICROSECONDS = 6;

/** The kind of secrets that TLS has. */
const TLS_KEY_LOG = 0x544c534b;

type Option = readonly [code: number, value: Uint8Array];

/** A packet as it stands in the file. */
export interface Packet {
  /** Microseconds since 1970. */
  readonly time: bigint;
  /** The bytes, which may be fewer than there were. */
  readonly bytes: Uint8Array;
  /** The number of bytes that the packet had. */
  readonly length: number;
  /** Whether it came to this side. */
  readonly inbound: boolean;
  readonly comment: string | undefined;
}

/** The Section Header Block (section 4.1). */
export function sectionHeader(program: string, comment: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0);
  body.writeUInt16LE(1, 4);
  // The length of the section is not known.
  body.writeBigInt64LE(-1n, 8);
  return block(0x0a0d0d0a, body, [text(COMMENT, comment), text(SHB_USERAPPL, program)]);
}

/** The Interface Description Block of the one interface (section 4.2). */
export function interfaceDescription(name: string): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_RAW, 0);
  return block(1, body, [text(IF_NAME, name), [IF_TSRESOL, Uint8Array.of(MICROSECONDS)]]);
}

/** The Enhanced Packet Block (section 4.3). */
export function enhancedPacket({ time, bytes, length, inbound, comment }: Packet): Buffer {
  const body = Buffer.alloc(20 + padded(bytes.length));
  body.writeUInt32LE(Number(time >> 32n), 4);
  body.writeUInt32LE(Number(time & 0xffffffffn), 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(length, 16);
  body.set(bytes, 20);
  const flags: Option = [EPB_FLAGS, Uint8Array.of(inbound ? 1 : 2, 0, 0, 0)];
  return block(6, body, comment === undefined ? [flags] : [text(COMMENT, comment), flags]);
}

/** The Name Resolution Block (section 4.5) for the addresses of one name. */
export function nameResolution(addresses: readonly Uint8Array[], name: string): Buffer {
  const nameBytes = Buffer.from(`${name}\0`);
  const records = addresses.map((address) => {
    const record = Buffer.alloc(4 + padded(address.length + nameBytes.length));
    record.writeUInt16LE(address.length === 4 ? 1 : 2, 0);
    record.writeUInt16LE(address.length + nameBytes.length, 2);
    record.set(address, 4);
    record.set(nameBytes, 4 + address.length);
    return record;
  });
  return block(4, Buffer.concat([...records, Buffer.alloc(4)]), []);
}

/** The Decryption Secrets Block (section 4.7) with lines of the NSS key log format. */
export function decryptionSecrets(lines: string): Buffer {
  const bytes = Buffer.from(lines);
  const body = Buffer.alloc(8 + padded(bytes.length));
  body.writeUInt32LE(TLS_KEY_LOG, 0);
  body.writeUInt32LE(bytes.length, 4);
  body.set(bytes, 8);
  return block(10, body, []);
}

/** The Interface Statistics Block (section 4.6): how much was not recorded. */
export function interfaceStatistics(time: bigint, dropped: number): Buffer {
  const body = Buffer.alloc(12);
  body.writeUInt32LE(Number(time >> 32n), 4);
  body.writeUInt32LE(Number(time & 0xffffffffn), 8);
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(BigInt(dropped));
  return block(5, body, [[ISB_IFDROP, count]]);
}

/** A block: its type, its length before and after, and its options after the body. */
function block(type: number, body: Uint8Array, options: readonly Option[]): Buffer {
  const tail = options.length === 0 ? Buffer.alloc(0) : encodeOptions(options);
  const length = 12 + body.length + tail.length;
  const whole = Buffer.alloc(length);
  whole.writeUInt32LE(type, 0);
  whole.writeUInt32LE(length, 4);
  whole.set(body, 8);
  whole.set(tail, 8 + body.length);
  whole.writeUInt32LE(length, length - 4);
  return whole;
}

function encodeOptions(options: readonly Option[]): Buffer {
  const end: Option = [END_OF_OPTIONS, new Uint8Array(0)];
  return Buffer.concat([...options, end].map(([code, value]) => {
    const option = Buffer.alloc(4 + padded(value.length));
    option.writeUInt16LE(code, 0);
    option.writeUInt16LE(value.length, 2);
    option.set(value, 4);
    return option;
  }));
}

function text(code: number, value: string): Option {
  return [code, Buffer.from(value).subarray(0, MAX_OPTION)];
}

/** The next multiple of 4. */
function padded(length: number): number {
  return (length + 3) & ~3;
}
