/**
 * Following the messages of a connection from beside it: heads and contents as they pass.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { ChunkedDecoder } from "./chunked.ts";
import { type MessageHead, requestMessageHead, responseMessageHead } from "./message_head.ts";
import { HeadParser } from "./request_head.ts";
import { ResponseHeadParser } from "./response_head.ts";

/** A part of a message that has passed in one direction. */
export type Passed =
  /** A head: its first line, then the names and values of its fields by turns. */
  | { readonly type: "head"; readonly first: string; readonly headers: readonly string[] }
  /** The content after it, as a whole: how many bytes it had, without its framing. */
  | { readonly type: "content"; readonly size: number }
  /** Bytes that are not a valid message, and all that follow them. */
  | { readonly type: "other"; readonly bytes: Uint8Array };

/** Follows what passes in one direction, in pieces of any size. */
export type Follow = (data: Uint8Array) => Passed[];

/** The most requests that wait for their responses; after them the responses are not followed. */
const MAX_WAITING = 1024;

/** Reads heads. Throws for what is not valid; after that it is of no use. */
interface HeadReader {
  parse(chunk: Buffer, from: number, to: number): number;
  take(): MessageHead;
}

/** Follows one direction. */
class Follower {
  readonly #heads: HeadReader;
  /** The rest of the content under way. `undefined` while a head is due. */
  #left: number | ChunkedDecoder | undefined;
  /** The number of bytes that have passed of it. */
  #size = 0;
  /** Whether further bytes are no longer followed. */
  #lost = false;

  constructor(heads: HeadReader) {
    this.#heads = heads;
  }

  /** Follows nothing from now on. */
  giveUp(): void {
    this.#lost = true;
  }

  take(data: Uint8Array): Passed[] {
    const chunk = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const passed: Passed[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#lost) return [...passed, { type: "other", bytes: chunk.subarray(at) }];
      try {
        at = this.#left === undefined
          ? this.#head(chunk, at, passed)
          : this.#content(chunk, at, passed);
      } catch {
        // The client or the server reports why it is not valid.
        this.#lost = true;
      }
    }
    return passed;
  }

  #head(chunk: Buffer, at: number, passed: Passed[]): number {
    const end = this.#heads.parse(chunk, at, chunk.length);
    if (end === -1) return chunk.length;
    const { first, headers, length } = this.#heads.take();
    passed.push({ type: "head", first, headers });
    this.#size = 0;
    if (length === "chunked") this.#left = new ChunkedDecoder();
    else this.#left = length === "close" ? Infinity : length || undefined;
    return end;
  }

  #content(chunk: Buffer, at: number, passed: Passed[]): number {
    let end = chunk.length;
    let done: boolean;
    if (this.#left instanceof ChunkedDecoder) {
      end = this.#left.decode(chunk, at, end, (from, to) => this.#size += to - from);
      ({ done } = this.#left);
    } else {
      end = Math.min(end, at + this.#left!);
      this.#size += end - at;
      this.#left! -= end - at;
      done = this.#left === 0;
    }
    if (done) {
      passed.push({ type: "content", size: this.#size });
      this.#left = undefined;
    }
    return end;
  }
}

/**
 * Makes what follows the HTTP messages of a connection, for programs that only see its bytes pass: one
 * function for each direction. How a response is read depends on its request, so feed both. Bytes that
 * are not a valid message, and all after them, are passed as they are.
 *
 * @example
 * ```ts
 * import { followMessages } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const { requests } = followMessages();
 * const [head] = requests(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
 * assert.deepEqual(head, { type: "head", first: "GET / HTTP/1.1", headers: ["Host", "a"] });
 * ```
 */
export function followMessages(): { readonly requests: Follow; readonly responses: Follow } {
  const methods: string[] = [];
  const requests = new HeadParser();
  const responses = new ResponseHeadParser();
  const up = new Follower({
    parse: (chunk, from, to) => requests.parse(chunk, from, to),
    take() {
      const head = requests.take();
      if (methods.length < MAX_WAITING) methods.push(head.method);
      else down.giveUp();
      return requestMessageHead(head);
    },
  });
  const down = new Follower({
    parse: (chunk, from, to) => responses.parse(chunk, from, to),
    take() {
      const head = responses.take();
      const message = responseMessageHead(head, methods[0] ?? "");
      if (head.status >= 200) methods.shift();
      return message;
    },
  });
  return { requests: (data) => up.take(data), responses: (data) => down.take(data) };
}
