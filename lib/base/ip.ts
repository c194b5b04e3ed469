/**
 * IP address literals as bytes, and back.
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

/** As inet_pton(3): a leading zero is refused, which others read as octal (RFC 6943 section 3.1.1). */
function parseIPv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) {
    return undefined;
  }
  const bytes = parts.map(Number);
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
