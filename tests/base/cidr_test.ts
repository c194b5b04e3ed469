import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type Cidr, CidrSet, formatIP, parseCidr, parseIP } from "../../lib/base/ip.ts";
import { share } from "../support/cases.ts";
import { test } from "../support/runner.deno.ts";

const write = ({ bytes, prefix }: Cidr) => `${formatIP(bytes)}/${prefix}`;

test("cidr: networks and single addresses of both families are read", () => {
  const right: [text: string, read: string][] = [
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["172.16.0.0/12", "172.16.0.0/12"],
    ["192.0.2.254/31", "192.0.2.254/31"],
    ["192.0.2.7/32", "192.0.2.7/32"],
    ["192.0.2.7", "192.0.2.7/32"],
    ["255.255.255.255", "255.255.255.255/32"],
    ["::/0", "::/0"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["2001:db8:0:8000::/49", "2001:db8:0:8000::/49"],
    ["fe80::/10", "fe80::/10"],
    ["::1", "::1/128"],
    ["1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/128"],
    // IPv4 in IPv6 clothes.
    ["::ffff:0:0/96", "0.0.0.0/0"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:192.0.2.7", "192.0.2.7/32"],
    // These have it in them, and much else.
    ["::/80", "::/80"],
    ["::fffe:0:0/95", "::fffe:0:0/95"],
  ];
  for (const [text, read] of right) assert.equal(write(parseCidr(text)), read);
});

test("cidr: what is no network is told with what to write instead", () => {
  const wrong: [text: string, message: string][] = [
    [
      "10.0.0.1/8",
      "'10.0.0.1/8' has bits set after its first 8: write 10.0.0.0/8 for the network, or 10.0.0.1 for the one address",
    ],
    [
      "192.0.2.129/24",
      "'192.0.2.129/24' has bits set after its first 24: write 192.0.2.0/24 for the network, or 192.0.2.129 for the one address",
    ],
    [
      "1.2.3.4/0",
      "'1.2.3.4/0' has bits set after its first 0: write 0.0.0.0/0 for the network, or 1.2.3.4 for the one address",
    ],
    [
      "2001:db8::1/32",
      "'2001:db8::1/32' has bits set after its first 32: write 2001:db8::/32 for the network, or 2001:db8::1 for the one address",
    ],
    [
      "10.0.0.0/33",
      "'10.0.0.0/33': the slash of an IPv4 network takes a number from 0 to 32, not '33'",
    ],
    [
      "1.2.3.4/032",
      "'1.2.3.4/032': the slash of an IPv4 network takes a number from 0 to 32, not '032'",
    ],
    [
      "10.0.0.0/255.0.0.0",
      "'10.0.0.0/255.0.0.0': the slash of an IPv4 network takes a number from 0 to 32, not '255.0.0.0'",
    ],
    [
      "10.0.0.0/",
      "'10.0.0.0/': the slash of an IPv4 network takes a number from 0 to 32, not ''",
    ],
    [
      "10.0.0.0/-1",
      "'10.0.0.0/-1': the slash of an IPv4 network takes a number from 0 to 32, not '-1'",
    ],
    [
      "10.0.0.0/8/8",
      "'10.0.0.0/8/8': the slash of an IPv4 network takes a number from 0 to 32, not '8/8'",
    ],
    [
      "::/129",
      "'::/129': the slash of an IPv6 network takes a number from 0 to 128, not '129'",
    ],
    ["fe80::1%eth0", "'fe80::1%eth0' has a zone: write fe80::1, which is for all"],
    ["fe80::%eth0/64", "'fe80::%eth0/64' has a zone: write fe80::/64, which is for all"],
    ...[
      "",
      "/8",
      "10/8",
      "10.0.0/8",
      "010.0.0.0/8",
      "256.0.0.0",
      "localhost",
      "[::1]",
      "::1::",
      " 10.0.0.0/8",
      "127.0.0.1:80",
    ].map((text): [string, string] => [
      text,
      `'${text}' is neither an IP address nor a network: write 192.0.2.7, 192.0.2.0/24, ::1 or 2001:db8::/32`,
    ]),
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parseCidr(text), new TypeError(message));
  }
});

test("cidr: a network has its first and last address, and not those before and behind", () => {
  const edges: [cidr: string, inside: string[], outside: string[]][] = [
    ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "::1.2.3.4"]],
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "a00::"]],
    ["192.0.2.4/30", ["192.0.2.4", "192.0.2.7"], ["192.0.2.3", "192.0.2.8"]],
    ["192.0.2.7/32", ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"], [
      "192.0.2.6",
      "192.0.2.8",
    ]],
    ["::/0", ["::", "ffff::1", "fe80::1%eth0"], ["0.0.0.0", "::ffff:1.2.3.4"]],
    ["fe80::/10", ["fe80::", "febf::ffff", "fe80::1%2"], ["fec0::", "fe7f::"]],
    ["2001:db8::8/125", ["2001:db8::8", "2001:db8::f"], ["2001:db8::7", "2001:db8::10"]],
    ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::", "::2", "0.0.0.1"]],
  ];
  for (const [cidr, inside, outside] of edges) {
    const set = new CidrSet([parseCidr(cidr)]);
    for (const host of inside) assert.ok(set.has(host), `${host} is in ${cidr}`);
    for (const host of outside) assert.ok(!set.has(host), `${host} is not in ${cidr}`);
  }
  assert.ok(!new CidrSet([]).has("10.0.0.1"), "in none");
  assert.ok(!new CidrSet([parseCidr("0.0.0.0/0")]).has("localhost"), "a name is nowhere");
});

/** The model: all bits of an address as one number. */
const bitsOf = (bytes: readonly number[]) =>
  bytes.reduce((bits, byte) => bits << 8n | BigInt(byte), 0n);

test("cidr: a set has an address if and only if one of its networks has it", () => {
  for (const length of [4, 16]) {
    const total = 8 * length;
    // Few bits differ, so that networks nest, touch and repeat.
    const address = fc.array(fc.constantFrom(0, 1, 0x80, 0xfe, 0xff), {
      minLength: length,
      maxLength: length,
    });
    const network = fc.tuple(address, fc.integer({ min: 0, max: total })).map(([bytes, prefix]) => {
      const hostBits = BigInt(total - prefix);
      return { first: bitsOf(bytes) >> hostBits << hostBits, prefix, hostBits };
    });
    const bytesOf = (bits: bigint) =>
      Array.from({ length }, (_, i) => Number(bits >> BigInt(total - 8 - 8 * i) & 0xffn));
    const property = fc.property(
      fc.array(network, { minLength: 1, maxLength: 20 }),
      fc.array(address, { maxLength: 5 }),
      (networks, addresses) => {
        const set = new CidrSet(
          networks.map(({ first, prefix }) => parseCidr(write({ bytes: bytesOf(first), prefix }))),
        );
        const edges = networks.flatMap(({ first, hostBits }) => {
          const behind = first + (1n << hostBits);
          return [first - 1n, first, behind - 1n, behind].map((bits) =>
            BigInt.asUintN(total, bits)
          );
        });
        for (const bits of [...addresses.map(bitsOf), ...edges]) {
          const wanted = networks.some(({ first, hostBits }) =>
            first >> hostBits === bits >> hostBits
          );
          const host = formatIP(bytesOf(bits));
          assert.equal(set.has(host), wanted, host);
        }
      },
    );
    fc.assert(property, { seed: 4, numRuns: share(500) });
  }
});

test("cidr: an address is written as it is read", () => {
  const address = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(address, (bytes) => {
      for (const some of [bytes, bytes.slice(12)]) assert.deepEqual(parseIP(formatIP(some)), some);
    }),
    { seed: 4 },
  );
  assert.equal(formatIP(parseIP("2001:0DB8:0:0:1:0:0:1")!), "2001:db8::1:0:0:1");
});

test("cidr: 100,000 addresses are looked up among 100,000 networks, which one by one takes hours", () => {
  const first = (i: number) => [i >> 9 & 0xff, i >> 1 & 0xff, (i & 1) << 7, 0];
  const cidrs = Array.from({ length: 100_000 }, (_, i) => ({ bytes: first(i), prefix: 26 }));
  const set = new CidrSet(cidrs.toReversed());
  for (let i = 0; i < 100_000; i++) {
    const [a, b, c] = first(i);
    assert.equal(set.has(`${a}.${b}.${c + i % 128}.9`), i % 128 === 0);
    assert.equal(set.has(`${a}.${b}.${c}.63`), true);
    assert.equal(set.has(`${a}.${b}.${c}.64`), false);
  }
});
