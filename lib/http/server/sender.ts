/**
 * Sends the replies of one connection: what is small is put into its output at once, what is not as
 * it comes and as the client takes it.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { LightReply } from "./light.ts";
import type { Output } from "./output.ts";
import { PreparedReply } from "./prepared.ts";
import {
  dropContent,
  hasContent,
  isStream,
  type ReplyHeads,
  sendContent,
  sizeOf,
} from "./reply.ts";
import type { EngineRequest } from "./request.ts";
import { StreamContent } from "../message/stream_content.ts";

/** See the module. Tails are what {@linkcode Tails} has: Date, Connection, and the empty line. */
export class Sender {
  readonly #output: Output;
  readonly #heads: ReplyHeads;
  /** The stream that is being sent. */
  #stream: StreamContent | undefined;
  /** How many bytes of content have been sent of the last reply. */
  sent = 0;

  constructor(output: Output, heads: ReplyHeads) {
    this.#output = output;
    this.#heads = heads;
  }

  /**
   * Puts a whole reply into the output; false, and nothing done, if it is too large or a stream. No
   * other reply follows before the next flush if it is `alone`.
   *
   * Throws a `TypeError` for a reply that HTTP cannot carry.
   */
  atOnce(request: EngineRequest, reply: LightReply, tail: Buffer, alone: boolean): boolean {
    if (reply instanceof PreparedReply) return this.#prepared(request, reply, tail, alone);
    const { body } = reply;
    if (isStream(body)) return false;
    const size = sizeOf(body);
    const head = this.#heads.of(reply, size, tail);
    const output = this.#output;
    if (!output.fits(head.length + size)) return false;
    output.bytes(head);
    this.sent = 0;
    if (!hasContent(reply, request.method)) return true;
    if (typeof body === "string") output.content(body, size);
    else output.bytes(body!);
    this.sent = size;
    return true;
  }

  #prepared(request: EngineRequest, reply: PreparedReply, tail: Buffer, alone: boolean): boolean {
    const { head, body } = reply;
    const output = this.#output;
    this.sent = hasContent(reply, request.method) ? body.length : 0;
    if (this.sent > 0 && alone && output.empty) {
      output.whole(reply.whole(tail));
      return true;
    }
    if (!output.fits(head.length + tail.length + this.sent)) return false;
    output.bytes(head);
    output.bytes(tail);
    if (this.sent > 0) output.bytes(body);
    return true;
  }

  /**
   * Sends a reply of any kind, `head` being its head; the end of it may still be in the output. The
   * head of a stream does not wait for the first chunk.
   */
  async send(request: EngineRequest, reply: LightReply, head: string, tail: Buffer): Promise<void> {
    this.sent = 0;
    this.#stream = undefined;
    try {
      await this.#output.sendText(head);
      await this.#output.sendBytes(tail);
    } catch (error) {
      dropContent(reply);
      throw error;
    }
    if (!hasContent(reply, request.method)) return dropContent(reply);
    const { body, length } = reply;
    const content = isStream(body) ? await this.#begin(body) : body!;
    await sendContent(content, length, request.minor, this.#output, this.#count);
  }

  /** What is there at once leaves together with the head. */
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
