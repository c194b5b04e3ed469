/**
 * The opening handshake of servers: requests that are right, and those that are not.
 *
 * @module
 */

import type { RequestCase, RequestOptions, Section } from "../case.ts";
import { text } from "../frame.ts";
import { requestFields, requestText } from "../handshake.ts";

type Fields = Readonly<Record<string, string | undefined>>;

/** A request that differs from the usual one in these fields; undefined leaves one out. */
export function requestWith(fields: Fields): RequestCase["request"] {
  return (options) => {
    const all = Object.entries({ ...requestFields(options), ...fields });
    const given = all.filter((field): field is [string, string] => field[1] !== undefined);
    return requestText(options, Object.fromEntries(given));
  };
}

const usual = requestWith({});

function startingWith(line: (options: RequestOptions) => string): RequestCase["request"] {
  return (options) => requestText(options, requestFields(options), line(options));
}

/** The names and values of a request, written otherwise. */
function rewritten(rewrite: (name: string, value: string) => [string, string]) {
  return (options: RequestOptions) => {
    const fields = Object.entries(requestFields(options)).map(([name, value]) =>
      rewrite(name, value)
    );
    return requestText(options, Object.fromEntries(fields));
  };
}

/** A case without what its group says. */
type Row = Omit<RequestCase, "type" | "id" | "rfc" | "rule">;

/** Cases that follow from one sentence. */
interface RequestGroup {
  readonly rfc: string;
  readonly rule: string;
  readonly rows: readonly Row[];
}

/** Numbers the cases of groups; the first group is `first`. */
export function requestCases(
  section: number,
  groups: readonly RequestGroup[],
  first = 1,
): RequestCase[] {
  return groups.flatMap(({ rfc, rule, rows }, g) =>
    rows.map((row, n): RequestCase => ({
      ...row,
      type: "request",
      id: `${section}.${first + g}-${n + 1}`,
      rfc,
      rule,
    }))
  );
}

const accepted = (
  title: string,
  request: RequestCase["request"],
  more: Partial<Row> = {},
): Row => ({
  title,
  request,
  verdict: "accept",
  ...more,
});

const refused = (title: string, request: RequestCase["request"], more: Partial<Row> = {}): Row => ({
  title,
  request,
  verdict: "refuse",
  ...more,
});

const many = Object.fromEntries(
  Array.from({ length: 50 }, (_, i) => [`X-Field-${i}`, "*".repeat(40)]),
);

const OFFERED = ["one.example", "two.example"];

/** A server takes one of the subprotocols on offer, or none. */
function subprotocolFault(headers: Headers): string | undefined {
  const chosen = headers.get("sec-websocket-protocol");
  return chosen === null || OFFERED.includes(chosen)
    ? undefined
    : "the subprotocol is not one of those on offer";
}

function noneOf(name: string, why: string): RequestCase["check"] {
  return (headers) => headers.has(name) ? why : undefined;
}

/** A server that does not speak the version says which it speaks. */
function versionFault(headers: Headers): string | undefined {
  const versions = headers.get("sec-websocket-version");
  if (versions === null) return "the response has no Sec-WebSocket-Version";
  return versions.split(",").some((one) => one.trim() === "13")
    ? undefined
    : "Sec-WebSocket-Version of the response has no 13";
}

function version(value: string): Row {
  return refused(`the version ${value}`, requestWith({ "Sec-WebSocket-Version": value }), {
    statuses: [426, 400],
    check: versionFault,
  });
}

/** See the module. */
export const REQUESTS: Section = {
  number: 1,
  name: "Opening handshake",
  cases: requestCases(1, [
    {
      rfc: "RFC 6455 4.2",
      rule: "A request that is right is accepted with 101 and the key's Sec-WebSocket-Accept.",
      rows: [
        accepted("the usual request", usual),
        accepted("the usual request, sent byte by byte", usual, { by: 1 }),
        accepted("the usual request, sent 3 bytes at a time", usual, { by: 3 }),
        accepted(
          "names of fields in lower case",
          rewritten((name, value) => [name.toLowerCase(), value]),
        ),
        accepted(
          "names of fields in upper case",
          rewritten((name, value) => [name.toUpperCase(), value]),
        ),
        accepted("Upgrade: WebSocket", requestWith({ Upgrade: "WebSocket" })),
        accepted("Connection: upgrade", requestWith({ Connection: "upgrade" })),
        accepted(
          "Connection: keep-alive, Upgrade",
          requestWith({ Connection: "keep-alive, Upgrade" }),
        ),
        accepted(
          "white space around the values",
          rewritten((name, value) => [name, ` \t ${value} \t`]),
        ),
        accepted("50 further fields", requestWith(many)),
      ],
    },
    {
      rfc: "RFC 6455 4.1",
      rule: "Frames may follow the request at once: they count from the first one on.",
      rows: [
        accepted("a request with a text message behind it", usual, { followedBy: [text("early")] }),
        accepted("a request with three text messages behind it, sent 5 bytes at a time", usual, {
          followedBy: [text("one"), text("two"), text("three")],
          by: 5,
        }),
      ],
    },
    {
      rfc: "RFC 6455 4.2.2",
      rule: "A server takes only what the client has offered.",
      rows: [
        accepted("no subprotocol", usual, {
          check: noneOf("sec-websocket-protocol", "it takes a subprotocol that was not offered"),
        }),
        accepted(
          "two subprotocols that it may not know",
          requestWith({ "Sec-WebSocket-Protocol": OFFERED.join(", ") }),
          { verdict: "either", check: subprotocolFault },
        ),
        accepted("no extension", usual, {
          check: noneOf("sec-websocket-extensions", "it takes an extension that was not offered"),
        }),
        accepted(
          "an extension that nobody knows",
          requestWith({ "Sec-WebSocket-Extensions": "x-nobody-knows; level=9" }),
          { check: noneOf("sec-websocket-extensions", "it takes an extension that nobody knows") },
        ),
      ],
    },
    {
      rfc: "RFC 6455 4.2.1",
      rule: "A key is 16 bytes in Base64.",
      rows: [
        refused("no Sec-WebSocket-Key", requestWith({ "Sec-WebSocket-Key": undefined })),
        refused("an empty key", requestWith({ "Sec-WebSocket-Key": "" })),
        refused("a key of 15 bytes", requestWith({ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" })),
        refused(
          "a key of 17 bytes",
          requestWith({ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA=" }),
        ),
        refused(
          "a key that is not Base64",
          requestWith({ "Sec-WebSocket-Key": "this is not a key at all..." }),
        ),
      ],
    },
    {
      rfc: "RFC 6455 4.2.2",
      rule: "Another version than 13 is refused, with Sec-WebSocket-Version: 13.",
      rows: [
        refused(
          "no Sec-WebSocket-Version",
          requestWith({ "Sec-WebSocket-Version": undefined }),
        ),
        version("7"),
        version("12"),
        version("14"),
        version("thirteen"),
      ],
    },
    {
      rfc: "RFC 6455 4.2.1",
      rule: "Without Upgrade and Connection a request does not ask for a WebSocket.",
      rows: [
        refused("no Upgrade", requestWith({ Upgrade: undefined }), { statuses: "any" }),
        refused("Upgrade: h2c", requestWith({ Upgrade: "h2c" }), { statuses: "any" }),
        refused("no Connection", requestWith({ Connection: undefined }), { statuses: "any" }),
        refused("Connection: close", requestWith({ Connection: "close" }), { statuses: "any" }),
      ],
    },
    {
      rfc: "RFC 6455 4.2.1",
      rule: "The request is a GET of HTTP/1.1, with Host.",
      rows: [
        refused("HTTP/1.0", startingWith(({ target }) => `GET ${target} HTTP/1.0`), {
          statuses: "any",
        }),
        refused(
          "POST",
          (options) =>
            requestText(
              options,
              { ...requestFields(options), "Content-Length": "0" },
              `POST ${options.target} HTTP/1.1`,
            ),
          { statuses: "any" },
        ),
        refused("no Host", requestWith({ Host: undefined }), { statuses: "any" }),
      ],
    },
  ]),
};
