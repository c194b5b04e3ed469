/**
 * Responses that are sent again and again, serialised once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { ANYTHING, checkFields, required } from "../../base/arguments.ts";
import type { LightResponse } from "./light.ts";
import { headOf, isStream } from "./response.ts";

/**
 * Makes a response that costs less to send, since its head and its content are bytes already. The
 * parts of the response must not change any more.
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
export function prepare(response: LightResponse): LightResponse {
  checkFields(
    "prepare",
    response,
    { status: required(ANYTHING) },
    '{ status: 200, body: "hello" }',
  );
  return new PreparedResponse(response);
}

/** See {@linkcode prepare}. */
export class PreparedResponse implements LightResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Status line and fields, all but Date and Connection. */
  readonly head: Buffer;
  #whole: Buffer | undefined;
  #headEnd: Buffer | undefined;

  constructor(response: LightResponse) {
    const { status, headers = [], body = "" } = response;
    if (isStream(body)) throw new TypeError("A response with a stream cannot be prepared");
    this.status = status;
    this.headers = headers;
    this.body = typeof body === "string"
      ? Buffer.from(body)
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.head = Buffer.from(headOf(response, 1), "latin1");
  }

  /** The whole message with this end of its head. It is made anew with a new end, once a second. */
  whole(headEnd: Buffer): Buffer {
    if (this.#headEnd !== headEnd || this.#whole === undefined) {
      this.#headEnd = headEnd;
      this.#whole = Buffer.concat([this.head, headEnd, this.body]);
    }
    return this.#whole;
  }
}
