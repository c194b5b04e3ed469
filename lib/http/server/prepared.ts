/**
 * Replies that are sent again and again, serialised once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { ANYTHING, checkFields, required } from "../../base/arguments.ts";
import type { LightReply } from "./light.ts";
import { headOf, isStream } from "./reply.ts";

/**
 * Makes a reply that costs less to send, since its head and its content are bytes already. What the
 * reply was made of must not change any more.
 *
 * Throws a `TypeError` if HTTP cannot carry it, or if its body is a stream.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { prepare, serveLight } from "@plainsocket/plainsocket/http";
 *
 * const hello = prepare({ status: 200, headers: ["Content-Type", "text/plain"], body: "Hello\n" });
 *
 * using listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveLight(listener, () => hello);
 * await server.stop();
 * ```
 */
export function prepare(reply: LightReply): LightReply {
  checkFields("prepare", reply, { status: required(ANYTHING) }, '{ status: 200, body: "hello" }');
  return new PreparedReply(reply);
}

/** See {@linkcode prepare}. */
export class PreparedReply implements LightReply {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Status line and fields, all but Date and Connection. */
  readonly head: Buffer;
  #whole: Buffer | undefined;
  #tail: Buffer | undefined;

  constructor(reply: LightReply) {
    const { status, headers = [], body = "" } = reply;
    if (isStream(body)) throw new TypeError("A reply with a stream cannot be prepared");
    this.status = status;
    this.headers = headers;
    this.body = typeof body === "string"
      ? Buffer.from(body)
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.head = Buffer.from(headOf(reply, 1), "latin1");
  }

  /** The whole message with this tail; it is made anew when the tail is, once a second. */
  whole(tail: Buffer): Buffer {
    if (this.#tail !== tail || this.#whole === undefined) {
      this.#tail = tail;
      this.#whole = Buffer.concat([this.head, tail, this.body]);
    }
    return this.#whole;
  }
}
