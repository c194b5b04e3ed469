// Messages that nobody thought of: what fast-check makes heads, bodies and requests of, right and wrong.

import { Buffer } from "node:buffer";
import * as fc from "fast-check";

/** Characters that mean something to a parser, and some that mean nothing. */
const character = fc.constantFrom(...'\r\n \t:,;=/*"\\[]@%#?\0\x0b\x7f\x80\xa0\xffaZ059.-+');

/** A change of a text: at which part of it, what is done there, and with which character. */
type Mutation = readonly [part: number, what: number, character: string];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.nat(5),
  character,
);

/** Changes of a text: none, or some. */
export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.oneof(
  fc.constant([]),
  fc.array(mutation, { minLength: 1, maxLength: 3 }),
);

/** Makes changes of a text. */
export function mutate(text: string, changes: readonly Mutation[]): string {
  for (const [part, what, character] of changes) {
    const at = Math.floor(part * text.length);
    const [before, behind] = [text.slice(0, at), text.slice(at)];
    if (what === 0) text = before + character + behind;
    else if (what === 1) text = before + behind.slice(1);
    else if (what === 2) text = before + character + behind.slice(1);
    else if (what === 3) text = before + behind.slice(0, 9) + behind;
    else if (what === 4) text = before + character.repeat(40) + behind;
    else text = before;
  }
  return text;
}

/** Where a text is cut, as parts of its length. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 6,
});

/** Cuts a text there. */
export function cut(text: string, parts: readonly number[]): string[] {
  const places = parts.map((part) => Math.floor(part * text.length)).sort((a, b) => a - b);
  return [0, ...places].map((place, i) => text.slice(place, places[i]));
}

/** Mostly the first, which is right. */
function mostly(right: string, ...others: string[]): fc.Arbitrary<string> {
  return fc.oneof({ arbitrary: fc.constant(right), weight: 9 }, fc.constantFrom(...others));
}

const right = fc.constantFrom(
  ...["X: y", "X-Y:\ta, b \t", "Content-Length: 5", "content-length:007", "Connection: Close, x"],
  ...["CONNECTION: keep-alive", "Expect: 100-continue", "X:", "X: \xe9", "Cookie: a=b; c=d"],
);
const name = fc.constantFrom(
  "Host",
  "Content-Length",
  "Transfer-Encoding",
  "Connection",
  "Expect",
  "X",
);
const value = fc.oneof(
  fc.constantFrom(
    "a:80",
    "[::1]",
    "5, 5",
    "chunked",
    "gzip, chunked",
    "close",
    "a b",
    "\xa0chunked",
  ),
  fc.string({ unit: character, maxLength: 12 }),
);
const field = fc.oneof(
  { arbitrary: right, weight: 4 },
  fc.tuple(name, mostly(": ", ":", " : "), value).map((parts) => parts.join("")),
);
/** A head, right or nearly so, and what may stand behind it. */
export const head: fc.Arbitrary<string> = fc.tuple(
  mostly("", "\r\n", "\r\n\r\n"),
  mostly("GET", "POST", "HEAD", "OPTIONS", "CONNECT", "a-b", ""),
  mostly("/", "/a?b", "*", "http://b/", "b:80", "http://u@b:81?c", "x", "//", "/#"),
  mostly("HTTP/1.1", "HTTP/1.0", "HTTP/1.5", "HTTP/2.0", "http/1.1"),
  mostly("Host: a\r\n", "", "hOST:[::1]:80\r\n", "Host: a b\r\n"),
  fc.array(field, { maxLength: 5 }),
  fc.constantFrom("", "GET / HTTP/1.1\r\n", "\0\0\0"),
).map(([before, method, target, version, host, fields, behind]) =>
  `${before}${method} ${target} ${version}\r\n${host}` +
  fields.map((field) => `${field}\r\n`).join("") + `\r\n${behind}`
);

/** Bytes, as text. */
export const content: fc.Arbitrary<string> = fc.uint8Array({ maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));

/** Requests that are right, and what is to come back. */
export const request: fc.Arbitrary<ValidRequest> = fc.record({
  method: fc.constantFrom("GET", "POST", "HEAD", "BREW"),
  path: fc.constantFrom("/read", "/late", "/ignore", "/stream", "/large", "/throw"),
  framing: fc.constantFrom("none", "length", "chunked"),
  body: content,
  old: fc.boolean(),
});

/** A request that is right. */
export interface ValidRequest {
  readonly method: string;
  readonly path: string;
  readonly framing: string;
  readonly body: string;
  readonly old: boolean;
}

/** The message of a request. */
export function requestText({ method, path, framing, body, old }: ValidRequest): string {
  const head = `${method} ${path} HTTP/1.${old && framing !== "chunked" ? 0 : 1}\r\nHost: a\r\n` +
    (old ? "Connection: keep-alive\r\n" : "");
  if (framing === "none") return `${head}\r\n`;
  if (framing === "length") return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const size = body.length.toString(16);
  const chunk = body === "" ? "" : `${size}\r\n${body}\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

const pipeline = fc.array(request, { minLength: 1, maxLength: 3 }).map((requests) =>
  requests.map(requestText).join("")
);
/** What a client may send that is not right, mostly. */
export const garbage: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(pipeline, mutations).map(([text, changes]) => mutate(text, changes)),
  fc.tuple(head, mutations).map(([text, changes]) => mutate(text, changes)),
  fc.string({ unit: character, maxLength: 60 }),
);
