// Framings on bytes alone: what they write, what they read, what they refuse.

import assert from "node:assert/strict";
import {
  decodeFrames,
  delimiter,
  encodeFrame,
  fixedLength,
  FRAME_ERRORS,
  FrameDecoder,
  FrameError,
  type FrameErrorCode,
  type Framing,
  lengthPrefix,
  lines,
  untilClose,
} from "../../lib/frames/mod.ts";
import { binary, decodeAll, framings, text } from "../support/frame_helpers.ts";
import { bytes } from "../support/helpers.ts";
import { assertGrowth } from "../support/growth.ts";
import { test } from "../support/runner.deno.ts";

const MIB = 1024 * 1024;

function encoded(framing: Framing, payload: string): string {
  return text(encodeFrame(framing, binary(payload)));
}

/** Asserts that `run` throws a FrameError of this code, whose message is one that helps. */
function refuses(run: () => unknown, code: FrameErrorCode, ...parts: (string | RegExp)[]): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof FrameError, `Not a FrameError: ${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, /^Cannot (read|write) a frame \([^)]+\): .+ \([A-Z_]+\)\. .+\.$/);
    assert.ok(error.message.endsWith(FRAME_ERRORS[code]), error.message);
    for (const part of parts) {
      assert.ok(typeof part === "string" ? error.message.includes(part) : part.test(error.message));
    }
    return true;
  });
}

test("frames: lines are written with LF", () => {
  assert.equal(encoded(lines(), "one"), "one\n");
  assert.equal(encoded(lines(), ""), "\n");
  assert.equal(encoded(lines(), "a\rb"), "a\rb\n");
});

test("frames: lines end with LF or CRLF, and a CR elsewhere is part of them", () => {
  const { frames, rest } = decodeFrames(lines(), bytes("a\nb\r\n\r\n\nc\rd\r\r\ne"));
  assert.deepEqual(frames.map(text), ["a", "b", "", "", "c\rd\r"]);
  assert.equal(text(rest), "e");
});

test("frames: a payload that a line cannot hold is refused", () => {
  refuses(() => encodeFrame(lines(), bytes("a\nb")), "HAS_DELIMITER", "line end");
  refuses(() => encodeFrame(lines(), bytes("a\r")), "HAS_DELIMITER", "ends with CR");
});

test("frames: a delimiter of several bytes, and one that can overlap itself", () => {
  const framing = delimiter(bytes("aba"));
  assert.deepEqual(decodeAll(framing, [bytes("xabayaababa")]).frames, ["x", "ya"]);
  assert.equal(encoded(framing, "xb"), "xbaba");
});

test("frames: a payload that would end early is refused", () => {
  const framing = delimiter(bytes("aba"));
  refuses(() => encodeFrame(framing, bytes("xabay")), "HAS_DELIMITER", "in it");
  refuses(() => encodeFrame(framing, bytes("xab")), "HAS_DELIMITER", "would begin");
  refuses(
    () => encodeFrame(delimiter(bytes("\r\n\r\n")), bytes("a\r\n")),
    "HAS_DELIMITER",
    "would begin",
  );
  assert.equal(encoded(delimiter(bytes("\r\n")), "a\r"), "a\r\r\n");
});

test("frames: fixed lengths have nothing around them", () => {
  assert.equal(encoded(fixedLength(3), "abc"), "abc");
  assert.deepEqual(decodeFrames(fixedLength(2), bytes("abcde")).frames.map(text), ["ab", "cd"]);
  refuses(() => encodeFrame(fixedLength(3), bytes("ab")), "WRONG_SIZE", "2 bytes, and not 3");
  refuses(() => encodeFrame(fixedLength(3), bytes("abcd")), "WRONG_SIZE", "4 bytes, and not 3");
});

test("frames: a length is written in its width and its order", () => {
  const payload = "x".repeat(200);
  const heads = [
    [lengthPrefix("u8"), "\xc8"],
    [lengthPrefix("u16"), "\0\xc8"],
    [lengthPrefix("u16", { endian: "little" }), "\xc8\0"],
    [lengthPrefix("u32"), "\0\0\0\xc8"],
    [lengthPrefix("u32", { endian: "little" }), "\xc8\0\0\0"],
    [lengthPrefix("varint"), "\xc8\x01"],
  ] as const;
  for (const [framing, head] of heads) {
    assert.equal(encoded(framing, payload), head + payload, framing.name);
    assert.deepEqual(decodeFrames(framing, binary(head + payload)).frames.map(text), [payload]);
  }
});

test("frames: lengths above 31 bits are read as what they are", () => {
  const framing = lengthPrefix("u32", { maxSize: 0xffff_ffff });
  const decoder = new FrameDecoder(framing);
  decoder.push(binary("\xff\xff\xff\xfe"));
  assert.equal(decoder.next(), null);
  const varint = lengthPrefix("varint", { maxSize: 0xffff_ffff });
  refuses(
    () => decodeFrames(varint, binary("\xff\xff\xff\xff\x7f")),
    "TOO_LARGE",
    "34359738367 bytes, over the limit of 4294967295",
  );
});

test("frames: a padded varint is read; one of more than 5 bytes is refused", () => {
  const framing = lengthPrefix("varint");
  for (const head of ["\x02", "\x82\0", "\x82\x80\0", "\x82\x80\x80\x80\0"]) {
    assert.deepEqual(decodeFrames(framing, binary(`${head}ab`)).frames.map(text), ["ab"]);
  }
  refuses(() => decodeFrames(framing, binary("\x82\x80\x80\x80\x80\0ab")), "BAD_LENGTH", "5 bytes");
});

test("frames: varints change their width at the powers of 128", () => {
  const framing = lengthPrefix("varint");
  for (const [size, width] of [[0, 1], [127, 1], [128, 2], [16383, 2], [16384, 3]]) {
    assert.equal(encodeFrame(framing, new Uint8Array(size)).length, size + width);
  }
});

test("frames: the limit is 1 MiB, or what the length can say", () => {
  assert.deepEqual(
    framings().map(({ name, maxSize }) => [name, maxSize]),
    [
      ["lines", MIB],
      ["delimiter", MIB],
      ["delimiter", MIB],
      ["fixed 5", 5],
      ["u8", 255],
      ["u16", 65535],
      ["u16le", 65535],
      ["u32", MIB],
      ["u32le", MIB],
      ["varint", MIB],
      ["until close", MIB],
    ],
  );
});

test("frames: a payload at the limit passes, and one byte more does not, in both directions", () => {
  for (const [i, framing] of framings(8).entries()) {
    const { name } = framing;
    const fits = encodeFrame(framing, new Uint8Array(8));
    assert.deepEqual(decodeAll(framing, [fits]).frames, ["\0".repeat(8)], name);
    if (name === "fixed 8") continue;
    refuses(() => encodeFrame(framing, new Uint8Array(9)), "TOO_LARGE", /9 bytes.+limit of 8/);
    const tooLarge = encodeFrame(framings(9)[i], new Uint8Array(9));
    const { frames, error, rest } = decodeAll(framing, [tooLarge]);
    assert.deepEqual(frames, [], name);
    assert.match(error!, /limit of 8.*\(TOO_LARGE\)/, name);
    assert.equal(rest, text(tooLarge), name);
  }
});

test("frames: a line at the limit passes with either end, and without one", () => {
  const framing = lines({ maxSize: 3 });
  assert.deepEqual(decodeAll(framing, [bytes("abc\r\nabc\nabc")]).frames, ["abc", "abc", "abc"]);
  for (const long of ["abcd", "abcd\n", "abcd\r\n", "abc\r", "abc\r\r\n"]) {
    const { frames, error, rest } = decodeAll(framing, [bytes(`a\n${long}`)]);
    assert.deepEqual(frames, ["a"]);
    assert.match(error ?? "none", /more than the limit of 3 bytes \(TOO_LARGE\)/, long);
    assert.equal(rest, long);
  }
});

test("frames: what is not a limit or a delimiter is refused", () => {
  const wrong: (() => Framing)[] = [
    () => lines({ maxSize: 0 }),
    () => lines({ maxSize: 1.5 }),
    () => untilClose({ maxSize: 2 ** 32 }),
    () => fixedLength(0),
    () => fixedLength(NaN),
    () => lengthPrefix("u8", { maxSize: 256 }),
    () => lengthPrefix("u16", { maxSize: 65536 }),
    () => delimiter(new Uint8Array(0)),
    () => delimiter(new Uint8Array(257)),
  ];
  for (const make of wrong) assert.throws(make, { name: "RangeError", code: "EINVAL" });
});

test("frames: a delimiter is remembered as it was", () => {
  const end = bytes("|");
  const framing = delimiter(end);
  end.fill(0);
  assert.equal(encoded(framing, "a"), "a|");
});

test("frames: decodeFrames throws only for the first frame, and so loses none before a bad one", () => {
  const framing = lengthPrefix("u16", { maxSize: 2 });
  const { frames, rest } = decodeFrames(framing, binary("\0\x01a\0\x02bc\0\x03def"));
  assert.deepEqual(frames.map(text), ["a", "bc"]);
  assert.equal(text(rest), "\0\x03def");
  refuses(() => decodeFrames(framing, rest), "TOO_LARGE");
});

test("decoder: a frame that lies whole in a chunk is part of it, not a copy", () => {
  for (const framing of framings(4).slice(0, -1)) {
    const frame = encodeFrame(framing, bytes("abcd"));
    const chunk = new Uint8Array([...frame, ...frame, ...frame.subarray(0, 1)]);
    const decoder = new FrameDecoder(framing);
    decoder.push(chunk);
    assert.equal(decoder.next()!.buffer, chunk.buffer);
    assert.equal(decoder.next()!.buffer, chunk.buffer);
    assert.equal(decoder.next(), null);
    // From here on the chunk is the caller's again.
    chunk.fill(0);
    decoder.push(frame.subarray(1));
    assert.equal(text(decoder.next()!), "abcd");
  }
});

test("decoder: a chunk can be a part of a larger buffer", () => {
  const decoder = new FrameDecoder(lengthPrefix("u8"));
  decoder.push(binary("xx\x03abc\x01dxx").subarray(2, 8));
  assert.equal(text(decoder.next()!), "abc");
  assert.equal(text(decoder.next()!), "d");
  assert.equal(decoder.next(), null);
});

test("decoder: an error stays, and what is left begins with what it is about", () => {
  const decoder = new FrameDecoder(lengthPrefix("u8", { maxSize: 2 }));
  decoder.push(binary("\x01a\x03"));
  assert.equal(text(decoder.next()!), "a");
  for (let i = 0; i < 2; i++) {
    refuses(() => decoder.next(), "TOO_LARGE");
    assert.equal(text(decoder.rest), "\x03");
  }
});

test("decoder: what is left of a frame in pieces is all of it", () => {
  const decoder = new FrameDecoder(lines({ maxSize: 4 }));
  decoder.push(bytes("a\nbc"));
  assert.equal(text(decoder.next()!), "a");
  assert.equal(decoder.next(), null);
  assert.equal(text(decoder.rest), "bc");
  decoder.push(bytes("defgh\ni"));
  for (let i = 0; i < 2; i++) {
    refuses(() => decoder.next(), "TOO_LARGE");
    assert.equal(text(decoder.rest), "bcdefgh\ni");
  }
});

test("decoder: bytes before their turn, and behind the end, are a mistake", () => {
  const decoder = new FrameDecoder(lines());
  decoder.push(bytes("a\nb\n"));
  decoder.next();
  assert.throws(() => decoder.push(bytes("c")), TypeError);
  decoder.next();
  decoder.push(bytes("c"));
  assert.equal(decoder.next(), null);
  decoder.end();
  assert.equal(text(decoder.next()!), "c");
  assert.equal(decoder.next(), null);
  assert.throws(() => decoder.push(bytes("d")), TypeError);
});

test("decoder: a frame byte by byte takes time in proportion to its length, and no more memory", () => {
  const trickle = (make: (maxSize: number) => Framing, size: number) => {
    const framing = make(size);
    const stream = encodeFrame(framing, new Uint8Array(size).fill(0x61));
    return () => {
      const decoder = new FrameDecoder(framing);
      const frames: Uint8Array[] = [];
      const take = () => {
        const frame = decoder.next();
        if (frame !== null) frames.push(frame);
      };
      for (let at = 0; at < stream.length; at++) {
        decoder.push(stream.subarray(at, at + 1));
        take();
      }
      decoder.end();
      take();
      assert.deepEqual(frames.map((frame) => frame.length), [size]);
      assert.ok(frames[0].buffer.byteLength <= size + 4096);
    };
  };
  const makers: ((maxSize: number) => Framing)[] = [
    (maxSize) => lines({ maxSize }),
    (maxSize) => delimiter(bytes("\r\n"), { maxSize }),
    (maxSize) => lengthPrefix("u32", { maxSize }),
    (maxSize) => untilClose({ maxSize }),
  ];
  for (const make of makers) {
    // 8 times as many; if each cost more, it would be 64 times as much.
    const [short, long] = [trickle(make, 8 * 1024), trickle(make, 64 * 1024)];
    for (const call of [short, long]) call();
    assertGrowth(32, make(1).name, short, long);
  }
});
