/**
 * Sends the responses of one connection: what is small is put into its output at once, what is not as
 * it comes and as the client takes it.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { LightResponse } from "./light.ts";
import type { Output } from "./output.ts";
import { PreparedResponse } from "./prepared_response.ts";
import {
  dropContent,
  hasContent,
  isStream,
  type ResponseHeads,
  sendContent,
  sizeOf,
} from "./response.ts";
import type { EngineRequest } from "./request.ts";
import { StreamContent } from "../message/stream_content.ts";

/** See the module. A `headEnd` is one of {@linkcode HeadEnds}: Date, Connection and the empty line. */
export class Sender {
  readonly #output: Output;
  readonly #heads: ResponseHeads;
  /** The stream that is being sent. */
  #stream: StreamContent | undefined;
  /** The number of bytes of content that were sent of the last response. */
  sent = 0;

  constructor(output: Output, heads: ResponseHeads) {
    this.#output = output;
    this.#heads = heads;
  }

  /**
   * Puts a whole response into the output; false, and nothing done, if it is too large or a stream. No
   * other response follows before the next flush if it is `alone`.
   *
   * Throws a `TypeError` for a response that HTTP cannot carry.
   */
  atOnce(
    request: EngineRequest,
    response: LightResponse,
    headEnd: Buffer,
    alone: boolean,
  ): boolean {
    if (response instanceof PreparedResponse) {
      return this.#prepared(request, response, headEnd, alone);
    }
    const { body } = response;
    if (isStream(body)) return false;
    const size = sizeOf(body);
    const head = this.#heads.of(response, size, headEnd);
    const output = this.#output;
    if (!output.fits(head.length + size)) return false;
    output.bytes(head);
    this.sent = 0;
    if (!hasContent(response, request.method)) return true;
    if (typeof body === "string") output.content(body, size);
    else output.bytes(body!);
    this.sent = size;
    return true;
  }

  #prepared(
    request: EngineRequest,
    response: PreparedResponse,
    headEnd: Buffer,
    alone: boolean,
  ): boolean {
    const { head, body } = response;
    const output = this.#output;
    this.sent = hasContent(response, request.method) ? body.length : 0;
    if (this.sent > 0 && alone && output.empty) {
      output.whole(response.whole(headEnd));
      return true;
    }
    if (!output.fits(head.length + headEnd.length + this.sent)) return false;
    output.bytes(head);
    output.bytes(headEnd);
    if (this.sent > 0) output.bytes(body);
    return true;
  }

  /**
   * Sends a response of any kind, `head` being its head; the end of it may still be in the output. The
   * head of a stream does not wait for the first chunk.
   */
  async send(
    request: EngineRequest,
    response: LightResponse,
    head: string,
    headEnd: Buffer,
  ): Promise<void> {
    this.sent = 0;
    this.#stream = undefined;
    try {
      await this.#output.sendText(head);
      await this.#output.sendBytes(headEnd);
    } catch (error) {
      dropContent(response);
      throw error;
    }
    if (!hasContent(response, request.method)) return dropContent(response);
    const { body, length } = response;
    const content = isStream(body) ? await this.#begin(body) : body!;
    await sendContent(content, length, request.minor, this.#output, this.#count);
  }

  /** Sends the content that is there at once together with the head. */
  async #begin(body: AsyncIterable<Uint8Array>): Promise<StreamContent> {
    const stream = this.#stream = new StreamContent(body);
    try {
      if (!await stream.isReady()) await this.#output.flush();
      return stream;
    } catch (error) {
      stream.drop(error);
      throw error;
    }
  }

  /** Ends the sending of a stream, which rejects with `reason`, even if the stream never goes on. */
  drop(reason: unknown): void {
    this.#stream?.drop(reason);
  }

  readonly #count = (n: number): void => {
    this.sent += n;
  };
}
