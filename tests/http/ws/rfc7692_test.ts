// The MUSTs of RFC 7692, sections 5 to 7, on permessage-deflate; those on the bit RSV1 are in
// ws_frame_test.ts, too.

import assert from "node:assert/strict";
import { Buffer, isUtf8 } from "node:buffer";
import process from "node:process";
import { constants, deflateRawSync } from "node:zlib";
import {
  acceptDeflate,
  agreedDeflate,
  Deflate,
  DEFLATE_OFFER,
  parseExtensions,
} from "../../../lib/http/ws/deflate.ts";
import { bytes } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";
import { BINARY, CONTINUATION, engine, PING, TEXT } from "./ws_peer.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** A message, compressed as a peer would do it. */
function compressed(message: Uint8Array, windowBits = 15): Buffer {
  const all = deflateRawSync(message, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  return all.subarray(0, -4);
}

const OFFERS: readonly [offer: string, accepted: string | undefined][] = [
  ["permessage-deflate", ""],
  ["PerMessage-Deflate", ""],
  ["permessage-deflate; client_max_window_bits", ""],
  ["permessage-deflate; client_max_window_bits=8", ""],
  ["permessage-deflate; server_no_context_takeover; client_no_context_takeover", ""],
  ["permessage-deflate; server_max_window_bits=9", "; server_max_window_bits=9"],
  ['permessage-deflate; server_max_window_bits="15"', "; server_max_window_bits=15"],
  // What zlib cannot do, so the next offer counts.
  ["permessage-deflate; server_max_window_bits=8, permessage-deflate", ""],
  ["permessage-deflate; server_max_window_bits=8", undefined],
  ["permessage-deflate; server_max_window_bits", undefined],
  ["permessage-deflate; server_max_window_bits=16", undefined],
  ["permessage-deflate; server_max_window_bits=7", undefined],
  ["permessage-deflate; server_max_window_bits=09", undefined],
  ["permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", undefined],
  ["permessage-deflate; client_max_window_bits=16", undefined],
  ["permessage-deflate; server_no_context_takeover=1", undefined],
  ["permessage-deflate; client_no_context_takeover; client_no_context_takeover", undefined],
  ["permessage-deflate; unknown", undefined],
  ["x-webkit-deflate-frame", undefined],
];

test("RFC 7692 7.1: offers that cannot be kept are declined; contexts are kept on neither side", () => {
  const base = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  for (const [offer, accepted] of OFFERS) {
    const expected = accepted === undefined ? undefined : base + accepted;
    assert.equal(acceptDeflate(parseExtensions(offer)!)?.text, expected, offer);
  }
});

const KEPT = "permessage-deflate; server_no_context_takeover";

const RESPONSES: readonly [response: string, windowBits: number | undefined][] = [
  [KEPT, 15],
  [`${KEPT}; client_no_context_takeover`, 15],
  [`${KEPT}; client_max_window_bits=9; server_max_window_bits=8`, 9],
  [`${KEPT}; client_max_window_bits=8`, 8],
  ["permessage-deflate", undefined],
  [`${KEPT}; server_no_context_takeover`, undefined],
  [`${KEPT}=1`, undefined],
  [`${KEPT}; client_max_window_bits`, undefined],
  [`${KEPT}; client_max_window_bits=16`, undefined],
  [`${KEPT}; server_max_window_bits`, undefined],
  [`${KEPT}; unknown`, undefined],
  [`${KEPT}, ${KEPT}`, undefined],
  ["other", undefined],
];

test("RFC 7692 7.1: a client fails the connection if a response does not fit its offer", () => {
  assert.notEqual(acceptDeflate(parseExtensions(DEFLATE_OFFER)!), undefined);
  for (const [response, windowBits] of RESPONSES) {
    const agreed = agreedDeflate(parseExtensions(response)!);
    assert.deepEqual(agreed, windowBits && { windowBits }, response);
  }
});

test("RFC 6455 9.1: extensions are tokens with parameters, whose values may be quoted tokens", () => {
  assert.deepEqual(parseExtensions(' a ; b = "c";d , e;f=1'), [
    { name: "a", parameters: [["b", "c"], ["d", true]] },
    { name: "e", parameters: [["f", "1"]] },
  ]);
  assert.deepEqual(parseExtensions(" , a,, \t,b ,"), [
    { name: "a", parameters: [] },
    { name: "b", parameters: [] },
  ]);
  for (
    const bad of ["a b", "a;", "a; b=", 'a; b="', 'a; b="c d"', 'a; b=""', "a; =c", "a=b", "a;;b"]
  ) {
    assert.equal(parseExtensions(bad), undefined, bad);
  }
});

test("RFC 7692 7.1: a long field is parsed in linear time", () => {
  const started = performance.now();
  parseExtensions(`a${" ".repeat(50_000)}b`);
  parseExtensions("a" + "; b=c".repeat(20_000));
  // Quadratic, it would take minutes.
  assert.ok(performance.now() - started < 20_000);
});

const EXAMPLES: readonly [section: string, what: string, payload: string, message: string][] = [
  ["7.2.3.1", "one block", "f2 48 cd c9 c9 07 00", "Hello"],
  ["7.2.3.3", "a block without compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"],
  ["7.2.3.4", "a block marked as the last one", "f3 48 cd c9 c9 07 00 00", "Hello"],
  ["7.2.3.4", "two such blocks", "f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00", "HelloHello"],
  [
    "7.2.3.4",
    "another block behind one",
    "f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00",
    "HelloHello",
  ],
  ["7.2.3.4", "a last block without a byte behind it", "f3 48 cd c9 c9 07 00", "Hello"],
  ["7.2.3.5", "two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"],
  ["7.2.3.6", "an empty message", "00", ""],
  ["7.2.3.6", "an empty payload", "", ""],
];

for (const [section, what, payload, message] of EXAMPLES) {
  test(`RFC 7692 ${section}: ${what} is inflated, in any fragments, and in each role`, async () => {
    const all = hex(payload);
    for (const role of ["client", "server"] as const) {
      using end = await engine(role, { deflate: true });
      for (let cut = 0; cut <= all.length; cut++) {
        await end.peer.send(
          { opcode: TEXT, rsv: 4, fin: false, payload: all.subarray(0, cut) },
          { opcode: PING, payload: bytes("between") },
          { opcode: CONTINUATION, payload: all.subarray(cut) },
          { opcode: TEXT, payload: bytes("as it is") },
        );
        assert.deepEqual([await end.ws.read(), await end.ws.read()], [message, "as it is"]);
      }
    }
  });
}

for (
  const [section, what, code, frames] of [
    ["6", "a compressed continuation", 1002, [
      { opcode: TEXT, rsv: 4, fin: false, payload: hex("f2 48") },
      { opcode: CONTINUATION, rsv: 4, payload: hex("cd c9 c9 07 00") },
    ]],
    ["6.1", "a compressed Ping", 1002, [{ opcode: PING, rsv: 4, payload: new Uint8Array() }]],
    ["7.2.2", "what is not DEFLATE", 1007, [{ opcode: TEXT, rsv: 4, payload: hex("ff ff ff") }]],
    ["7.2.2", "a reference to the message before", 1007, [
      { opcode: TEXT, rsv: 4, payload: hex("f2 00 11 00 00") },
    ]],
    ["7.2.2", "compressed text that is not UTF-8", 1007, [
      { opcode: TEXT, rsv: 4, payload: compressed(Uint8Array.of(0xff, 0xfe, 0x61)) },
    ]],
    ["8", "a message that is too large when it is inflated", 1009, [
      { opcode: BINARY, rsv: 4, payload: compressed(new Uint8Array(1001)) },
    ]],
    ["8", "blocks that are too large together", 1009, [
      {
        opcode: BINARY,
        rsv: 4,
        payload: Buffer.concat([1000, 1].map((n) => deflateRawSync(new Uint8Array(n)))),
      },
    ]],
  ] as const
) {
  test(`RFC 7692 ${section}: ${what} closes with ${code}, and what came before is read`, async () => {
    using end = await engine("server", { deflate: true, maxSize: 1000 });
    const good = new Uint8Array(1000).fill(3);
    await end.peer.send({ opcode: BINARY, rsv: 4, payload: compressed(good) }, ...frames);
    assert.deepEqual(new Uint8Array(await end.ws.read() as Uint8Array), good);
    await assert.rejects(end.ws.read(), { name: "WsError", closeCode: code });
    assert.equal(await end.peer.closeCode(), code);
  });
}

test("RFC 7692 7.2.2: a compressed message that is cut off is not a message, wherever it is cut", () => {
  const message = "A text in which much of a text is as in the text before it.";
  const huffman = compressed(bytes(message));
  const stored = hex("00 05 00 fa ff 48 65 6c 6c 6f 00");
  const last = Buffer.concat([huffman, hex("00 00 ff ff"), hex("f3 48 cd c9 c9 07 00 00")]);
  for (const all of [huffman, stored, last]) {
    const whole = new Deflate({ windowBits: 15 }).inflate(all, 1000).toString();
    for (let cut = 1; cut < all.length; cut++) {
      let text: string | undefined;
      try {
        const inflated = new Deflate({ windowBits: 15 }).inflate(all.subarray(0, cut), 1000);
        // What is put back for inflating may fill a block up, which is not text then.
        if (isUtf8(inflated)) text = inflated.toString();
      } catch (error) {
        assert.equal((error as { closeCode?: number }).closeCode, 1007);
      }
      // Between blocks it is a message.
      const messages = [undefined, "", message, whole];
      assert.ok(messages.includes(text), `cut behind byte ${cut}: ${text}`);
    }
  }
});

test("RFC 7692 8: of a bomb no more is inflated than a message may have", () => {
  const bomb = compressed(new Uint8Array(64 * 1024 * 1024));
  const before = process.memoryUsage().rss;
  assert.throws(() => new Deflate({ windowBits: 15 }).inflate(bomb, 1000), { closeCode: 1009 });
  assert.ok(process.memoryUsage().rss - before < 32 * 1024 * 1024);
});

test("RFC 7692 7.2.1: what is compressed is marked, in one frame, and can be inflated by itself", async () => {
  for (const role of ["client", "server"] as const) {
    using end = await engine(role, { deflate: true });
    for (const text of ["€".repeat(100), "x".repeat(100_000), "y".repeat(64)]) {
      const writing = end.ws.write(text);
      const frame = (await end.peer.frame())!;
      await writing;
      assert.equal(frame.first, 0x80 + 0x40 + TEXT);
      assert.equal(new Deflate({ windowBits: 15 }).inflate(frame.payload, 1e6).toString(), text);
      assert.ok(frame.payload.length < text.length);
      assert.notEqual(frame.payload.subarray(-4).toString("hex"), "0000ffff");
    }
  }
});

test("RFC 7692 6: a message that would not be smaller is sent as it is, and control frames always", async () => {
  using end = await engine("server", { deflate: true });
  const noise = Uint8Array.from({ length: 200 }, (_, i) => (i * i * 167 + i * 31) % 257 % 256);
  end.ws.write("short").catch(() => {});
  end.ws.write(noise).catch(() => {});
  end.ws.ping().catch(() => {});
  const firsts = [await end.peer.frame(), await end.peer.frame(), await end.peer.frame()];
  assert.deepEqual(firsts.map((frame) => frame?.first), [0x81, 0x82, 0x89]);
});

test("RFC 7692 7.1.2.1: with a smaller window a message is compressed within it", () => {
  const block = Uint8Array.from({ length: 600 }, (_, i) => (i * i * 167 + i * 31) % 257);
  // What repeats is further back than 512 bytes.
  const message = Buffer.concat([block, block, block, block]);
  const size = (windowBits: number) => new Deflate({ windowBits }).compress(message)?.length;
  assert.ok(size(15)! < message.length / 2);
  assert.ok((size(9) ?? message.length) > message.length / 2);
  assert.equal(size(8), undefined, "zlib has no such window, so nothing is compressed");
});
