/**
 * The closing handshake and its codes.
 *
 * @module
 */

import { aPong, aText, closing, echo, failure, type Row, type Section, section } from "../case.ts";
import { close, OPCODE, ping, text } from "../frame.ts";

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

function withCode(code: number): Pick<Row, "title" | "send"> {
  return { title: `a Close with the code ${code}`, send: [close(code)] };
}

const GOOD = [1000, 1001, 1002, 1003, ...range(1007, 1011), 3000, 3999, 4000, 4999];
const BAD = [0, 1, 999, 1004, 1005, 1006, 1015];
/** Codes that came into IANA's registry later. */
const LATER = [1012, 1013, 1014];
/** Codes that wait for a meaning. */
const RESERVED = [1016, 1100, 2000, 2999];
const BEYOND = [5000, 65535];

const payload = (...bytes: number[]) => ({
  opcode: OPCODE.close,
  payload: Uint8Array.from(bytes),
});

/** See the module. */
export const CLOSING: Section = section(6, "Closing", [
  {
    rfc: "RFC 6455 5.5.1",
    rule: "A Close is answered with a Close, as a rule with the same code.",
    rows: [
      { title: "a Close without a code", send: [close()], expect: closing([undefined, 1000]) },
      ...GOOD.map((code) => ({ ...withCode(code), expect: closing(code) })),
      {
        title: "a Close, sent byte by byte",
        send: [close(1000, "bye")],
        by: 1,
        expect: closing(1000),
      },
    ],
  },
  {
    rfc: "RFC 6455 5.5.1",
    rule: "Behind the code may stand a reason in UTF-8; the whole has at most 125 bytes.",
    rows: [
      { title: "a Close with a reason", send: [close(1000, "bye")], expect: closing(1000) },
      {
        title: "a Close with a reason of 123 bytes",
        send: [close(1000, "*".repeat(123))],
        expect: closing(1000),
      },
      {
        title: "a Close with a reason in Greek",
        send: [close(1000, "\u03ba\u1f79\u03c3\u03bc\u03b5")],
        expect: closing(1000),
      },
      {
        title: "a Close with a reason of 124 bytes",
        send: [close(1000, "*".repeat(124))],
        expect: failure(1002),
      },
      {
        title: "a Close whose reason is not UTF-8",
        send: [close(1000, Uint8Array.of(0x62, 0x80, 0x64))],
        expect: failure([1007, 1002]),
      },
      {
        title: "a Close whose reason ends within a character",
        send: [close(1000, Uint8Array.of(0x62, 0xe2, 0x82))],
        expect: failure([1007, 1002]),
      },
    ],
  },
  {
    rfc: "RFC 6455 5.5.1",
    rule: "The payload of a Close is empty, or begins with a code of two bytes.",
    rows: [{ title: "a Close with half a code", send: [payload(3)], expect: failure(1002) }],
  },
  {
    rfc: "RFC 6455 7.4",
    rule: "Codes below 1000 are not used, and 1004, 1005, 1006 and 1015 are never sent.",
    rows: BAD.map((code) => ({ ...withCode(code), expect: failure(1002) })),
  },
  {
    rfc: "RFC 6455 7.4.2",
    rule: "Codes from 1000 to 2999 are the protocol's; those without a meaning are not used yet.",
    rows: [
      ...LATER.map((code) => ({
        ...withCode(code),
        expect: [...closing(code), ...failure(1002)],
      })),
      ...RESERVED.map((code) => ({
        ...withCode(code),
        expect: failure(1002),
        allowed: closing(code),
      })),
      ...BEYOND.map((code) => ({
        ...withCode(code),
        expect: [...failure(1002), ...closing(code)],
      })),
    ],
  },
  {
    rfc: "RFC 6455 5.5.1",
    rule: "Nothing that follows a Close is answered.",
    rows: [
      {
        title: "a text message behind a Close",
        send: [close(1000), text("too late")],
        expect: closing(1000),
      },
      {
        title: "a Ping behind a Close",
        send: [close(1000), ping("too late")],
        expect: closing(1000),
      },
      {
        title: "a second Close behind a Close",
        send: [close(1000), close(1001)],
        expect: closing(1000),
      },
      {
        title: "bytes that are no frame behind a Close",
        send: [close(1000), new Uint8Array(64).fill(255)],
        expect: closing(1000),
      },
    ],
  },
  {
    rfc: "RFC 6455 5.5.1",
    rule: "A Ping before a Close is answered before it; a message may be.",
    rows: [
      {
        title: "a Ping, and a Close",
        send: [ping("last"), close(1000)],
        expect: closing(1000, aPong("last")),
      },
      {
        title: "a text message, and a Close",
        send: [text("last"), close(1000)],
        expect: [...closing(1000, aText("last")), ...closing(1000)],
      },
    ],
  },
  {
    rfc: "RFC 6455 5.5.1",
    rule: "A Close may come before a message has ended.",
    rows: [{
      title: "a Close behind the first fragment of a message",
      send: [text("a", { fin: false }), close(1000)],
      expect: closing(1000),
    }],
  },
  {
    rfc: "RFC 6455 7.1.1",
    rule: "A connection that nobody closes stays open.",
    rows: [{
      title: "a message, and another one",
      send: [text("one"), text("two")],
      expect: echo(aText("one"), aText("two")),
    }],
  },
]);
