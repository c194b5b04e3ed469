// What the parsers of HTTP make of a message that comes in pieces.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ChunkedDecoder } from "../../lib/http/message/chunked.ts";
import { HttpError, type HttpErrorCode } from "../../lib/http/message/errors.ts";
import { type Framing, framingOf } from "../../lib/http/message/request_framing.ts";
import {
  type HeadLimits,
  HeadParser,
  type RequestHead,
} from "../../lib/http/message/request_head.ts";

/** A head and how many bytes it has, or how it was refused. */
export interface HeadVerdict {
  readonly head?: RequestHead;
  readonly framing?: Framing;
  readonly length?: number;
  readonly status?: number;
  readonly code?: HttpErrorCode;
}

/** What comes of a head in these pieces; anything but an HttpError that is thrown fails the test. */
export function judgeHead(pieces: readonly Buffer[], limits?: HeadLimits): HeadVerdict | "more" {
  const parser = new HeadParser(limits);
  // As that of a connection: each piece is put where the last one was, and not at its start.
  const chunk = Buffer.alloc(Math.max(0, ...pieces.map((piece) => piece.length)) + 3, "X");
  let length = 0;
  try {
    for (const piece of pieces) {
      chunk.set(piece, 2);
      chunk[piece.length + 2] = 0x0a;
      const end = parser.parse(chunk, 2, piece.length + 2);
      if (end === -1) {
        length += piece.length;
        continue;
      }
      const head = parser.take();
      return { head, framing: framingOf(head), length: length + end - 2 };
    }
    return "more";
  } catch (error) {
    return refusal(error);
  }
}

/** What comes of a chunked body in these pieces: its content and the bytes behind it, for one. */
export function judgeChunked(
  pieces: readonly Buffer[],
): { content: string; rest: string } | { status: number; code: HttpErrorCode } | "more" {
  const decoder = new ChunkedDecoder();
  let content = "";
  let rest = "";
  try {
    for (const piece of pieces) {
      const end = decoder.decode(piece, 0, piece.length, (from, to) => {
        content += piece.toString("latin1", from, to);
      });
      rest += piece.toString("latin1", end);
    }
    return decoder.done ? { content, rest } : "more";
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): { status: number; code: HttpErrorCode } {
  assert.ok(error instanceof HttpError, String(error));
  return { status: error.status, code: error.code };
}
