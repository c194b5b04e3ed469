/**
 * Runs one case against a server, on a connection of its own.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { dial } from "../../../dial.ts";
import { SocketError } from "../../../base/errors.ts";
import type { Transport } from "../../../net/transport.ts";
import type { Destination } from "../../options/destination.ts";
import { aText, type Case, type FrameCase, type RequestCase } from "./case.ts";
import { encodeFrame, text, utf8 } from "./frame.ts";
import { exchange } from "./exchange.ts";
import { FrameReader } from "./frame_reader.ts";
import { faultOf, newKey, parseResponse, requestFields, requestText } from "./handshake.ts";
import { Inflater } from "./inflater.ts";
import { Link } from "./case_connection.ts";
import { judge, type Judgement } from "./match.ts";
import type { Result } from "./result.ts";
import { describeSeen } from "./frame_words.ts";

/** The server that is tested. */
export interface Target {
  readonly destination: Destination;
  /** The value of Host. */
  readonly host: string;
  /** The path and the query. */
  readonly target: string;
}

/** Options of {@linkcode runCase}. */
export interface RunOptions {
  readonly transport: Transport;
  readonly target: Target;
  /** The time for a case, in milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Runs it. A server that cannot be reached fails the case; rejects only when `signal` is aborted. */
export async function runCase(one: Case, options: RunOptions): Promise<Result> {
  const { transport, target, signal, timeout, clock } = options;
  try {
    const limits = { signal, timeout, clock };
    using link = new Link(await dial(transport, { ...target.destination, ...limits }), clock);
    if (one.type === "frames") return await runFrames(one, link, options);
    if (one.type === "request") return await runRequest(one, link, options);
    throw new TypeError(`Case ${one.id} is for clients`);
  } catch (error) {
    if (signal.aborted || !(error instanceof SocketError)) throw error;
    const none = new Uint8Array(0);
    return { case: one, verdict: "fail", why: error.message, sent: none, got: "no connection" };
  }
}

async function runFrames(one: FrameCase, link: Link, options: RunOptions): Promise<Result> {
  const { timeout, clock, target } = options;
  const opened = await open(link, target, one.deflate, timeout);
  if (typeof opened === "string") {
    return { case: one, verdict: "fail", why: opened, sent: link.written, got: "no WebSocket" };
  }
  const { extensions, rest } = opened;
  if (one.deflate === undefined && extensions !== "") {
    const why = "it takes an extension that was not offered";
    return { case: one, verdict: "fail", why, sent: link.written, got: extensions };
  }
  link.written = new Uint8Array(0);
  const isPossible = extensions !== "" &&
    !(one.takeover && extensions.includes("client_no_context_takeover"));
  if (one.deflate !== undefined && !isPossible) {
    const why = "the server does not take the extension";
    return { case: one, verdict: "skipped", why, sent: link.written, got: "" };
  }
  const inflater = one.deflate === undefined ? undefined : new Inflater();
  try {
    const reader = new FrameReader("server", inflater);
    const seen = await exchange(one, link, reader, { role: "client", rest, timeout, clock });
    return { case: one, ...judge(one, seen), sent: link.written, got: describeSeen(seen) };
  } finally {
    inflater?.close();
  }
}

/** A WebSocket that is open. */
interface Opened {
  /** The value of Sec-WebSocket-Extensions in the response. Empty without the field. */
  readonly extensions: string;
  readonly rest: Uint8Array;
}

/** Opens a WebSocket. Returns a string that says why, if it cannot. */
export async function open(
  link: Link,
  { host, target }: Target,
  offer: string | undefined,
  timeout: number,
): Promise<Opened | string> {
  const asked = { host, target, key: newKey() };
  const fields = {
    ...requestFields(asked),
    ...offer !== undefined && { "Sec-WebSocket-Extensions": offer },
  };
  await link.write(utf8(requestText(asked, fields)));
  const got = await link.readHead(timeout);
  if (typeof got === "string") return `the handshake fails: ${got}`;
  const response = parseResponse(got.head);
  if (response === undefined) return "the handshake fails: the answer is not HTTP/1.1";
  const fault = faultOf(response, asked.key);
  if (fault !== undefined) return `the handshake fails: ${fault}`;
  return {
    extensions: response.headers.get("sec-websocket-extensions") ?? "",
    rest: got.rest,
  };
}

async function runRequest(one: RequestCase, link: Link, options: RunOptions): Promise<Result> {
  const { host, target } = options.target;
  const key = newKey();
  const request = utf8(one.request({ host, target, key }));
  const frames = (one.followedBy ?? []).flatMap((frame) => [...encodeFrame(frame, "client")]);
  await link.write(Uint8Array.from([...request, ...frames]), one.by);
  const got = await link.readHead(options.timeout);
  const result = (judgement: Judgement) => ({
    case: one,
    ...judgement,
    sent: link.written,
    got: typeof got === "string" ? got : got.head.split("\r\n")[0],
  });
  if (typeof got === "string") {
    if (one.verdict === "accept") return result({ verdict: "fail", why: got });
    if (one.verdict === "either") return result({ verdict: "pass" });
    return got.startsWith("nothing")
      ? result({ verdict: "fail", why: "the request is not answered" })
      : result({ verdict: "non-strict", why: "it closes the connection without a response" });
  }
  const response = parseResponse(got.head);
  if (response === undefined) return result({ verdict: "fail", why: "the answer is not HTTP/1.1" });
  if (response.status !== 101) {
    return result(judgeRefusal(one, response.status, response.headers, key));
  }
  if (one.verdict === "refuse") return result({ verdict: "fail", why: "the request is accepted" });
  const fault = faultOf(response, key) ?? one.check?.(response.headers, key);
  if (fault !== undefined) return result({ verdict: "fail", why: fault });
  const isDeflated = response.headers.has("sec-websocket-extensions");
  return result(await judgeOpen(one, link, { isDeflated, rest: got.rest }, options));
}

function judgeRefusal(
  one: RequestCase,
  status: number,
  headers: Headers,
  key: string,
): Judgement {
  if (one.verdict === "accept") return { verdict: "fail", why: `the status is ${status}` };
  if (one.verdict === "either") return { verdict: "pass" };
  const { statuses } = one;
  const isUsual = statuses === "any" ||
    (statuses?.includes(status) ?? (status >= 400 && status < 500));
  if (!isUsual) return { verdict: "non-strict", why: `the status is ${status}` };
  const fault = one.check?.(headers, key);
  return fault === undefined ? { verdict: "pass" } : { verdict: "fail", why: fault };
}

/** Whether a WebSocket that was just opened works. */
async function judgeOpen(
  one: RequestCase,
  link: Link,
  { isDeflated, rest }: { readonly isDeflated: boolean; readonly rest: Uint8Array },
  { timeout, clock }: RunOptions,
): Promise<Judgement> {
  const written = link.written;
  const { id, rfc, rule, title, followedBy } = one;
  const sends = followedBy === undefined ? [text("hello")] : [];
  const came = [...followedBy ?? [], ...sends].map(({ payload }) => aText(payload!));
  const expect = [{ type: "echo", events: came }] as const;
  const echo: FrameCase = { type: "frames", id, rfc, rule, title, send: sends, expect };
  const inflater = isDeflated ? new Inflater() : undefined;
  try {
    const reader = new FrameReader("server", inflater);
    const seen = await exchange(echo, link, reader, { role: "client", rest, timeout, clock });
    link.written = written;
    return judge(echo, seen);
  } finally {
    inflater?.close();
  }
}
