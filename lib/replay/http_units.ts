/**
 * The heads and the bodies of HTTP, as units that are compared.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { TOKEN } from "../base/header_fields.ts";
import { ChunkedDecoder } from "../http/message/chunked.ts";
import { HttpError } from "../http/message/errors.ts";
import {
  type MessageHead,
  requestMessageHead,
  responseMessageHead,
} from "../http/message/message_head.ts";
import { HeadParser } from "../http/message/request_head.ts";
import type { BodyLength } from "../http/message/response_framing.ts";
import { ResponseHeadParser } from "../http/message/response_head.ts";
import type { Script } from "./script.ts";
import type { FindUnit, Found } from "./unit_splitter.ts";

/** The fields that say where a body ends: they are not compared, its bytes are. */
const FRAMING_FIELDS = ["content-length", "transfer-encoding", "trailer"];

/**
 * The beginning of a request. Bytes that begin otherwise, and not as a response, are not HTTP/1.
 */
const REQUEST_START = new RegExp(`^${TOKEN} [^ ]+ HTTP/1\\.`);

/** Makes what finds the units of what comes from the other side. The ignored fields are in lower case. */
export function httpUnits(script: Script, ignored: ReadonlySet<string>): () => FindUnit {
  const leftOut = new Set([...ignored, ...FRAMING_FIELDS]);
  const start = script.expected.subarray(0, 8192);
  if (REQUEST_START.test(Buffer.from(start).toString("latin1"))) {
    return () => finder(new Heads(leftOut).request);
  }
  const methods = methodsOf(Buffer.concat(script.chunks.map(({ bytes }) => bytes)));
  return () => finder(new Heads(leftOut, methods).response);
}

/** A head at the beginning of bytes, and how long the body after it is. */
interface FoundHead extends Found {
  readonly body: BodyLength;
}

/** Finds heads and bodies by turns. A body without bytes is not a unit. */
function finder(findHead: (bytes: Buffer) => FoundHead | undefined): FindUnit {
  let findBody: FindUnit | undefined;
  return (bytes) => {
    if (findBody !== undefined) {
      const found = findBody(bytes);
      if (found === undefined) return undefined;
      findBody = undefined;
      return { ...found, settles: true };
    }
    const found = findHead(bytes);
    if (found === undefined) return undefined;
    if (found.body !== 0) findBody = bodyFinder(found.body);
    return { ...found, settles: found.body === 0 };
  };
}

/** Makes what finds one body. */
function bodyFinder(length: BodyLength): FindUnit {
  if (length === "chunked") return chunkedFinder();
  // It goes on to the end of the stream, whose rest is a unit.
  if (length === "close") return () => undefined;
  return (bytes) =>
    bytes.length < length ? undefined : { parts: [bytes.subarray(0, length)], length };
}

/** Finds one chunked body. It decodes each byte once, in however many pieces the body comes. */
function chunkedFinder(): FindUnit {
  const decoder = new ChunkedDecoder({ folds: true });
  const content: [from: number, to: number][] = [];
  let end = 0;
  return (bytes) => {
    end = decoder.decode(bytes, end, bytes.length, (from, to) => void content.push([from, to]));
    if (!decoder.done) return undefined;
    const part = Buffer.concat(content.map(([from, to]) => bytes.subarray(from, to)));
    return { parts: [part], length: end };
  };
}

/** Finds heads, and compares of them what counts. */
class Heads {
  readonly #leftOut: ReadonlySet<string>;
  /** The methods of the requests that wait for their responses. */
  readonly #methods: string[];

  constructor(leftOut: ReadonlySet<string>, methods: readonly string[] = []) {
    this.#leftOut = leftOut;
    this.#methods = [...methods];
  }

  readonly request = (bytes: Buffer): FoundHead | undefined => {
    const parser = new HeadParser();
    const length = parser.parse(bytes, 0, bytes.length);
    if (length < 0) return undefined;
    return this.#found(requestMessageHead(parser.take()), length);
  };

  readonly response = (bytes: Buffer): FoundHead | undefined => {
    const parser = new ResponseHeadParser();
    const length = parser.parse(bytes, 0, bytes.length);
    if (length < 0) return undefined;
    const head = parser.take();
    const message = responseMessageHead(head, this.#methods[0] ?? "");
    if (head.status >= 200) this.#methods.shift();
    return this.#found(message, length);
  };

  #found({ first, headers, length: body }: MessageHead, length: number): FoundHead {
    return { parts: this.#parts(first, headers), length, body };
  }

  /** The first line, and the fields by their names; those of one name stay in order. */
  #parts(first: string, headers: readonly string[]): Buffer[] {
    const fields: [name: string, line: string][] = [];
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i].toLowerCase();
      if (!this.#leftOut.has(name)) fields.push([name, `${name}: ${headers[i + 1]}`]);
    }
    fields.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
    return [first, ...fields.map(([, line]) => line)]
      .map((line) => Buffer.from(`${line}\r\n`, "latin1"));
  }
}

/** The methods of requests, as far as they can be read. */
function methodsOf(bytes: Buffer): string[] {
  const methods: string[] = [];
  const find = finder((bytes) => {
    const found = new Heads(new Set()).request(bytes);
    if (found !== undefined) methods.push(String(found.parts[0]).split(" ", 1)[0]);
    return found;
  });
  try {
    let rest = bytes;
    for (let found; (found = find(rest)) !== undefined;) rest = rest.subarray(found.length);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
  }
  return methods;
}
