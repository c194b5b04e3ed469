/**
 * IP packets with TCP segments and UDP datagrams in them, as the network would have carried them.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** One end of a flow: 4 or 16 bytes, and a port. */
export interface End {
  readonly address: Uint8Array;
  readonly port: number;
}

/** The flags of TCP (RFC 9293 section 3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/** The most bytes of data in one packet: IPv4 counts its header in 16 bits, too. */
export const MAX_SEGMENT: number = 65_535 - 20 - 20;

/** The most bytes of data in a datagram over IPv4. */
const MAX_DATAGRAM = 65_535 - 20 - 8;

const TCP = 6;
const UDP = 17;

/** Maximum segment size, and a window that is counted in units of 2^14 bytes (RFC 7323). */
const SYN_OPTIONS = Buffer.from([2, 4, 0xff, 0xd7, 3, 3, 14, 0]);

/** A TCP segment. */
export interface Segment {
  readonly from: End;
  readonly to: End;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly data: Uint8Array;
  /** The number of bytes of data, if fewer are known. */
  readonly size: number;
}

/** The packet of a segment, without the bytes that are not known. */
export function tcpPacket({ from, to, seq, ack, flags, data, size }: Segment): Buffer {
  const options = (flags & SYN) === 0 ? 0 : SYN_OPTIONS.length;
  const segment = Buffer.alloc(20 + options + data.length);
  segment.writeUInt16BE(from.port, 0);
  segment.writeUInt16BE(to.port, 2);
  segment.writeUInt32BE(seq >>> 0, 4);
  segment.writeUInt32BE(ack >>> 0, 8);
  segment[12] = (20 + options) / 4 << 4;
  segment[13] = flags;
  segment.writeUInt16BE(0xffff, 14);
  if (options > 0) segment.set(SYN_OPTIONS, 20);
  segment.set(data, 20 + options);
  return ipPacket(TCP, from, to, segment, 16, size - data.length);
}

/** A datagram of the network, and how many bytes it had if not all of them are known. */
export interface UdpPacket {
  readonly bytes: Buffer;
  readonly length: number;
}

/** The packet of a datagram, without the bytes that are not known. What no datagram can hold is cut. */
export function udpPacket(from: End, to: End, data: Uint8Array, size: number): UdpPacket {
  if (size > MAX_DATAGRAM) return udpPacket(from, to, data.subarray(0, MAX_DATAGRAM), MAX_DATAGRAM);
  const datagram = Buffer.alloc(8 + data.length);
  datagram.writeUInt16BE(from.port, 0);
  datagram.writeUInt16BE(to.port, 2);
  datagram.writeUInt16BE(8 + size, 4);
  datagram.set(data, 8);
  const bytes = ipPacket(UDP, from, to, datagram, 6, size - data.length);
  return { bytes, length: bytes.length + size - data.length };
}

/**
 * Puts a header of IPv4 (RFC 791) or IPv6 (RFC 8200) before `payload`, whose checksum goes to
 * `checksumAt`. `missing` bytes at the end of the payload are not known.
 */
function ipPacket(
  protocol: number,
  { address: from }: End,
  { address: to }: End,
  payload: Buffer,
  checksumAt: number,
  missing: number,
): Buffer {
  const length = payload.length + missing;
  const sum = sumOf(from) + sumOf(to) + protocol + length + sumOf(payload);
  const checksum = checksumOf(sum);
  // A UDP checksum of 0 would mean that there is none (RFC 768).
  payload.writeUInt16BE(checksum === 0 && protocol === UDP ? 0xffff : checksum, checksumAt);
  const header = from.length === 4
    ? ipv4Header(protocol, from, to, length)
    : ipv6Header(protocol, from, to, length);
  return Buffer.concat([header, payload]);
}

function ipv4Header(protocol: number, from: Uint8Array, to: Uint8Array, length: number): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + length, 2);
  header[6] = 0x40;
  header[8] = 64;
  header[9] = protocol;
  header.set(from, 12);
  header.set(to, 16);
  header.writeUInt16BE(checksumOf(sumOf(header)), 10);
  return header;
}

function ipv6Header(protocol: number, from: Uint8Array, to: Uint8Array, length: number): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(length, 4);
  header[6] = protocol;
  header[7] = 64;
  header.set(from, 8);
  header.set(to, 24);
  return header;
}

/** The sum of the 16-bit words, the last one filled up with zeros (RFC 1071). */
function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  return even === bytes.length ? sum : sum + (bytes[even] << 8);
}

function checksumOf(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
