/**
 * Texts that are UTF-8, and those that are not, at every place where they can be cut.
 *
 * @module
 */

import { aText, echo, failure, type Row, type Section, section, type Sent } from "../case.ts";
import { continuation, type Frame, text, utf8 } from "../frame.ts";
import { fragments } from "./fragmentation.ts";

/** Texts with characters of one to four bytes, and the first and last of each length. */
const VALID: Readonly<Record<string, string>> = {
  "characters of one to four bytes": "a\u00e9\u20ac\u{10348}z",
  "a Greek word": "\u03ba\u1f79\u03c3\u03bc\u03b5",
  "the first character of each length": "\0\u0080\u0800\u{10000}",
  "the last character of each length": "\x7f\u07ff\uffff\u{10ffff}",
  "the characters around the surrogates": "\ud7ff\ue000\ufffd",
  "characters that mean nothing": "\ufffe\uffff\u{1fffe}\u{10fffe}",
  "a byte order mark": "\ufeffmark",
  "line ends and control characters": "\r\n\t\x1b\x85",
};

/** Bytes that are not UTF-8, in hex. */
const INVALID: Readonly<Record<string, string>> = {
  "a continuation byte alone": "80",
  "the last continuation byte alone": "bf",
  "two continuation bytes": "80bf",
  "the first byte of two alone": "c3",
  "the first byte of three alone": "e2",
  "two bytes of three": "e282",
  "the first byte of four alone": "f0",
  "three bytes of four": "f09f98",
  "the first byte of two before a letter": "c341",
  "two bytes of three before a letter": "e28241",
  "three bytes of four before a letter": "f09f9841",
  "a slash in two bytes": "c0af",
  "a slash in three bytes": "e080af",
  "a slash in four bytes": "f08080af",
  "a zero in two bytes": "c080",
  "U+007F in two bytes": "c1bf",
  "U+07FF in three bytes": "e09fbf",
  "U+FFFF in four bytes": "f08fbfbf",
  "the first surrogate": "eda080",
  "the last surrogate": "edbfbf",
  "a pair of surrogates": "eda080edb080",
  "U+110000": "f4908080",
  "the first byte of five": "f888808080",
  "the first byte of six": "fc8480808080",
  "the byte fe": "fe",
  "the byte ff": "ff",
};

const BEFORE = "\u03ba";

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** The text in two fragments, cut at each place; each message comes back. */
function cutEverywhere([name, value]: readonly [string, string]): Row {
  const bytes = utf8(value);
  const cuts = Array.from({ length: bytes.length + 1 }, (_, at) => at);
  return {
    title: `${name}, in two fragments, cut at each byte`,
    send: cuts.flatMap((at) => fragments(bytes.subarray(0, at), bytes.subarray(at))),
    expect: echo(...cuts.map((): Sent => aText(value))),
  };
}

function bytewise([name, value]: readonly [string, string]): Row {
  const parts = Array.from(utf8(value), (byte) => Uint8Array.of(byte));
  return {
    title: `${name}, in fragments of one byte`,
    send: fragments(...parts),
    expect: echo(aText(value)),
  };
}

/** A text with wrong bytes in its middle: right ones before and after. */
function around(wrong: Uint8Array): Uint8Array {
  return Uint8Array.of(...utf8(BEFORE), ...wrong, ...utf8("behind"));
}

const ENTRIES = Object.entries(VALID);

const invalidRows = Object.entries(INVALID).flatMap(([name, hex]): Row[] => {
  const wrong = fromHex(hex);
  const expect = failure(1007);
  return [
    {
      title: `${name} at the end of a text`,
      send: [text(around(wrong).subarray(0, 2 + wrong.length))],
      expect,
    },
    { title: `${name} within a text`, send: [text(around(wrong))], expect },
  ];
});

/** Wrong bytes in two fragments, cut at each byte before the last. */
const invalidCuts = Object.entries(INVALID).flatMap(([name, hex]): Row[] => {
  const bytes = around(fromHex(hex));
  const cuts = Array.from({ length: hex.length / 2 }, (_, i) => utf8(BEFORE).length + i);
  return cuts.map((at) => ({
    title: `${name} within a text in two fragments, cut behind ${at} bytes`,
    send: fragments(bytes.subarray(0, at), bytes.subarray(at)),
    expect: failure(1007),
  }));
});

/** Which of the wrong bytes show by themselves that the text is wrong, before it has ended. */
const EARLY = ["80", "c341", "c0af", "e080af", "eda080", "f4908080", "fe"];

const early = EARLY.flatMap((hex): Row[] => {
  const name = Object.entries(INVALID).find(([, value]) => value === hex)![0];
  const first = around(fromHex(hex));
  const rest: Frame[] = [continuation("the end")];
  return [
    {
      title: `a first fragment with ${name}; the next one only if nothing happens`,
      send: [text(first, { fin: false })],
      late: rest,
      expect: failure(1007),
    },
    {
      title: `a frame with ${name}, but for its last bytes; these only if nothing happens`,
      send: [text(first, { announced: BigInt(first.length + 4) })],
      late: [Uint8Array.of(0, 0, 0, 0)],
      expect: failure(1007),
    },
  ];
});

/** See the module. */
export const UTF_8: Section = section(5, "UTF-8", [
  {
    rfc: "RFC 6455 5.6",
    rule: "A text message is UTF-8, and comes back byte for byte.",
    rows: ENTRIES.map(([name, value]) => ({
      title: name,
      send: [text(value)],
      expect: echo(aText(value)),
    })),
  },
  {
    rfc: "RFC 6455 5.6",
    rule: "A fragment may end within a character.",
    rows: [...ENTRIES.map(cutEverywhere), ...ENTRIES.map(bytewise)],
  },
  {
    rfc: "RFC 6455 8.1",
    rule: "A text that is not UTF-8 fails the connection.",
    rows: invalidRows,
  },
  {
    rfc: "RFC 6455 8.1",
    rule:
      "A text that is not UTF-8 fails the connection, also where a fragment ends within the wrong bytes.",
    rows: invalidCuts,
  },
  {
    rfc: "RFC 6455 8.1",
    rule: "Wrong bytes may fail the connection at once, before the text has ended.",
    rows: early,
  },
]);
