/**
 * Large messages, and many small pieces.
 *
 * @module
 */

import { aBinary, aPong, aText, echo, failure, type Row, type Section, section } from "../case.ts";
import { binary, continuation, type Frame, ping, text } from "../frame.ts";

const MIB = 1024 * 1024;

const PONG = aPong("");

/** A large message: a side may refuse it with 1009. */
function large(title: string, size: number, send: readonly Frame[], by?: number): Row {
  return {
    title,
    send,
    by,
    expect: echo(aBinary(new Uint8Array(size).fill(42))),
    allowed: failure(1009),
  };
}

const filled = (size: number) => new Uint8Array(size).fill(42);

function pieces(size: number, piece: number): Frame[] {
  const count = Math.ceil(size / piece);
  return Array.from({ length: count }, (_, i) => {
    const more = { fin: i === count - 1 };
    return i === 0 ? binary(filled(piece), more) : continuation(filled(piece), more);
  });
}

const many = Array.from({ length: 200 }, (_, i) => `message ${i}`);

function announced(bytes: bigint, name: string): Row {
  return {
    title: `the header of a frame with ${name}, and nothing behind it`,
    send: [binary("", { announced: bytes })],
    expect: [...failure(1009), { type: "silence" }],
  };
}

/** See the module. */
export const LIMITS: Section = section(7, "Limits", [
  {
    rfc: "RFC 6455 10.4",
    rule: "A side may limit what it takes, and closes with 1009 then.",
    rows: [
      large("a message of 64 KiB", 65536, [binary(filled(65536))]),
      large("a message of 1 MiB", MIB, [binary(filled(MIB))]),
      large("a message of 1 MiB, sent 1000 bytes at a time", MIB, [binary(filled(MIB))], 1000),
      large("a message of 1 MiB in fragments of 64 KiB", MIB, pieces(MIB, 65536)),
      large("a message of 16 KiB in fragments of 64 bytes", 16384, pieces(16384, 64)),
      large("a message of 1000 bytes in fragments of one byte", 1000, pieces(1000, 1)),
      announced(16n * 1024n * 1024n, "16 MiB"),
      announced(2n ** 40n, "1 TiB"),
      announced(2n ** 63n - 1n, "2^63 - 1 bytes"),
    ],
  },
  {
    rfc: "RFC 6455 5.4",
    rule: "Messages come back in order, however many there are.",
    rows: [
      {
        title: "200 text messages at once",
        send: many.map((one) => text(one)),
        expect: echo(...many.map(aText)),
      },
      {
        title: "200 text messages, sent 7 bytes at a time",
        send: many.map((one) => text(one)),
        by: 7,
        expect: echo(...many.map(aText)),
      },
      {
        title: "a text message behind 50 Pings without a payload",
        send: [...Array.from({ length: 50 }, () => ping()), text("behind")],
        expect: echo(...Array.from({ length: 50 }, () => PONG), aText("behind")),
      },
    ],
  },
]);
