/**
 * permessage-deflate (RFC 7692).
 *
 * @module
 */

import { constants, deflateRawSync } from "node:zlib";
import {
  aBinary,
  aPong,
  aText,
  echo,
  failure,
  type RequestCase,
  type Row,
  type Section,
  section,
} from "../case.ts";
import { binary, continuation, ping, RSV, text } from "../frame.ts";
import { requestCases, requestWith } from "./requests.ts";

/** Offers messages that have nothing in common. */
const ALONE = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";

const RSV1 = { rsv: RSV.one } as const;

const bytes = (...hex: readonly string[]) =>
  Uint8Array.from(hex.join("").match(/../g) ?? [], (byte) => parseInt(byte, 16));

/** "Hello", as RFC 7692 section 7.2.3.1 has it. */
const HELLO = bytes("f248cdc9c90700");

/** Compresses as a sender does: without the end of the last block. */
function deflated(data: Uint8Array): Uint8Array {
  const all = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH });
  return Uint8Array.from(all.subarray(0, -4));
}

const WORDS = new TextEncoder().encode("the quick brown fox ".repeat(3277));
const ZEROS = new Uint8Array(4 * 1024 * 1024);

function compressed(title: string, send: Row["send"], expect: Row["expect"], by?: number): Row {
  return { title, send, expect, by, deflate: ALONE };
}

const messages: readonly Row[] = [
  compressed("a compressed text", [text(HELLO, RSV1)], echo(aText("Hello"))),
  compressed("a compressed text, sent byte by byte", [text(HELLO, RSV1)], echo(aText("Hello")), 1),
  compressed(
    "two compressed texts",
    [text(HELLO, RSV1), text(HELLO, RSV1)],
    echo(aText("Hello"), aText("Hello")),
  ),
  compressed(
    "a block without compression",
    [text(bytes("000500faff48656c6c6f00"), RSV1)],
    echo(aText("Hello")),
  ),
  compressed(
    "a block that says it is the last",
    [text(bytes("f348cdc9c9070000"), RSV1)],
    echo(aText("Hello")),
  ),
  compressed(
    "a message of two blocks",
    [text(bytes("f2480500", "0000ffffcac9c90700"), RSV1)],
    echo(aText("Hello")),
  ),
  compressed("an empty compressed message", [text(bytes("00"), RSV1)], echo(aText(""))),
  compressed("a message that is not compressed", [text("Hello")], echo(aText("Hello"))),
  compressed(
    "a compressed message, one that is not, and a compressed one",
    [text(HELLO, RSV1), text("plain"), text(HELLO, RSV1)],
    echo(aText("Hello"), aText("plain"), aText("Hello")),
  ),
  compressed(
    "a compressed message of 64 KiB",
    [binary(deflated(WORDS), RSV1)],
    echo(aBinary(WORDS)),
  ),
];

const fragmented: readonly Row[] = [
  compressed(
    "a compressed text in two fragments",
    [text(HELLO.subarray(0, 3), { ...RSV1, fin: false }), continuation(HELLO.subarray(3))],
    echo(aText("Hello")),
  ),
  compressed(
    "a compressed text whose last fragment is empty",
    [text(HELLO, { ...RSV1, fin: false }), continuation("")],
    echo(aText("Hello")),
  ),
  compressed(
    "a Ping between the fragments of a compressed text",
    [
      text(HELLO.subarray(0, 3), { ...RSV1, fin: false }),
      ping("now"),
      continuation(HELLO.subarray(3)),
    ],
    echo(aPong("now"), aText("Hello")),
  ),
];

const rsvRows: readonly Row[] = [
  compressed(
    "a continuation frame with RSV1",
    [text(HELLO.subarray(0, 3), { ...RSV1, fin: false }), continuation(HELLO.subarray(3), RSV1)],
    failure(1002),
  ),
  compressed("a Ping with RSV1", [ping("a", RSV1)], failure(1002)),
  compressed("a text with RSV1 and RSV2", [text(HELLO, { rsv: RSV.one | RSV.two })], failure(1002)),
  compressed("a text with RSV3", [text("Hello", { rsv: RSV.three })], failure(1002)),
];

const wrongData: readonly Row[] = [
  compressed(
    "a block of a kind that there is not",
    [text(bytes("07ffffff"), RSV1)],
    failure([1007, 1002]),
  ),
  compressed(
    "a distance that leads before the beginning",
    [text(bytes("f200110000"), RSV1)],
    failure([1007, 1002]),
  ),
  compressed(
    "a block without compression whose length is wrong",
    [text(bytes("0005000000", "48656c6c6f00"), RSV1)],
    failure([1007, 1002]),
  ),
  compressed(
    "a compressed text that is not UTF-8",
    [text(deflated(bytes("48ff6c6c6f")), RSV1)],
    failure(1007),
  ),
];

const takeover: readonly Row[] = [{
  title: "a text that refers to the one before",
  send: [text(HELLO, RSV1), text(bytes("f200110000"), RSV1)],
  expect: echo(aText("Hello"), aText("Hello")),
  deflate: "permessage-deflate",
  takeover: true,
}, {
  title: "a text that is not compressed, between two of which one refers to the other",
  send: [text(HELLO, RSV1), text("plain"), text(bytes("f200110000"), RSV1)],
  expect: echo(aText("Hello"), aText("plain"), aText("Hello")),
  deflate: "permessage-deflate",
  takeover: true,
}];

const bomb: Row = compressed(
  "4 MiB of zeros in 4 KiB",
  [binary(deflated(ZEROS), RSV1)],
  [...failure(1009), ...echo(aBinary(ZEROS))],
);

/** An offer that must be declined; refusing the request is allowed, too. */
function declined(offer: string): Omit<RequestCase, "type" | "id" | "rfc" | "rule"> {
  return {
    title: `the offer ${offer}`,
    request: requestWith({ "Sec-WebSocket-Extensions": offer }),
    verdict: "either",
    check: (headers) =>
      headers.has("sec-websocket-extensions") ? "the offer is accepted" : undefined,
  };
}

/** An offer whose acceptance, if it is accepted, passes a check. */
function offered(
  offer: string,
  check: (extension: string) => string | undefined,
  verdict: RequestCase["verdict"] = "accept",
): Omit<RequestCase, "type" | "id" | "rfc" | "rule"> {
  return {
    title: `the offer ${offer}`,
    request: requestWith({ "Sec-WebSocket-Extensions": offer }),
    verdict,
    check: (headers) => {
      const extension = headers.get("sec-websocket-extensions");
      return extension === null ? undefined : check(extension);
    },
  };
}

/** The value of a parameter in the response; undefined if it is not there. */
function parameter(extension: string, name: string): string | undefined {
  const found = extension.split(";").map((one) => one.trim().split("="))
    .find(([given]) => given.trim() === name);
  return found && (found[1] ?? "").trim().replaceAll('"', "");
}

function smallWindow(extension: string): string | undefined {
  const bits = Number(parameter(extension, "server_max_window_bits"));
  return bits >= 8 && bits <= 10 ? undefined : "server_max_window_bits is not from 8 to 10";
}

const NEGOTIATION = requestCases(8, [
  {
    rfc: "RFC 7692 7.1",
    rule: "A server that accepts an offer answers its parameters.",
    rows: [
      offered(
        "permessage-deflate",
        (extension) =>
          parameter(extension, "client_max_window_bits") === undefined
            ? undefined
            : "client_max_window_bits was not offered",
      ),
      offered(
        "permessage-deflate; server_no_context_takeover",
        (extension) =>
          parameter(extension, "server_no_context_takeover") === ""
            ? undefined
            : "server_no_context_takeover is missing",
      ),
      offered("permessage-deflate; client_max_window_bits", () => undefined),
      offered("permessage-deflate; server_max_window_bits=10", smallWindow),
      offered('permessage-deflate; server_max_window_bits="10"', smallWindow),
      offered("permessage-deflate; server_max_window_bits=10, permessage-deflate", () => undefined),
      offered(
        "x-nobody-knows, permessage-deflate",
        (extension) =>
          extension.includes("x-nobody-knows")
            ? "it takes an extension that nobody knows"
            : undefined,
      ),
      offered(
        "permessage-deflate; x-nobody-knows, permessage-deflate",
        (extension) =>
          extension.includes("x-nobody-knows")
            ? "it takes a parameter that nobody knows"
            : undefined,
        "either",
      ),
    ],
  },
  {
    rfc: "RFC 7692 7.1",
    rule: "A server declines an offer with a parameter or value that is not defined.",
    rows: [
      declined("permessage-deflate; x-nobody-knows"),
      declined("permessage-deflate; server_no_context_takeover=1"),
      declined("permessage-deflate; client_no_context_takeover=true"),
      declined("permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
      declined("permessage-deflate; server_max_window_bits"),
      declined("permessage-deflate; server_max_window_bits=7"),
      declined("permessage-deflate; server_max_window_bits=16"),
      declined("permessage-deflate; server_max_window_bits=08"),
      declined("permessage-deflate; client_max_window_bits=16"),
    ],
  },
]);

const FRAMES = section(8, "Compression", [
  {
    rfc: "RFC 7692 7.2",
    rule: "RSV1 says that a message is compressed; each message may be, or not.",
    rows: messages,
  },
  {
    rfc: "RFC 7692 6.1",
    rule: "A message is compressed as a whole, and may be fragmented then.",
    rows: fragmented,
  },
  {
    rfc: "RFC 7692 6.1",
    rule: "RSV1 stands in the first frame of a message, and in no control frame.",
    rows: rsvRows,
  },
  {
    rfc: "RFC 7692 7.2.2",
    rule: "What does not inflate fails the connection.",
    rows: wrongData,
  },
  {
    rfc: "RFC 7692 7.2.3.2",
    rule: "Without client_no_context_takeover a message may refer to earlier ones.",
    rows: takeover,
  },
  {
    rfc: "RFC 7692 8",
    rule: "A message may be refused by its size after inflating, with 1009.",
    rows: [bomb],
  },
], 3);

/** See the module. */
export const DEFLATE: Section = { ...FRAMES, cases: [...NEGOTIATION, ...FRAMES.cases] };
