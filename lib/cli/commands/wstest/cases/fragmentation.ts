/**
 * Messages in several frames.
 *
 * @module
 */

import { aBinary, aPong, aText, echo, failure, type Row, type Section, section } from "../case.ts";
import { binary, continuation, type Frame, ping, pong, text } from "../frame.ts";

const MORE = { fin: false } as const;

/** A text message cut into these fragments. */
export function fragments(...parts: readonly (string | Uint8Array)[]): Frame[] {
  return parts.map((part, i) => {
    const more = { fin: i === parts.length - 1 };
    return i === 0 ? text(part, more) : continuation(part, more);
  });
}

const LETTERS = "a message of many small fragments";

const joined: readonly Row[] = [
  {
    title: "a text message in two fragments",
    send: fragments("Hel", "lo"),
    expect: echo(aText("Hello")),
  },
  {
    title: "a binary message in three fragments",
    send: [binary("a", MORE), continuation("b", MORE), continuation("c")],
    expect: echo(aBinary("abc")),
  },
  {
    title: "a text message in fragments of one byte",
    send: fragments(...LETTERS),
    expect: echo(aText(LETTERS)),
  },
  {
    title: "a text message in fragments of one byte, sent byte by byte",
    send: fragments(...LETTERS),
    by: 1,
    expect: echo(aText(LETTERS)),
  },
  {
    title: "a message whose fragments are all empty",
    send: fragments("", "", ""),
    expect: echo(aText("")),
  },
  {
    title: "a message whose first and last fragments are empty",
    send: fragments("", "middle", ""),
    expect: echo(aText("middle")),
  },
  {
    title: "a message whose middle fragment is empty",
    send: fragments("be", "", "hind"),
    expect: echo(aText("behind")),
  },
  {
    title: "two fragmented messages, one behind the other",
    send: [...fragments("o", "ne"), ...fragments("t", "wo")],
    expect: echo(aText("one"), aText("two")),
  },
];

const between: readonly Row[] = [
  {
    title: "a Ping between two fragments",
    send: [text("Hel", MORE), ping("now"), continuation("lo")],
    expect: echo(aPong("now"), aText("Hello")),
  },
  {
    title: "a Ping between two fragments, sent byte by byte",
    send: [text("Hel", MORE), ping("now"), continuation("lo")],
    by: 1,
    expect: echo(aPong("now"), aText("Hello")),
  },
  {
    title: "a Pong that nobody asked for between two fragments",
    send: [text("Hel", MORE), pong("nobody asked"), continuation("lo")],
    expect: echo(aText("Hello")),
  },
  {
    title: "Pings between five fragments",
    send: [
      text("1", MORE),
      ping("a"),
      continuation("2", MORE),
      ping("b"),
      continuation("3", MORE),
      ping("c"),
      continuation("4", MORE),
      ping("d"),
      continuation("5"),
    ],
    expect: echo(aPong("a"), aPong("b"), aPong("c"), aPong("d"), aText("12345")),
  },
  {
    title: "a Ping before the first fragment and one behind the last",
    send: [ping("first"), ...fragments("Hel", "lo"), ping("last")],
    expect: echo(aPong("first"), aText("Hello"), aPong("last")),
  },
];

/** The message before these frames comes back, at most. */
function wrong(title: string, ...send: readonly Frame[]): Row {
  return { title, send: [text("before"), ...send], expect: failure(1002, aText("before")) };
}

/** See the module. */
export const FRAGMENTATION: Section = section(3, "Fragmentation", [
  {
    rfc: "RFC 6455 5.4",
    rule: "A message is what its fragments have, in order; each may be empty.",
    rows: joined,
  },
  {
    rfc: "RFC 6455 5.4",
    rule: "Control frames may stand between fragments, and are answered at once.",
    rows: between,
  },
  {
    rfc: "RFC 6455 5.4",
    rule: "A continuation frame continues a message that has begun.",
    rows: [
      wrong("a last fragment without a first one", continuation("nothing before")),
      wrong("a fragment that continues nothing", continuation("nothing before", MORE)),
      wrong("an empty fragment that continues nothing", continuation("")),
      wrong("a further fragment behind the last", ...fragments("a", "b"), continuation("c")),
    ].map((row, i) =>
      i < 3 ? row : { ...row, expect: failure(1002, aText("before"), aText("ab")) }
    ),
  },
  {
    rfc: "RFC 6455 5.4",
    rule: "The fragments of two messages do not mix.",
    rows: [
      wrong("a text message before another one has ended", text("a", MORE), text("b")),
      wrong("a binary message before a text message has ended", text("a", MORE), binary("b")),
      wrong("a first fragment before another message has ended", text("a", MORE), text("b", MORE)),
      wrong("a text message behind an empty first fragment", text("", MORE), text("b")),
      wrong(
        "a text message behind a fragment and a Pong",
        text("a", MORE),
        pong("between"),
        text("b"),
      ),
    ],
  },
]);
