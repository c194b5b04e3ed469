/**
 * What `web -v` shows: the requests and the responses, head by head, as `get -v` shows them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { counted } from "../../../base/plural.ts";
import { ChunkedDecoder } from "../../../http/message/chunked.ts";
import { bodyLengthOf } from "../../../http/message/response_framing.ts";
import { ResponseHeadParser } from "../../../http/message/response_head.ts";
import { framingOf } from "../../../http/message/request_framing.ts";
import { HeadParser } from "../../../http/message/request_head.ts";
import type { Transcript } from "../../io/log.ts";
import { quote } from "../../io/quote.ts";
import { serverTranscript } from "../../io/transcript.ts";

/** A head, and what delimits the content behind it: its length, its last chunk, or the end. */
interface Head {
  readonly lines: readonly string[];
  readonly content: number | "chunked" | "close";
}

/** Reads heads. What is none, it throws; after that it is of no use. */
interface HeadReader {
  parse(chunk: Buffer, from: number, to: number): number;
  take(): Head;
}

/** Follows what goes one way on a connection. */
class Follower {
  readonly #mark: string;
  readonly #heads: HeadReader;
  /** What is left of the content under way; `undefined` while a head is due. */
  #left: number | ChunkedDecoder | undefined;
  /** How much of it has gone by. */
  #passed = 0;
  /** What comes is not followed any more. */
  #lost = false;

  /** `mark` stands before each line. */
  constructor(mark: string, heads: HeadReader) {
    this.#mark = mark;
    this.#heads = heads;
  }

  /** Takes what goes by; returns what there is to show of it. */
  take(data: Uint8Array): string[] {
    const chunk = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const lines: string[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#lost) return [...lines, `${this.#mark} ${quote(chunk.subarray(at))}`];
      try {
        at = this.#left === undefined
          ? this.#head(chunk, at, lines)
          : this.#content(chunk, at, lines);
      } catch {
        // Why it is not right, the response says.
        this.#lost = true;
      }
    }
    return lines;
  }

  #head(chunk: Buffer, at: number, lines: string[]): number {
    const end = this.#heads.parse(chunk, at, chunk.length);
    if (end === -1) return chunk.length;
    const { lines: head, content } = this.#heads.take();
    lines.push(...head.map((line) => `${this.#mark} ${line}`), this.#mark);
    this.#passed = 0;
    this.#left = content === "chunked"
      ? new ChunkedDecoder()
      : content === "close"
      ? Infinity
      : content === 0
      ? undefined
      : content;
    return end;
  }

  #content(chunk: Buffer, at: number, lines: string[]): number {
    let end = chunk.length;
    let done: boolean;
    if (this.#left instanceof ChunkedDecoder) {
      end = this.#left.decode(chunk, at, end, (from, to) => this.#passed += to - from);
      ({ done } = this.#left);
    } else {
      end = Math.min(end, at + this.#left!);
      this.#passed += end - at;
      this.#left! -= end - at;
      done = this.#left === 0;
    }
    if (done) {
      lines.push(`${this.#mark} (${counted(this.#passed, "byte")} of content)`);
      this.#left = undefined;
    }
    return end;
  }
}

/** The two directions of a connection: a response is read by what was asked. */
function followers(): { readonly recv: Follower; readonly send: Follower } {
  const methods: string[] = [];
  const requests = new HeadParser();
  const responses = new ResponseHeadParser();
  return {
    recv: new Follower("<", {
      parse: (chunk, from, to) => requests.parse(chunk, from, to),
      take() {
        const head = requests.take();
        const { method, target, minor, headers } = head;
        methods.push(method);
        const { bodyLength } = framingOf(head);
        const lines = [`${method} ${target} HTTP/1.${minor}`, ...fieldLines(headers)];
        return { lines, content: bodyLength === -1 ? "chunked" : bodyLength };
      },
    }),
    send: new Follower(">", {
      parse: (chunk, from, to) => responses.parse(chunk, from, to),
      take() {
        const head = responses.take();
        const { status, reason, minor, headers } = head;
        const content = bodyLengthOf(head, methods[0] ?? "");
        if (status >= 200) methods.shift();
        const startLine = `HTTP/1.${minor} ${status} ${reason}`.trimEnd();
        return { lines: [startLine, ...fieldLines(headers)], content };
      },
    }),
  };
}

function fieldLines(headers: readonly string[]): string[] {
  return headers.flatMap((name, i) => i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []);
}

/** Makes the transcript: `<` is before what is received, `>` before what is sent. */
export function webTranscript(): Transcript {
  const others = serverTranscript();
  const open = new Map<number, ReturnType<typeof followers>>();
  return (event) => {
    if (event.type === "accept") open.set(event.socket, followers());
    if (event.type !== "recv" && event.type !== "send") {
      const lines = others(event);
      if (event.type === "close") open.delete(event.socket);
      // Nothing that was received is no request.
      return event.type === "eof" ? lines.slice(1) : lines;
    }
    const lines = open.get(event.socket)?.[event.type].take(event.data) ?? [];
    return open.size > 1 ? lines.map((line) => `[${event.socket}] ${line}`) : lines;
  };
}
