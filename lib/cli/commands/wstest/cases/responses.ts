/**
 * The opening handshake of clients: responses that are right, and those that are not.
 *
 * @module
 */

import type { ResponseCase, Section } from "../case.ts";
import { headText } from "../handshake.ts";

type Fields = Readonly<Record<string, string | undefined>>;

const LINE = "HTTP/1.1 101 Switching Protocols";

/** A response that differs from the usual one in these fields; undefined leaves one out. */
function responseWith(fields: Fields, line: string = LINE): ResponseCase["response"] {
  return (accept) => {
    const usual = {
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Accept": accept,
    };
    const all = Object.entries({ ...usual, ...fields });
    const given = all.filter((field): field is [string, string] => field[1] !== undefined);
    return headText(line, Object.fromEntries(given));
  };
}

const usual = responseWith({});

type Row = readonly [title: string, response: ResponseCase["response"], by?: number];

interface ResponseGroup {
  readonly rule: string;
  readonly verdict: ResponseCase["verdict"];
  readonly rows: readonly Row[];
}

const GROUPS: readonly ResponseGroup[] = [
  {
    rule: "A response that is right opens the connection.",
    verdict: "accept",
    rows: [
      ["the usual response", usual],
      ["the usual response, sent byte by byte", usual, 1],
      ["another reason phrase", responseWith({}, "HTTP/1.1 101 Yes")],
      ["names of fields in lower case", (accept) => lowerCase(usual(accept))],
      ["Upgrade: WebSocket", responseWith({ Upgrade: "WebSocket" })],
      ["Connection: keep-alive, upgrade", responseWith({ Connection: "keep-alive, upgrade" })],
      ["a further field", responseWith({ "X-Field": "value" })],
    ],
  },
  {
    rule: "A client fails the connection when the response does not accept its request.",
    verdict: "refuse",
    rows: [
      ["no Sec-WebSocket-Accept", responseWith({ "Sec-WebSocket-Accept": undefined })],
      [
        "Sec-WebSocket-Accept of another key",
        responseWith({ "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" }),
      ],
      ["no Upgrade", responseWith({ Upgrade: undefined })],
      ["Upgrade: h2c", responseWith({ Upgrade: "h2c" })],
      ["no Connection", responseWith({ Connection: undefined })],
      ["Connection: close", responseWith({ Connection: "close" })],
      ["the status 200", responseWith({ "Content-Length": "0" }, "HTTP/1.1 200 OK")],
      ["the status 404", responseWith({ "Content-Length": "0" }, "HTTP/1.1 404 Not Found")],
    ],
  },
  {
    rule: "A client fails the connection when the response takes what was not offered.",
    verdict: "refuse",
    rows: [
      [
        "an extension that was not offered",
        responseWith({ "Sec-WebSocket-Extensions": "x-nobody-knows" }),
      ],
      [
        "a subprotocol that was not offered",
        responseWith({ "Sec-WebSocket-Protocol": "nobody.asked.example" }),
      ],
    ],
  },
];

/** A head with its names, not its values, in lower case. */
function lowerCase(head: string): string {
  return head.replace(/^[\w-]+(?=:)/gm, (name) => name.toLowerCase());
}

/** See the module. */
export const RESPONSES: Section = {
  number: 1,
  name: "Opening handshake",
  cases: GROUPS.flatMap(({ rule, verdict, rows }, g) =>
    rows.map(([title, response, by], n): ResponseCase => ({
      type: "response",
      id: `1.${g + 1}-${n + 1}`,
      rfc: "RFC 6455 4.1",
      rule,
      title,
      response,
      by,
      verdict,
    }))
  ),
};
