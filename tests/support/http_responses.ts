// Responses as a client reads them, strictly.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { LightHandler } from "../../lib/http/server/light.ts";
import type { HttpOptions } from "../../lib/http/server/options.ts";
import { bytes, readAll } from "./helpers.ts";
import { serveOn } from "./http_helpers.ts";

/** A response, and what of it is not its content. */
export interface ParsedResponse {
  readonly status: number;
  readonly reason: string;
  /** The fields by name in lower case; no field comes twice. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Reads all responses in what a server sent to requests with these methods; GET, if there are more. */
export function responsesOf(text: string, methods: readonly string[] = []): ParsedResponse[] {
  const responses: ParsedResponse[] = [];
  let rest = text;
  let final = 0;
  while (rest !== "") {
    const head = /^HTTP\/1\.1 ([1-5]\d\d) ([ -~]*)\r\n((?:[!-9;-~]+: [^\r\n]*\r\n)*)\r\n/.exec(
      rest,
    );
    assert.ok(head, `Not a response: ${JSON.stringify(rest)}`);
    rest = rest.slice(head[0].length);
    const status = Number(head[1]);
    const headers = fieldsOf(head[3]);
    const method = methods[final] ?? "GET";
    if (status >= 200) final++;
    const bare = status < 200 || status === 204 || status === 304 || method === "HEAD";
    const [body, length] = bare ? ["", 0] : contentOf(rest, headers);
    rest = rest.slice(length);
    responses.push({ status, reason: head[2], headers, body });
  }
  return responses;
}

function fieldsOf(lines: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [, name, value] of lines.matchAll(/([^:\r\n]+): ([^\r\n]*)\r\n/g)) {
    assert.ok(!headers.has(name.toLowerCase()), `${name} comes twice`);
    headers.set(name.toLowerCase(), value);
  }
  const frames = ["content-length", "transfer-encoding"].filter((name) => headers.has(name));
  assert.ok(frames.length < 2, "RFC 9112 6.2: Content-Length beside Transfer-Encoding");
  return headers;
}

/** The content at the start of a text, and how many characters it takes there. */
function contentOf(text: string, headers: ReadonlyMap<string, string>): [string, number] {
  const length = headers.get("content-length");
  if (length !== undefined) {
    assert.match(length, /^\d+$/);
    assert.ok(text.length >= Number(length), `${text.length} of ${length} bytes`);
    return [text.slice(0, Number(length)), Number(length)];
  }
  if (!headers.has("transfer-encoding")) {
    assert.equal(headers.get("connection"), "close", "The content ends nowhere");
    return [text, text.length];
  }
  assert.equal(headers.get("transfer-encoding"), "chunked");
  let content = "";
  for (let at = 0;;) {
    const size = /^([0-9a-f]+)\r\n/.exec(text.slice(at));
    assert.ok(size, `Not a chunk: ${JSON.stringify(text.slice(at))}`);
    const start = at + size[0].length;
    const end = start + Number.parseInt(size[1], 16);
    assert.equal(text.slice(end, end + 2), "\r\n");
    content += text.slice(start, end);
    at = end + 2;
    if (start === end) return [content, at];
  }
}

/** Answers with what it was asked: method, target, host and content, which is taken for Latin-1. */
export const mirror: LightHandler = async (request) => {
  const { method, target, host } = request;
  let body = "";
  for await (const p of request.body ?? []) body += Buffer.from(p).toString("latin1");
  return { status: 200, body: Buffer.from(`${method} ${target} ${host} ${body}`, "latin1") };
};

/** A last request, which ends the connection: its response shows that the connection went on. */
export const LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** What a server sends until it closes, to text in ASCII or Latin-1 that comes in these pieces. */
export async function converse(
  pieces: readonly string[],
  handler: LightHandler = mirror,
  options: HttpOptions = {},
): Promise<string> {
  await using server = await serveOn(handler, options);
  using conn = await server.connect();
  for (const piece of pieces) await conn.write(Buffer.from(piece, "latin1"));
  return Buffer.from(await readAll(conn)).toString("latin1");
}

/**
 * Asserts that requests are answered with this content, one response each, and that the connection goes
 * on behind them. They are sent in one piece, and byte by byte.
 */
export async function answered(requests: string, ...contents: string[]): Promise<void> {
  for (const pieces of [[requests + LAST], [...requests, LAST]]) {
    const responses = responsesOf(await converse(pieces));
    assert.deepEqual(
      responses.map(({ status, body }) => [status, body]),
      [...contents, "GET /last a "].map((content) => [200, content]),
      JSON.stringify(requests),
    );
  }
}

/**
 * Asserts that each of these requests gets one response, with this status, and then the connection is
 * closed, whatever comes behind. They are sent in one piece, and byte by byte.
 */
export async function refused(status: number, ...requests: string[]): Promise<void> {
  for (const request of requests) {
    for (const pieces of [[request + LAST], [...request, LAST]]) {
      const responses = responsesOf(await converse(pieces));
      const [{ headers, body }] = responses;
      assert.deepEqual(responses.map(({ status }) => status), [status], JSON.stringify(request));
      assert.equal(headers.get("connection"), "close");
      assert.ok(headers.has("date"));
      assert.match(body, /^[A-Z][^\n]*\.\n$/, "A line says why");
    }
  }
}

/** Connects, sends, half-closes, and reads the responses. */
export async function talk(
  text: string,
  handler: LightHandler,
  ...methods: string[]
): Promise<ParsedResponse[]> {
  await using server = await serveOn(handler);
  using conn = await server.connect();
  await conn.write(bytes(text));
  await conn.closeWrite();
  return responsesOf(Buffer.from(await readAll(conn)).toString("latin1"), methods);
}
