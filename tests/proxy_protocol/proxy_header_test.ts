// Headers of the PROXY protocol as bytes: which are valid, what they say, and that it does not matter
// how they are split.

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { tcpAddr, unixAddr } from "../../lib/base/addr.ts";
import type { Addr } from "../../lib/base/addr.ts";
import { formatIP, isMapped, parseIP } from "../../lib/base/ip.ts";
import { crc32c } from "../../lib/proxy_protocol/crc32c.ts";
import {
  type ParsedProxyHeader,
  parseProxyHeader,
  type ProxyHeader,
  proxyHeader,
  ProxyHeaderError,
  type ProxyHeaderOptions,
} from "../../lib/proxy_protocol/mod.ts";
import { share } from "../support/cases.ts";
import { bytes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

const SEED = 1216;
const SIGNATURE = [..."\r\n\r\n\0\r\nQUIT\n"].map((sign) => sign.charCodeAt(0));
const CLIENT = tcpAddr("192.0.2.1", 50_000);
const SERVER = tcpAddr("198.51.100.1", 443);

/** A header of version 2: its command, its family, and what comes behind the length. */
function v2(command: number, family: number, block: readonly number[] = []): Uint8Array {
  const length = [block.length >> 8, block.length & 0xff];
  return Uint8Array.of(...SIGNATURE, command, family, ...length, ...block);
}

/** From 192.0.2.1 port 50000 to 198.51.100.1 port 443. */
const IPV4 = [192, 0, 2, 1, 198, 51, 100, 1, 0xc3, 0x50, 1, 0xbb];

function field(type: number, value: readonly number[]): number[] {
  return [type, value.length >> 8, value.length & 0xff, ...value];
}

/** The same with a checksum in its last field, `off` from the right one. */
function withSum(command: number, family: number, block: readonly number[], off = 0): Uint8Array {
  const header = v2(command, family, [...block, ...field(3, [0, 0, 0, 0])]);
  new DataView(header.buffer).setUint32(header.length - 4, (crc32c(header) + off) >>> 0);
  return header;
}

function reads(header: Uint8Array): ProxyHeader {
  const parsed = parseProxyHeader(header);
  assert.equal(parsed?.length, header.length);
  return parsed!.header;
}

test("proxy header: version 1 is one line, and its addresses are those of the client", () => {
  const v6 = [tcpAddr("2001:db8::1", 1), tcpAddr("2001:db8::2", 0)];
  const cases: [line: string, source: Addr | undefined, destination: Addr | undefined][] = [
    ["TCP4 192.0.2.1 198.51.100.1 50000 443", CLIENT, SERVER],
    ["TCP6 2001:db8::1 2001:DB8:0:0:0:0:0:2 1 0", v6[0], v6[1]],
    ["TCP6 ::ffff:192.0.2.1 ::ffff:c633:6401 50000 443", CLIENT, SERVER],
    ["UNKNOWN", undefined, undefined],
    ["UNKNOWN ::1 what ever 99999", undefined, undefined],
    // 107 bytes in all, as many as there may be.
    [`UNKNOWN ${"x".repeat(91)}`, undefined, undefined],
  ];
  for (const [line, source, destination] of cases) {
    const header = reads(bytes(`PROXY ${line}\r\n`));
    assert.deepEqual(header, { version: 1, source, destination, fields: [] }, line);
  }
});

test("proxy header: a line that is not exactly as the specification has it is refused", () => {
  const lines = [
    "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443 \r\n",
    "PROXY TCP4  192.0.2.1 198.51.100.1 50000 443\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 50000\r\n",
    "PROXY TCP4 192.0.2.01 198.51.100.1 50000 443\r\n",
    "PROXY TCP4 192.0.2.256 198.51.100.1 50000 443\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 050000 443\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 50000 443\r\n",
    "PROXY TCP6 192.0.2.1 198.51.100.1 50000 443\r\n",
    "PROXY TCP6 fe80::1%eth0 ::1 50000 443\r\n",
    "PROXY TCP5 192.0.2.1 198.51.100.1 50000 443\r\n",
    "PROXY UNKNOWNS\r\n",
    "PROXY \r\n",
    "proxy TCP4 192.0.2.1 198.51.100.1 50000 443\r\n",
    "GET / HTTP/1.1\r\n",
    "\r\n\r\n\r\n",
    `PROXY UNKNOWN ${"x".repeat(92)}\r\n`,
    `PROXY UNKNOWN ${"x".repeat(93)}`,
  ];
  for (const line of lines) {
    assert.throws(() => parseProxyHeader(bytes(line)), ProxyHeaderError, line);
  }
});

test("proxy header: version 2 has addresses of IPv4, IPv6 and Unix sockets, and fields", () => {
  const none = { source: undefined, destination: undefined };
  const path = [...bytes("/run/a.sock"), ...Array(97).fill(0)];
  const mapped = [
    ...Array(10).fill(0),
    0xff,
    0xff,
    192,
    0,
    2,
    1,
    ...Array(15).fill(0),
    1,
    0,
    7,
    0,
    8,
  ];
  const sni = field(2, [...bytes("example.com")]);
  const cases: [header: Uint8Array, expected: Partial<ProxyHeader>, fields?: number][] = [
    [v2(0x21, 0x11, IPV4), { source: CLIENT, destination: SERVER }],
    [
      v2(0x21, 0x11, [...IPV4, ...sni, ...field(4, [])]),
      { source: CLIENT, destination: SERVER },
      2,
    ],
    [v2(0x21, 0x21, mapped), { source: tcpAddr("192.0.2.1", 7), destination: tcpAddr("::1", 8) }],
    [v2(0x21, 0x31, [...path, ...Array(108).fill(0)]), {
      source: unixAddr("/run/a.sock"),
      destination: unixAddr(""),
    }],
    [withSum(0x21, 0x11, IPV4), { source: CLIENT, destination: SERVER }, 1],
    // Nobody is named: the proxy itself, somebody unknown, or who sends datagrams.
    [v2(0x20, 0), none],
    [v2(0x20, 0x11, IPV4), none],
    [v2(0x20, 0xff, [1, 2, 3]), none],
    [v2(0x21, 0), none],
    [v2(0x21, 0, sni), none, 1],
    [v2(0x21, 0x01, [1, 2, 3]), none],
    [v2(0x21, 0x10, [1, 2, 3]), none],
    [v2(0x21, 0x12, IPV4), none],
    // As many bytes as there may be.
    [v2(0x21, 0, field(4, Array(4096 - 16 - 3).fill(9))), none, 1],
  ];
  for (const [header, expected, fields = 0] of cases) {
    const { fields: found, ...rest } = reads(header);
    assert.deepEqual(rest, { version: 2, ...expected });
    assert.equal(found.length, fields);
  }
  const { fields: [name] } = reads(v2(0x21, 0x11, [...IPV4, ...sni]));
  assert.deepEqual(name, { type: 2, value: bytes("example.com") });
});

test("proxy header: version 2 with another version, a cut block or a wrong checksum is refused", () => {
  const cases: [header: Uint8Array, why: RegExp][] = [
    [v2(0x11, 0x11, IPV4), /version is 1/],
    [v2(0x22, 0x11, IPV4), /command is 2/],
    [v2(0x21, 0x41, IPV4), /family is 0x41/],
    [v2(0x21, 0x13, IPV4), /family is 0x13/],
    [v2(0x21, 0x11, IPV4.slice(1)), /addresses are cut off/],
    [v2(0x21, 0x31, IPV4), /addresses are cut off/],
    [v2(0x21, 0x11, [...IPV4, 4]), /last field is cut off/],
    [v2(0x21, 0x11, [...IPV4, 4, 0, 2, 9]), /last field is cut off/],
    [withSum(0x21, 0x11, IPV4, 1), /checksum is wrong/],
    [v2(0x21, 0x11, [...IPV4, ...field(3, [1])]), /checksum is wrong/],
    [v2(0x21, 0, Array(4096 - 16 + 1).fill(0)), /has 4097 bytes, and at most 4096/],
  ];
  for (const [header, why] of cases) {
    assert.throws(() => parseProxyHeader(header), { name: "ProxyHeaderError", message: why });
  }
  // So large a header is refused before it has come.
  assert.throws(() => parseProxyHeader(Uint8Array.of(...SIGNATURE, 0x21, 0, 0xff, 0xff)), /65551/);
});

test("proxy header: the checksum is CRC-32C", () => {
  assert.equal(crc32c(bytes("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
});

/** What the first bytes come to: nothing yet, a header, or why they are none. */
function verdictOf(header: Uint8Array): ParsedProxyHeader | string | undefined {
  try {
    return parseProxyHeader(header);
  } catch (error) {
    assert.ok(error instanceof ProxyHeaderError, String(error));
    return error.message;
  }
}

/** The verdict that comes first when bytes come one by one; it must be the last one, too. */
function firstVerdict(stream: Uint8Array): ParsedProxyHeader | string | undefined {
  const verdicts = Array.from(stream, (_, i) => verdictOf(stream.subarray(0, i + 1)));
  const at = verdicts.findIndex((verdict) => verdict !== undefined);
  if (at < 0) return undefined;
  for (const later of verdicts.slice(at)) assert.deepEqual(later, verdicts[at]);
  const first = verdicts[at];
  if (typeof first === "object") {
    assert.equal(first.length, at + 1, "A byte too many was waited for");
  }
  return first;
}

const ip = fc.oneof(fc.ipV4(), fc.ipV6());
const port = fc.nat(65_535);
const address = fc.tuple(ip, port).map(([host, port]) => tcpAddr(host, port));
const path = fc.string({ unit: "grapheme", maxLength: 25 }).filter((text) => !text.includes("\0"))
  .map(unixAddr);

test("proxy header: fuzz: what is written is read, split anywhere, whatever comes behind", () => {
  const ends = fc.oneof(fc.tuple(address, address), fc.tuple(path, path));
  const version = fc.constantFrom<1 | 2>(1, 2);
  const behind = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(version, ends, behind, (version, [source, destination], behind) => {
      const header = proxyHeader({ version, source, destination } as ProxyHeaderOptions);
      const found = firstVerdict(Uint8Array.of(...header, ...behind)) as ParsedProxyHeader;
      assert.equal(found.length, header.length);
      const isUnix = source.transport === "unix";
      const unknown = isUnix && version === 1;
      assert.deepEqual(canonical(found.header.source), unknown ? undefined : canonical(source));
      assert.deepEqual(
        canonical(found.header.destination),
        unknown ? undefined : canonical(destination),
      );
    }),
    { seed: SEED, numRuns: share(500) },
  );
});

/** An address in the one way that it is written here. */
function canonical(addr: Addr | undefined): Addr | undefined {
  if (addr?.transport !== "tcp") return addr;
  const ip = parseIP(addr.host)!;
  return tcpAddr(formatIP(isMapped(ip) ? ip.slice(12) : ip), addr.port);
}

test("proxy header: fuzz: broken bytes have one verdict, however they are split", () => {
  const valid = fc.constantFrom(
    bytes("PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n"),
    bytes("PROXY TCP6 ::1 ::2 1 2\r\n"),
    bytes("PROXY UNKNOWN\r\n"),
    v2(0x21, 0x11, [...IPV4, ...field(2, [...bytes("a")]), ...field(0x20, [1, 0, 0, 0, 0])]),
    withSum(0x21, 0x11, IPV4),
    v2(0x20, 0),
  );
  const change = fc.tuple(fc.nat(80), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(valid, fc.array(change, { maxLength: 3 }), (header, changes) => {
      const broken = header.slice();
      for (const [at, byte] of changes) broken[at % broken.length] = byte;
      const verdict = firstVerdict(broken);
      if (changes.length === 0) assert.equal(typeof verdict, "object");
    }),
    { seed: SEED, numRuns: share(2000) },
  );
});

test("proxyHeader(): two ends that no header has both of are said to be unknown", () => {
  const unknown = bytes("PROXY UNKNOWN\r\n");
  const local = v2(0x20, 0);
  const pairs: [source?: Addr, destination?: Addr][] = [
    [],
    [CLIENT, undefined],
    [CLIENT, unixAddr("/run/a.sock")],
    [unixAddr("x".repeat(109)), unixAddr("")],
  ];
  for (const [source, destination] of pairs) {
    assert.deepEqual(proxyHeader({ version: 1, source, destination }), unknown);
    assert.deepEqual(proxyHeader({ version: 2, source, destination }), local);
  }
  // Where one end is of IPv6, the other one is written as such.
  const mixed = { source: CLIENT, destination: tcpAddr("fe80::1%eth0", 443) };
  assert.equal(
    new TextDecoder().decode(proxyHeader({ version: 1, ...mixed })),
    "PROXY TCP6 ::ffff:c000:201 fe80::1 50000 443\r\n",
  );
  assert.deepEqual(reads(proxyHeader({ version: 2, ...mixed })).source, CLIENT);
  assert.throws(
    () => proxyHeader({ version: 3 as 2 }),
    /takes the option version as 1 or 2, not 3/,
  );
  assert.throws(() => proxyHeader({ version: 2, source: "::1" as never }), /an address, such as/);
});
