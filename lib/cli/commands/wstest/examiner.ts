/**
 * Tests clients: each of their connections is a case.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { Conn } from "../../../net/transport.ts";
import { aText, type Case, type FrameCase, type ResponseCase, type Section } from "./case.ts";
import { close, encodeFrame, text, utf8 } from "./frame.ts";
import { exchange } from "./exchange.ts";
import { FrameReader } from "./frame_reader.ts";
import { acceptOf, hasItem, headText, parseFields } from "./handshake.ts";
import { Inflater } from "./inflater.ts";
import { Link } from "./case_connection.ts";
import { judge, type Judgement } from "./match.ts";
import { reportJson, reportText } from "./report.ts";
import type { Result, SectionResult } from "./result.ts";
import { describeSeen } from "./frame_words.ts";

/** Options of {@linkcode Examiner}. */
export interface ExaminerOptions {
  /** The time for a case, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  /** Called when a case has ended. */
  readonly onResult: (result: Result) => void;
}

/** A request that was read. */
interface Request {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
}

/** See the module. */
export class Examiner {
  readonly #sections: readonly Section[];
  readonly #cases: readonly Case[];
  readonly #results = new Map<Case, Result>();
  readonly #options: ExaminerOptions;
  #next = 0;

  constructor(sections: readonly Section[], options: ExaminerOptions) {
    this.#sections = sections;
    this.#cases = sections.flatMap(({ cases }) => cases);
    this.#options = options;
  }

  /** The results so far. A case that no connection has had is not among them. */
  get results(): SectionResult[] {
    return this.#sections.map((section) => ({
      section,
      results: section.cases.flatMap((one) => this.#results.get(one) ?? []),
    })).filter(({ results }) => results.length > 0);
  }

  /** The number of cases that no connection has had. */
  get left(): number {
    return this.#cases.length - this.#results.size;
  }

  /** Serves a connection. */
  async serve(conn: Conn): Promise<void> {
    const { timeout, clock } = this.#options;
    using link = new Link(conn, clock);
    const got = await link.readHead(timeout);
    const request = typeof got === "string" ? undefined : parseRequest(got.head);
    if (typeof got === "string" || request === undefined) return;
    const key = request.headers.get("sec-websocket-key");
    if (!hasItem(request.headers, "upgrade", "websocket") || key === null) {
      return await this.#answerHttp(link, request);
    }
    const accept = acceptOf(key);
    if (request.path.endsWith("/getCaseCount")) {
      return await this.#say(link, accept, String(this.#cases.length));
    }
    if (request.path.endsWith("/updateReports")) return await this.#say(link, accept);
    const one = this.#choose(request.query.get("case"));
    if (one === undefined) {
      return await link.write(plain("404 Not Found", "There is no such case.\n"));
    }
    const result = one.type === "response"
      ? await this.#examineHandshake(one, link, accept)
      : await this.#examine(one as FrameCase, link, request, accept, got.rest);
    this.#results.set(one, result);
    this.#options.onResult(result);
  }

  /** The case with a number from 1 on, or an id; without one it is the next. */
  #choose(named: string | null): Case | undefined {
    if (named === null) return this.#cases[this.#next++ % this.#cases.length];
    return this.#cases[Number(named) - 1] ?? this.#cases.find(({ id }) => id === named);
  }

  async #answerHttp(link: Link, { path }: Request): Promise<void> {
    const answers: Readonly<Record<string, () => Uint8Array>> = {
      "/count": () => plain("200 OK", `${this.#cases.length}\n`),
      "/report": () => plain("200 OK", reportText(this.results)),
      "/report.json": () => plain("200 OK", reportJson({}, this.results), "application/json"),
    };
    const answer = Object.hasOwn(answers, path)
      ? answers[path]()
      : plain("426 Upgrade Required", "This is for WebSockets; see also /count and /report.\n");
    await link.write(answer);
  }

  /** Opens a WebSocket, sends a text if there is one, and closes. */
  async #say(link: Link, accept: string, message?: string): Promise<void> {
    const frames = [...message === undefined ? [] : [text(message)], close(1000)];
    await link.write(opening(accept));
    for (const frame of frames) await link.write(encodeFrame(frame, "server"));
    await link.readEnd(this.#options.timeout);
  }

  async #examine(
    one: FrameCase,
    link: Link,
    { headers }: Request,
    accept: string,
    rest: Uint8Array,
  ): Promise<Result> {
    const { timeout, clock } = this.#options;
    const offers = (headers.get("sec-websocket-extensions") ?? "").split(",")
      .find((offer) => /^ *permessage-deflate *(;|$)/.test(offer));
    const isPossible = offers !== undefined &&
      !(one.takeover && offers.includes("server_no_context_takeover"));
    if (one.deflate !== undefined && !isPossible) {
      await this.#say(link, accept);
      const why = "the client does not offer the extension";
      return { case: one, verdict: "skipped", why, sent: new Uint8Array(0), got: "" };
    }
    await link.write(opening(accept, one.deflate));
    link.written = new Uint8Array(0);
    const inflater = one.deflate === undefined ? undefined : new Inflater();
    try {
      const reader = new FrameReader("client", inflater);
      const seen = await exchange(one, link, reader, { role: "server", rest, timeout, clock });
      return { case: one, ...judge(one, seen), sent: link.written, got: describeSeen(seen) };
    } finally {
      inflater?.close();
    }
  }

  async #examineHandshake(one: ResponseCase, link: Link, accept: string): Promise<Result> {
    const { timeout, clock } = this.#options;
    const response = one.response(accept);
    await link.write(utf8(response), one.by);
    const written = utf8(response);
    const { id, rfc, rule, title } = one;
    const expect = [{ type: "echo", events: [aText("hello")] }] as const;
    const sends = response.startsWith("HTTP/1.1 101") ? [text("hello")] : [];
    const echo: FrameCase = { type: "frames", id, rfc, rule, title, send: sends, expect };
    const wait = one.verdict === "accept" ? timeout : timeout / 4;
    const options = { role: "server", rest: new Uint8Array(0), timeout: wait, clock } as const;
    const seen = await exchange(echo, link, new FrameReader("client", undefined), options);
    const judgement = one.verdict === "accept" ? judge(echo, seen) : refusal(seen);
    return { case: one, ...judgement, sent: written, got: describeSeen(seen) };
  }
}

/** Judges what a client does with a response that it must not accept. */
function refusal(seen: Parameters<typeof judge>[1]): Judgement {
  if (seen.events.length > 0) return { verdict: "fail", why: "the response is accepted" };
  return seen.end === "open" && seen.close === undefined
    ? { verdict: "non-strict", why: "the connection stays open, but is not used" }
    : { verdict: "pass" };
}

function parseRequest(head: string): Request | undefined {
  const [line, ...lines] = head.split("\r\n");
  const [, target] = /^GET (\S+) HTTP\/1\.1$/.exec(line) ?? [];
  const headers = parseFields(lines);
  if (target === undefined || headers === undefined) return undefined;
  const [path, query = ""] = target.split("?");
  return { path, query: new URLSearchParams(query), headers };
}

/** The response that opens a WebSocket. */
function opening(accept: string, extension?: string): Uint8Array {
  return utf8(headText("HTTP/1.1 101 Switching Protocols", {
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Accept": accept,
    ...extension !== undefined && { "Sec-WebSocket-Extensions": extension },
  }));
}

/** A response with a text, which pages of any origin may read: it has nothing of anybody. */
function plain(status: string, body: string, type = "text/plain; charset=utf-8"): Uint8Array {
  const data = utf8(body);
  const head = headText(`HTTP/1.1 ${status}`, {
    "Content-Type": type,
    "Content-Length": String(data.length),
    "Access-Control-Allow-Origin": "*",
    Connection: "close",
  });
  return Uint8Array.from([...utf8(head), ...data]);
}
