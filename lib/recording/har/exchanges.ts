/**
 * The requests of a connection, each with its response.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { ChunkedDecoder } from "../../http/message/chunked.ts";
import { HttpError } from "../../http/message/errors.ts";
import { valueOf } from "../../http/message/header_list.ts";
import { framingOf } from "../../http/message/request_framing.ts";
import { HeadParser, type RequestHead } from "../../http/message/request_head.ts";
import { type BodyLength, bodyLengthOf } from "../../http/message/response_framing.ts";
import { type ResponseHead, ResponseHeadParser } from "../../http/message/response_head.ts";
import type { SentStream } from "./sent_stream.ts";

/** Larger than what servers and clients take: it was recorded, so it is shown. */
const LIMITS = { headerBytes: 1024 * 1024, headerCount: 10_000 };

/** A request or a response, and where it is in its stream. */
export interface Message<Head> {
  readonly head: Head;
  readonly start: number;
  readonly bodyStart: number;
  /** The index of the first byte after it. */
  readonly end: number;
  /** The body, without the chunked coding. */
  readonly body: Buffer;
  /** Why the body, or what follows it, is not complete. */
  readonly fault: string | undefined;
}

/** A request with its response, if that was recorded. */
export interface Exchange {
  readonly request: Message<RequestHead>;
  /** The statuses of the responses before the final one (1xx). */
  readonly interim: readonly number[];
  readonly response: Message<ResponseHead> | undefined;
}

/** The exchanges of a connection. */
export interface Exchanges {
  readonly exchanges: readonly Exchange[];
  /** A note about what was left out. */
  readonly leftOut: string | undefined;
}

/** Takes the streams of a connection apart. */
export function exchangesOf(up: SentStream, down: SentStream): Exchanges {
  const exchanges: Exchange[] = [];
  let [requestAt, responseAt, problem] = [0, 0, undefined as string | undefined];
  while (requestAt < up.bytes.length) {
    const request = readRequest(up, requestAt);
    if (typeof request === "string") {
      return { exchanges, leftOut: `what the client sends: ${request}` };
    }
    const answer: Answer = problem === undefined
      ? readResponse(down, responseAt, request.head.method)
      : { interim: [], response: undefined, problem };
    const { interim, response } = answer;
    exchanges.push({ request, interim, response });
    problem = answer.problem ?? response?.fault;
    requestAt = request.end;
    responseAt = response?.end ?? responseAt;
    const tunnel = response !== undefined && isTunnel(request.head, response.head);
    // The entry of the handshake has the messages that follow.
    if (tunnel && isWebSocket(exchanges.at(-1)!)) return { exchanges, leftOut: undefined };
    if (tunnel && (up.bytes.length > requestAt || down.bytes.length > responseAt)) {
      return { exchanges, leftOut: "what follows is another protocol" };
    }
    if (request.fault !== undefined || tunnel) break;
  }
  const fault = exchanges.at(-1)?.request.fault ?? problem;
  if (fault !== undefined) return { exchanges, leftOut: fault };
  const left = down.bytes.length + down.missing - responseAt;
  return { exchanges, leftOut: left > 0 ? `${left} bytes that answer no request` : undefined };
}

/** 101 to an upgrade, and 2xx to CONNECT (RFC 9110 sections 15.2.2 and 9.3.6). */
function isTunnel({ method }: RequestHead, { status }: ResponseHead): boolean {
  return status === 101 || method === "CONNECT" && status >= 200 && status < 300;
}

/** Whether an exchange has led to a WebSocket. */
export function isWebSocket({ response }: Exchange): boolean {
  return response?.head.status === 101 &&
    valueOf(response.head.headers, "upgrade")?.toLowerCase() === "websocket";
}

/** Reads the request at `start`; if it is not one, returns why. */
function readRequest(stream: SentStream, start: number): Message<RequestHead> | string {
  const { bytes } = stream;
  const parser = new HeadParser({ requestLine: LIMITS.headerBytes, ...LIMITS });
  try {
    const bodyStart = parser.parse(bytes, start, bytes.length);
    if (bodyStart < 0) return incomplete(stream);
    const head = parser.take();
    const place = { head, start, bodyStart };
    try {
      const length = head.method === "CONNECT" ? 0 : framingOf(head).bodyLength;
      return { ...place, ...readBody(stream, bodyStart, length < 0 ? "chunked" : length) };
    } catch (error) {
      return { ...place, ...broken(bodyStart, error) };
    }
  } catch (error) {
    return reason(error);
  }
}

/** The final response with the interim ones before it, or the reason why it is missing. */
interface Answer {
  readonly interim: readonly number[];
  readonly response: Message<ResponseHead> | undefined;
  readonly problem?: string;
}

/** Reads the response at `start`. */
function readResponse(stream: SentStream, start: number, method: string): Answer {
  const { bytes } = stream;
  const interim: number[] = [];
  const limits = { statusLine: LIMITS.headerBytes, ...LIMITS };
  try {
    for (let at = start;;) {
      const parser = new ResponseHeadParser(limits);
      const bodyStart = parser.parse(bytes, at, bytes.length);
      if (bodyStart < 0) {
        const problem = at === bytes.length && stream.missing === 0
          ? undefined
          : incomplete(stream);
        return { interim, response: undefined, problem };
      }
      const head = parser.take();
      if (head.status < 200 && head.status !== 101) {
        interim.push(head.status);
        at = bodyStart;
        continue;
      }
      const place = { head, start: at, bodyStart };
      try {
        const tunnel = method === "CONNECT" && head.status >= 200 && head.status < 300;
        const length = tunnel ? 0 : bodyLengthOf(head, method);
        return { interim, response: { ...place, ...readBody(stream, bodyStart, length) } };
      } catch (error) {
        return { interim, response: { ...place, ...broken(bodyStart, error) } };
      }
    }
  } catch (error) {
    return { interim, response: undefined, problem: `what the server sends: ${reason(error)}` };
  }
}

type Body = Pick<Message<unknown>, "body" | "end" | "fault">;

/** Reads the body at `start`, as much of it as there is. Throws an {@linkcode HttpError}. */
function readBody(stream: SentStream, start: number, length: BodyLength): Body {
  const { bytes, ended, missing } = stream;
  if (length === "chunked") return readChunks(stream, start);
  const end = length === "close" ? bytes.length : Math.min(start + length, bytes.length);
  const whole = length === "close" ? ended && missing === 0 : end - start === length;
  return { body: bytes.subarray(start, end), end, fault: whole ? undefined : incomplete(stream) };
}

function readChunks(stream: SentStream, start: number): Body {
  const { bytes } = stream;
  const decoder = new ChunkedDecoder({ trailerBytes: LIMITS.headerBytes, folds: true });
  const pieces: Buffer[] = [];
  const end = decoder.decode(bytes, start, bytes.length, (from, to) => {
    pieces.push(bytes.subarray(from, to));
  });
  const fault = decoder.done ? undefined : incomplete(stream);
  return { body: Buffer.concat(pieces), end, fault };
}

/** A body whose end cannot be found. */
function broken(bodyStart: number, error: unknown): Body {
  return { body: Buffer.alloc(0), end: bodyStart, fault: reason(error) };
}

function incomplete({ missing }: SentStream): string {
  return missing > 0 ? `${missing} bytes were not recorded` : "a message is not complete";
}

/** Why it is not HTTP. */
function reason(error: unknown): string {
  if (error instanceof HttpError) return error.message;
  throw error;
}
