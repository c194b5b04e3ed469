/**
 * Frames: lengths, masks, reserved bits and opcodes.
 *
 * @module
 */

import { aBinary, aText, echo, failure, type Row, type Section, section } from "../case.ts";
import { binary, type Frame, OPCODE, ping, text } from "../frame.ts";

/** The lengths where the header changes, and those beside them. */
const LENGTHS = [0, 1, 125, 126, 127, 128, 255, 256, 65535, 65536];

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i & 255);
}

const textRows = LENGTHS.map((length): Row => ({
  title: `a text message of ${length} bytes`,
  send: [text("*".repeat(length))],
  expect: echo(aText("*".repeat(length))),
}));

const binaryRows = LENGTHS.map((length): Row => ({
  title: `a binary message of ${length} bytes`,
  send: [binary(bytes(length))],
  expect: echo(aBinary(bytes(length))),
}));

const pieceRows = [0, 1, 125, 126, 300].map((length): Row => ({
  title: `a binary message of ${length} bytes, sent byte by byte`,
  send: [binary(bytes(length))],
  by: 1,
  expect: echo(aBinary(bytes(length))),
}));

/** A length in more bytes than it needs. */
function wasteful(length: number, lengthBits: 16 | 64): Row {
  const expect = failure(1002);
  const sent = bytes(length);
  return {
    title: `a length of ${length} in ${lengthBits} bits`,
    send: [binary(sent, { lengthBits })],
    expect,
    allowed: echo(aBinary(sent)),
  };
}

const highBit: Row = {
  title: "a length of 64 bits whose first bit is set",
  send: [binary("", { announced: 2n ** 63n })],
  expect: failure([1002, 1009]),
};

/** A frame that fails the connection, after a message that is right. */
function wrong(title: string, ...frames: readonly Frame[]): Row {
  return {
    title,
    send: [text("before"), ...frames],
    expect: failure(1002, aText("before")),
  };
}

const rsvRows = [1, 2, 3, 4, 5, 6, 7].flatMap((rsv) => {
  const bits = rsv.toString(2).padStart(3, "0");
  return [
    wrong(`a text message with the reserved bits ${bits}`, text("wrong", { rsv })),
    wrong(`a Ping with the reserved bits ${bits}`, ping("wrong", { rsv })),
  ];
});

const opcodeRows = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  wrong(`an empty frame with the opcode ${opcode}`, { opcode }),
  wrong(`a frame with the opcode ${opcode} and a payload`, {
    opcode,
    payload: Uint8Array.of(1, 2, 3),
  }),
]);

const unmasked = (side: "client" | "server") => {
  const more = { mask: "wrong" } as const;
  const what = side === "server" ? "that is not masked" : "that is masked";
  return [
    wrong(`a text message ${what}`, text("wrong", more)),
    wrong(`an empty text message ${what}`, text("", more)),
    wrong(`a Ping ${what}`, ping("wrong", more)),
    wrong(`a Close ${what}`, { opcode: OPCODE.close, ...more }),
  ].map((row) => ({ ...row, side }));
};

/** See the module. */
export const FRAMING: Section = section(2, "Framing", [
  {
    rfc: "RFC 6455 5.2",
    rule: "A length takes 7 bits up to 125, 16 bits up to 65535, and else 64 bits.",
    rows: [...textRows, ...binaryRows],
  },
  {
    rfc: "RFC 6455 5.2",
    rule: "A frame is the same however the network cuts it.",
    rows: pieceRows,
  },
  {
    rfc: "RFC 6455 5.2",
    rule: "A length takes as few bytes as it can, and the first bit of 64 is 0.",
    rows: [
      wasteful(0, 16),
      wasteful(125, 16),
      wasteful(0, 64),
      wasteful(126, 64),
      wasteful(65535, 64),
      highBit,
    ],
  },
  {
    rfc: "RFC 6455 5.2",
    rule: "A reserved bit that no extension has given a meaning fails the connection.",
    rows: rsvRows,
  },
  {
    rfc: "RFC 6455 5.2",
    rule: "An opcode without a meaning fails the connection.",
    rows: opcodeRows,
  },
  {
    rfc: "RFC 6455 5.1",
    rule: "A server fails the connection when a frame is not masked.",
    rows: unmasked("server"),
  },
  {
    rfc: "RFC 6455 5.1",
    rule: "A client fails the connection when a frame is masked.",
    rows: unmasked("client"),
  },
  {
    rfc: "RFC 6455 5.3",
    rule: "Any masking key is right.",
    rows: [{
      side: "server",
      title: "a text message with a masking key of zeros",
      send: [text("hello", { mask: "zero" })],
      expect: echo(aText("hello")),
    }],
  },
]);
