// What frames are made of, without a socket: headers, masks, UTF-8 and what a Close frame says. Each
// of the checks gives the same verdict wherever the bytes are cut.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { closePayload, isCloseCode, parseClose } from "../../../lib/http/ws/close_code.ts";
import { WsError } from "../../../lib/http/ws/error.ts";
import { FrameParser, headerSize, putHeader, type WsRole } from "../../../lib/http/ws/frame.ts";
import { applyMask, newMask } from "../../../lib/http/ws/mask.ts";
import { Utf8Check } from "../../../lib/http/ws/utf8.ts";
import { bytes } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";
import { BINARY, CLOSING, CONTINUATION, encoded, type Frame, PING, TEXT } from "./ws_peer.ts";

/** All that a parser makes of bytes which come in these pieces, with what is wrong at the end. */
function parsed(pieces: readonly Uint8Array[], role: WsRole, deflate: boolean): unknown[] {
  const parser = new FrameParser(role, deflate);
  const all: unknown[] = [];
  let payload: number[] | undefined;
  try {
    for (const piece of pieces) {
      const chunk = Uint8Array.from(piece);
      for (let at = 0; at < chunk.length || payload !== undefined && parser.left === 0;) {
        if (payload === undefined) {
          at = parser.header(chunk, at, chunk.length);
          if (at === -1) break;
          payload = [];
        }
        const end = parser.payload(chunk, at, chunk.length);
        payload.push(...chunk.subarray(at, end));
        at = end;
        if (parser.left > 0) continue;
        const { opcode, fin, compressed } = parser;
        all.push({ opcode, fin, compressed, payload: Buffer.from(payload).toString("latin1") });
        payload = undefined;
      }
    }
  } catch (error) {
    assert.ok(error instanceof WsError, `${error}`);
    all.push(error.message);
  }
  return all;
}

/** `bytes`, whole and in pieces: each in two, and all in single bytes. */
function* splits(all: Uint8Array): Generator<Uint8Array[]> {
  yield [all];
  for (let at = 1; at < all.length; at++) yield [all.subarray(0, at), all.subarray(at)];
  yield Array.from(all, (byte) => Uint8Array.of(byte));
}

const nothing = new Uint8Array();
const filler = (n: number) => Uint8Array.from({ length: n }, (_, i) => i * 31);

const GOOD: Readonly<Record<string, readonly Frame[]>> = {
  "a text": [{ opcode: TEXT, payload: bytes("Hello") }],
  "an empty text": [{ opcode: TEXT, payload: nothing }],
  "125, 126 and 127 bytes": [125, 126, 127].map((n) => ({ opcode: BINARY, payload: filler(n) })),
  "fragments with a Ping between them": [
    { opcode: TEXT, fin: false, payload: bytes("Hel") },
    { opcode: PING, payload: bytes("?") },
    { opcode: CONTINUATION, fin: false, payload: nothing },
    { opcode: CONTINUATION, payload: bytes("lo") },
    { opcode: BINARY, payload: filler(3) },
  ],
  "a compressed message": [
    { opcode: TEXT, fin: false, rsv: 4, payload: filler(9) },
    { opcode: CONTINUATION, payload: filler(2) },
  ],
};

for (const role of ["client", "server"] as const) {
  for (const [what, frames] of Object.entries(GOOD)) {
    test(`RFC 6455 5.2: a ${role} parses ${what}, wherever the bytes are cut`, () => {
      const all = Buffer.concat(frames.map((frame) => encoded(frame, role === "server")));
      const expected = frames.map(({ opcode, fin = true, rsv = 0, payload }) => ({
        opcode,
        fin,
        compressed: rsv === 4,
        payload: Buffer.from(payload).toString("latin1"),
      }));
      for (const pieces of splits(all)) assert.deepEqual(parsed(pieces, role, true), expected);
    });
  }
}

const start = { opcode: TEXT, fin: false, payload: nothing };

const BAD: readonly [section: string, what: string, why: RegExp, ...frames: Frame[]][] = [
  ["5.2", "RSV1 without an extension", /compressed/, { opcode: TEXT, rsv: 4, payload: nothing }],
  ["5.2", "RSV2", /reserved bit/, { opcode: TEXT, rsv: 2, payload: nothing }],
  ["5.2", "RSV3", /reserved bit/, { opcode: TEXT, rsv: 1, payload: nothing }],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): (typeof BAD)[number] => [
    "5.2",
    `the opcode ${opcode}`,
    new RegExp(`opcode ${opcode}`),
    { opcode, payload: nothing },
  ]),
  ["5.2", "125 bytes with a length of 16 bits", /shortest/, {
    opcode: BINARY,
    payload: filler(125),
    lengthBytes: 2,
  }],
  ["5.2", "126 bytes with a length of 64 bits", /shortest/, {
    opcode: BINARY,
    payload: filler(126),
    lengthBytes: 8,
  }],
  ["5.4", "a continuation of nothing", /not begun/, { opcode: CONTINUATION, payload: nothing }],
  ["5.4", "a message inside another one", /before the one before/, start, start],
  ["5.5", "a Ping of 126 bytes", /125/, { opcode: PING, payload: filler(126) }],
  ["5.5", "a fragmented Ping", /fragmented/, { opcode: PING, fin: false, payload: nothing }],
  ["5.5", "a fragmented Close frame", /fragmented/, { ...start, opcode: CLOSING }],
];

for (const [section, what, why, ...frames] of BAD) {
  test(`RFC 6455 ${section}: ${what} is a violation, in each role and wherever the bytes are cut`, () => {
    for (const role of ["client", "server"] as const) {
      const all = Buffer.concat(frames.map((frame) => encoded(frame, role === "server")));
      for (const pieces of splits(all)) {
        const seen = parsed(pieces, role, false);
        assert.match(String(seen.at(-1)), why);
        assert.match(String(seen.at(-1)), /\(1002\)/);
        assert.equal(seen.length, frames.length);
      }
    }
  });
}

test("RFC 6455 5.1: a server takes no frame without a mask, a client none with one", () => {
  for (const [role, why] of [["server", /is not masked/], ["client", /is masked/]] as const) {
    const all = encoded({ opcode: TEXT, payload: bytes("a") }, role !== "server");
    for (const pieces of splits(all)) assert.match(String(parsed(pieces, role, true)[0]), why);
  }
});

test("RFC 6455 5.2: a length of 64 bits has a 0 as its highest one, and is known before its payload", () => {
  const head = (first: number) => Uint8Array.of(0x82, 127, first, 0, 0, 0, 0, 1, 0, 0);
  assert.match(String(parsed([head(0x80)], "client", false)[0]), /63 bits/);
  const parser = new FrameParser("client", false);
  assert.equal(parser.header(head(0x7f), 0, 10), 10);
  assert.equal(parser.length, 0x7f * 2 ** 56 + 65_536);
});

test("RFC 7692 6: RSV1 stands on the first frame of a message only, and on no control frame", () => {
  const rsv1 = { rsv: 4, payload: nothing };
  for (const frames of [[start, { opcode: CONTINUATION, ...rsv1 }], [{ opcode: PING, ...rsv1 }]]) {
    const all = Buffer.concat(frames.map((frame) => encoded(frame, false)));
    assert.match(String(parsed([all], "client", true).at(-1)), /does not begin a message/);
  }
});

test("RFC 6455 5.2: a header has its length in the shortest form", () => {
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5]) {
    for (const masked of [false, true]) {
      const out = Buffer.alloc(14);
      const end = putHeader(out, 0, BINARY, { fin: true, compressed: false }, size, masked);
      assert.equal(end, headerSize(size));
      const parser = new FrameParser(masked ? "server" : "client", false);
      assert.equal(parser.header(out, 0, 14), end + (masked ? 4 : 0));
      assert.deepEqual([parser.length, parser.opcode, parser.fin], [size, BINARY, true]);
    }
  }
});

test("RFC 6455 5.3: byte i is masked with byte i mod 4 of the key, at every place and size", () => {
  const key = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
  for (const size of [0, 1, 3, 4, 5, 50, 95, 96, 97, 98, 99, 127, 128, 1001]) {
    for (let from = 0; from < 5; from++) {
      for (let phase = 0; phase < 4; phase++) {
        const all = filler(from + size + 3);
        const expected = all.map((byte, i) =>
          i < from || i >= from + size ? byte : byte ^ key[(i - from + phase) % 4]
        );
        // Also where the array begins in the middle of a word.
        const place = new Uint8Array(all.length + 1).subarray(1);
        place.set(all);
        applyMask(place, from, from + size, key, phase);
        assert.deepEqual(place, expected, `${size} bytes from ${from}, phase ${phase}`);
      }
    }
  }
});

test("RFC 6455 5.3: each key is new, and its bits are evenly spread", () => {
  const keys = Array.from({ length: 5000 }, () => {
    const key = newMask(new Uint8Array(6), 2);
    return key[0] + key[1] * 2 ** 8 + key[2] * 2 ** 16 + key[3] * 2 ** 24;
  });
  assert.ok(new Set(keys).size > 4980);
  for (let bit = 0; bit < 32; bit++) {
    const ones = keys.filter((key) => Math.floor(key / 2 ** bit) % 2 === 1).length;
    // Seven standard deviations.
    assert.ok(Math.abs(ones - 2500) < 250, `bit ${bit}: ${ones}`);
  }
});

const utf8 = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

/** Texts, and how many of their bytes are enough to see that they are not valid. */
const TEXTS: readonly [what: string, text: Buffer, badAfter: number | undefined][] = [
  ["ASCII", Buffer.from("Hello"), undefined],
  ["characters of 2, 3 and 4 bytes", Buffer.from("κόσμε aé€😀"), undefined],
  ["the largest character", utf8("f4 8f bf bf"), undefined],
  ["the ends of the surrogates", utf8("ed 9f bf ee 80 80"), undefined],
  ["U+FFFE", utf8("ef bf be"), undefined],
  ["a byte order mark", utf8("ef bb bf 61"), undefined],
  ["a zero byte", utf8("00"), undefined],
  ["a continuation alone", utf8("61 80"), 2],
  ["FE", utf8("61 fe 61"), 2],
  ["an overlong /, in 2 bytes", utf8("c0 af"), 1],
  ["an overlong /, in 3 bytes", utf8("e0 80 af"), 2],
  ["an overlong /, in 4 bytes", utf8("f0 80 80 af"), 2],
  ["a surrogate", utf8("61 ed a0 80"), 3],
  ["above the largest character", utf8("f4 90 80 80"), 2],
  ["a lead of 5 bytes", utf8("f8 88 80 80 80"), 1],
  ["a character that another one cuts off", utf8("e2 82 61"), 3],
  ["a good text with a bad end", utf8("ce ba e1 bd b9 cf 83 ed a0 80 65"), 9],
];

for (const [what, text, badAfter] of TEXTS) {
  const verdict = badAfter === undefined ? "is valid" : `fails with byte ${badAfter}`;
  test(`RFC 6455 8.1: UTF-8: ${what} ${verdict}, wherever it is cut`, () => {
    for (const pieces of splits(text)) {
      const check = new Utf8Check();
      let pushed = 0;
      let failedAt: number | undefined;
      for (const piece of pieces) {
        pushed += piece.length;
        if (check.push(piece)) continue;
        failedAt = pushed;
        break;
      }
      if (badAfter === undefined) {
        assert.deepEqual([failedAt, check.whole], [undefined, true]);
      } else {
        // With the piece that has the byte, and no later.
        let least = 0;
        for (const piece of pieces) if ((least += piece.length) >= badAfter) break;
        assert.equal(failedAt, least, `${pieces.map(({ length }) => length)}`);
      }
    }
  });
}

test("RFC 6455 8.1: a text that ends inside a character is not whole", () => {
  for (const [text, whole] of [["e2 82 ac", true], ["e2 82", false], ["61 f0", false]] as const) {
    const check = new Utf8Check();
    assert.ok(check.push(utf8(text)));
    assert.equal(check.whole, whole);
  }
});

test("RFC 6455 7.4: the codes that a Close frame may have", () => {
  const ranges: number[][] = [];
  for (let code = 0; code <= 65_535; code++) {
    if (!isCloseCode(code)) continue;
    const last = ranges.at(-1);
    if (last?.[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  assert.deepEqual(ranges, [[1000, 1003], [1007, 1014], [3000, 4999]]);
});

test("RFC 6455 5.5.1: the payload of a Close frame is nothing, or a code with a reason in UTF-8", () => {
  assert.deepEqual(parseClose(nothing), { code: 1005, reason: "" });
  assert.deepEqual(parseClose(Uint8Array.of(3, 232)), { code: 1000, reason: "" });
  assert.deepEqual(parseClose(closePayload(4999, "€")), { code: 4999, reason: "€" });
  const fails = (payload: Uint8Array, closeCode: number) =>
    assert.throws(() => parseClose(payload), { name: "WsError", closeCode });
  fails(Uint8Array.of(3), 1002);
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]) {
    fails(Uint8Array.of(code >> 8, code & 255), 1002);
  }
  fails(Uint8Array.of(3, 232, 0xff), 1007);
  fails(Uint8Array.of(3, 232, 0xe2, 0x82), 1007);
});

test("RFC 6455 5.5: a reason that is too long for a Close frame is cut between characters", () => {
  const cut = parseClose(closePayload(1000, "€".repeat(42)));
  assert.equal(cut.reason, "€".repeat(41));
  assert.equal(closePayload(1000, "€".repeat(42)).length, 125);
  assert.equal(closePayload(1000, "x" + "€".repeat(42)).length, 2 + 121);
  assert.equal(closePayload(undefined, "").length, 0);
});
