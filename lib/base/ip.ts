/**
 * IP address literals as bytes, and back, and the networks that they are in.
 *
 * @module
 */

/** The 4 or 16 bytes of an address literal; undefined for other text. */
export function parseIP(text: string): number[] | undefined {
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

/** The same, and IPv6 may have a zone (RFC 4007 section 11), which is left out: `fe80::1%eth0`. */
export function parseScopedIP(text: string): number[] | undefined {
  const zone = text.indexOf("%");
  if (zone < 0) return parseIP(text);
  return zone === text.length - 1 ? undefined : parseIPv6(text.slice(0, zone));
}

const BYTE = String.raw`(0|[1-9]\d{0,2})`;

const IPV4 = new RegExp(String.raw`^${BYTE}\.${BYTE}\.${BYTE}\.${BYTE}$`);

/** As inet_pton(3): a leading zero is refused, which others read as octal (RFC 6943 section 3.1.1). */
function parseIPv4(text: string): number[] | undefined {
  const parts = IPV4.exec(text);
  if (parts === null) return undefined;
  const bytes = [Number(parts[1]), Number(parts[2]), Number(parts[3]), Number(parts[4])];
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** RFC 4291 section 2.2: eight groups, `::` for those that are zero, the last two as IPv4. */
function parseIPv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groups);
  if (head === undefined || halves.length === 2 && tail === undefined) return undefined;
  if (tail === undefined) return head.length === 16 ? head : undefined;
  const missing = 16 - head.length - tail.length;
  return missing < 2 ? undefined : [...head, ...Array(missing).fill(0), ...tail];
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1 ? parseIPv4(part) : undefined;
    if (last !== undefined) bytes.push(...last);
    else if (!/^[\da-f]{1,4}$/i.test(part)) return undefined;
    else bytes.push(parseInt(part, 16) >> 8, parseInt(part, 16) & 0xff);
  }
  return bytes;
}

/** Whether a name or an address leads to this machine alone. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  const bytes = parseScopedIP(host);
  if (bytes === undefined) return false;
  return bytes.length === 4 ? bytes[0] === 127 : formatIP(bytes) === "::1";
}

/** Writes 4 or 16 bytes as an address literal; IPv6 in its short form (RFC 5952). */
export function formatIP(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = bytes.filter((_, i) => i % 2 === 0)
    .map((high, i) => (high << 8 | bytes[2 * i + 1]).toString(16));
  // The URL standard writes addresses as RFC 5952 does.
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** The addresses that have the first `prefix` bits in common. */
export interface Cidr {
  /** The first address, 4 or 16 bytes; the bits after the prefix are zero. */
  readonly bytes: readonly number[];
  /** The number of bits that count: 0 to 32, or to 128 for IPv6. */
  readonly prefix: number;
}

/**
 * Reads a network, `192.0.2.0/24`, or one address, `192.0.2.7`. IPv4 in IPv6 clothes
 * (`::ffff:192.0.2.0/120`) is IPv4.
 *
 * Throws a `TypeError` that says what to write instead, also if bits after the prefix are set: such
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
      `'${text}': the slash of an ${family} network takes a number from 0 to ${bits}, not ` +
        `'${digits}'`,
    );
  }
  const network = bytes.map((byte, i) => byte & maskOf(prefix - 8 * i));
  if (network.some((byte, i) => byte !== bytes[i])) {
    throw new TypeError(
      `'${text}' has bits set after its first ${prefix}: write ${
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

/** Whether an address is IPv4 in IPv6 clothes, `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
export function isMapped(bytes: readonly number[]): boolean {
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
