/**
 * The first message of a TLS client (RFC 8446 section 4.1.2). A TLS server answers nothing else.
 *
 * @module
 */

import { parseIP } from "../../base/ip.ts";

/** The first message of a client. */
export const CLIENT_HELLO = 1;

/** The first message of a server. */
export const SERVER_HELLO = 2;

/** The type of a record with messages of the handshake. */
export const HANDSHAKE = 22;

/** The type of a record that reports an error. */
export const ALERT = 21;

/** Cipher suites of TLS 1.3 and 1.2, and the oldest ones that servers still take. */
const SUITES = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x9c, 0x2f];
const GROUPS = [0x1d, 0x17, 0x18];
const SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0807];
const VERSIONS = [0x0304, 0x0303];

const u16 = (n: number) => [n >> 8, n & 0xff];
const u16s = (numbers: readonly number[]) => numbers.flatMap(u16);
/** A vector after its length. */
const in8 = (bytes: readonly number[]) => [bytes.length, ...bytes];
const in16 = (bytes: readonly number[]) => [...u16(bytes.length), ...bytes];
const extension = (type: number, bytes: readonly number[]) => [...u16(type), ...in16(bytes)];

/** Makes the record. It names `host`, unless that is an IP address. */
export function clientHello(host: string): Uint8Array {
  const name = [...new TextEncoder().encode(host)];
  const serverName = parseIP(host) === undefined && name.length < 256
    ? extension(0, in16([0, ...in16(name)]))
    : [];
  const extensions = [
    ...serverName,
    ...extension(10, in16(u16s(GROUPS))),
    ...extension(13, in16(u16s(SIGNATURES))),
    ...extension(43, in8(u16s(VERSIONS))),
    // No key share: the server asks for one, which is answer enough.
    ...extension(51, in16([])),
  ];
  const body = [
    ...u16(0x0303),
    ...crypto.getRandomValues(new Uint8Array(32)),
    ...in8([]),
    ...in16(u16s(SUITES)),
    ...in8([0]),
    ...in16(extensions),
  ];
  const message = [CLIENT_HELLO, 0, ...in16(body)];
  return Uint8Array.from([HANDSHAKE, 3, 1, ...in16(message)]);
}
