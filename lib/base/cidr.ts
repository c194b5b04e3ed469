/**
 * Networks in CIDR notation (RFC 4632, RFC 4291 section 2.3), and sets of them.
 *
 * @module
 */

import { formatIP, parseIP, parseScopedIP } from "./ip.ts";

/** The addresses that have the first `prefix` bits in common. */
export interface Cidr {
  /** The first address, 4 or 16 bytes; the bits behind the prefix are zero. */
  readonly bytes: readonly number[];
  /** How many bits count: 0 to 32, or to 128 for IPv6. */
  readonly prefix: number;
}

/**
 * Reads a network, `192.0.2.0/24`, or one address, `192.0.2.7`. IPv4 in IPv6 clothes
 * (`::ffff:192.0.2.0/120`) is IPv4.
 *
 * Throws a `TypeError` that says what to write instead, also if bits behind the prefix are set: such
 * a line means either the network or the address, and nobody knows which.
 */
export function parseCidr(text: string): Cidr {
  const [, address, slash, digits] = /^([^/]*)(\/?)(.*)$/s.exec(text)!;
  if (address.includes("%")) {
    throw new TypeError(
      `'${text}' has a zone: write ${text.replace(/%[^/]*/, "")}, which is for all`,
    );
  }
  const bytes = parseIP(address);
  if (bytes === undefined) {
    throw new TypeError(
      `'${text}' is neither an IP address nor a network: write 192.0.2.7, 192.0.2.0/24, ::1 or ` +
        "2001:db8::/32",
    );
  }
  const bits = bytes.length * 8;
  const prefix = slash === "" ? bits : /^(0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : NaN;
  if (!(prefix <= bits)) {
    const family = bits === 32 ? "IPv4" : "IPv6";
    throw new TypeError(
      `'${text}': behind the slash of an ${family} network stands a number from 0 to ${bits}, not ` +
        `'${digits}'`,
    );
  }
  const network = bytes.map((byte, i) => byte & maskOf(prefix - 8 * i));
  if (network.some((byte, i) => byte !== bytes[i])) {
    throw new TypeError(
      `'${text}' has bits set behind its first ${prefix}: write ${
        formatIP(network)
      }/${prefix} for ` +
        `the network, or ${formatIP(bytes)} for the one address`,
    );
  }
  return prefix >= 96 && isMapped(network)
    ? { bytes: network.slice(12), prefix: prefix - 96 }
    : { bytes: network, prefix };
}

/** The byte whose first `bits` bits are set; none if that is negative. */
function maskOf(bits: number): number {
  return bits <= 0 ? 0 : 0xff << Math.max(8 - bits, 0) & 0xff;
}

/** RFC 4291 section 2.5.5.2: `::ffff:0:0/96`. */
function isMapped(bytes: readonly number[]): boolean {
  return bytes.length === 16 && bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
}

/**
 * A set of networks. To look an address up takes the logarithm of their number. `BlockList` of
 * node:net tries one after the other (0.2 ms of 20,000 networks), and the runtimes do not agree on
 * whether `::/0` has the IPv4 addresses in it.
 */
export class CidrSet {
  readonly #v4: readonly Cidr[];
  readonly #v6: readonly Cidr[];

  /** Takes networks in any order; they may overlap. */
  constructor(cidrs: readonly Cidr[]) {
    this.#v4 = disjoint(cidrs.filter(({ bytes }) => bytes.length === 4));
    this.#v6 = disjoint(cidrs.filter(({ bytes }) => bytes.length === 16));
  }

  /** Returns whether an address literal is in one of the networks. Its zone does not count. */
  has(host: string): boolean {
    const parsed = parseScopedIP(host);
    if (parsed === undefined) return false;
    const bytes = isMapped(parsed) ? parsed.slice(12) : parsed;
    const cidrs = bytes.length === 4 ? this.#v4 : this.#v6;
    // The last network that begins at the address or before it is the only one that can have it.
    let from = 0;
    let to = cidrs.length;
    while (from < to) {
      const middle = from + to >> 1;
      if (compare(cidrs[middle].bytes, bytes) <= 0) from = middle + 1;
      else to = middle;
    }
    return from > 0 && covers(cidrs[from - 1], bytes);
  }
}

/** The networks in order, without those that are in another one: two of them never just overlap. */
function disjoint(cidrs: readonly Cidr[]): Cidr[] {
  const kept: Cidr[] = [];
  const wideFirst = (a: Cidr, b: Cidr) => compare(a.bytes, b.bytes) || a.prefix - b.prefix;
  for (const cidr of cidrs.toSorted(wideFirst)) {
    const last = kept.at(-1);
    if (last === undefined || !covers(last, cidr.bytes)) kept.push(cidr);
  }
  return kept;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

function covers({ bytes, prefix }: Cidr, address: readonly number[]): boolean {
  for (let i = 0; 8 * i < prefix; i++) {
    if (bytes[i] !== (address[i] & maskOf(prefix - 8 * i))) return false;
  }
  return true;
}
