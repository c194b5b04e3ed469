/**
 * Ping and Pong, and what all control frames have in common.
 *
 * @module
 */

import { aPong, aText, echo, failure, type Row, type Section, section } from "../case.ts";
import { continuation, type Frame, OPCODE, ping, pong, text } from "../frame.ts";

const BYTES = Uint8Array.from({ length: 125 }, (_, i) => 255 - i);

function answered(title: string, payload: string | Uint8Array, by?: number): Row {
  return { title, send: [ping(payload)], by, expect: echo(aPong(payload)) };
}

/** Ten Pings in a row. */
const TEN = Array.from({ length: 10 }, (_, i) => `number ${i}`);

function wrong(title: string, ...send: readonly Frame[]): Row {
  return { title, send: [text("before"), ...send], expect: failure(1002, aText("before")) };
}

const MORE = { fin: false } as const;
const long = (opcode: number): Frame => ({ opcode, payload: new Uint8Array(126).fill(42) });

/** A close code and a reason that is too long. */
const longClose: Frame = {
  opcode: OPCODE.close,
  payload: Uint8Array.of(3, 232, ...new Uint8Array(124).fill(42)),
};

/** See the module. */
export const CONTROL: Section = section(4, "Control frames", [
  {
    rfc: "RFC 6455 5.5.2",
    rule: "A Ping is answered with a Pong that has the same payload.",
    rows: [
      answered("a Ping without a payload", ""),
      answered("a Ping with a text", "hello"),
      answered("a Ping with bytes that are not UTF-8", Uint8Array.of(0, 255, 254, 192, 128)),
      answered("a Ping with 125 bytes", BYTES),
      answered("a Ping with 125 bytes, sent byte by byte", BYTES, 1),
      {
        title: "ten Pings, one behind the other",
        send: TEN.map((payload) => ping(payload)),
        expect: echo(...TEN.map(aPong)),
      },
      {
        title: "ten Pings, sent byte by byte",
        send: TEN.map((payload) => ping(payload)),
        by: 1,
        expect: echo(...TEN.map(aPong)),
      },
      {
        title: "a text message between two Pings",
        send: [ping("a"), text("hello"), ping("b")],
        expect: echo(aPong("a"), aText("hello"), aPong("b")),
      },
    ],
  },
  {
    rfc: "RFC 6455 5.5.3",
    rule: "A Pong that nobody asked for is not answered.",
    rows: [
      {
        title: "a Pong without a payload",
        send: [pong(), text("hello")],
        expect: echo(aText("hello")),
      },
      {
        title: "a Pong with a payload, and a Ping",
        send: [pong("nobody asked"), ping("asked")],
        expect: echo(aPong("asked")),
      },
      {
        title: "a Pong with 125 bytes",
        send: [pong(BYTES), text("hello")],
        expect: echo(aText("hello")),
      },
    ],
  },
  {
    rfc: "RFC 6455 5.5",
    rule: "A control frame has at most 125 bytes.",
    rows: [
      wrong("a Ping with 126 bytes", long(OPCODE.ping)),
      wrong("a Pong with 126 bytes", long(OPCODE.pong)),
      wrong("a Close with 126 bytes", longClose),
      {
        ...wrong("a Ping that announces 65536 bytes", ping("", { announced: 65536n })),
        late: [new Uint8Array(65536)],
      },
    ],
  },
  {
    rfc: "RFC 6455 5.5",
    rule: "A control frame is not fragmented.",
    rows: [
      wrong("a Ping that is not final", ping("a", MORE)),
      wrong("a Ping in two fragments", ping("a", MORE), continuation("b")),
      wrong("a Pong that is not final", pong("a", MORE)),
      wrong("a Close that is not final", { opcode: OPCODE.close, fin: false }),
    ],
  },
]);
