/**
 * A `Response`, made of a light response.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { headersOf } from "../message/header_list.ts";
import type { LightResponse } from "../server/light.ts";
import { dropContent, hasContent, isStream, sizeOf } from "../server/response.ts";
import { switchingResponse } from "./switching_response.ts";

/**
 * Makes a response to a request of this method. Throws a `TypeError` or a `RangeError` for a response
 * that fetch cannot carry.
 */
export function fetchResponse(light: LightResponse, method: string): Response {
  const { status, headers = [], body, length } = light;
  if (status === 101) return switchingResponse(light);
  const fields = headersOf(headers);
  const init = { status, headers: fields };
  const wanted = hasContent(light, method);
  const asked = method === "HEAD" && hasContent(light, "GET");
  const size = isStream(body) ? length : sizeOf(body);
  if (size !== undefined && (asked || wanted && isStream(body))) {
    fields.set("Content-Length", String(size));
  }
  if (wanted && !isStream(body)) return new Response(bytesOf(body!), init);
  // To HEAD, too, if nothing else shows the answer to GET: the server drops it then.
  if (isStream(body) && (wanted || asked && size === undefined)) {
    return new Response(streamOf(body), init);
  }
  dropContent(light);
  return new Response(null, init);
}

/** A body as bytes: a Response would give a string a Content-Type of its own. */
function bytesOf(body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof body === "string" ? Buffer.from(body) : body as Uint8Array<ArrayBuffer>;
}

/** Reads on when more is wanted. The pieces are copied, since each is valid until the next only. */
function streamOf(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await source.return?.();
    },
  }, { highWaterMark: 0 });
}
