/**
 * From a resource and a request to the response: the representation the client wants, whether it has it
 * already, and which part of it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { LightRequest, LightResponse } from "../http/server/light.ts";
import { prepare } from "../http/server/prepared_response.ts";
import { compressing } from "./compress.ts";
import { evaluate, rangeHolds } from "./conditions.ts";
import { checkReadable, type Located, openLocated } from "./located_file.ts";
import { mostWanted, parseAcceptEncoding, type Weights } from "./accept_encoding.ts";
import { type FileFields, fileFields } from "./request_fields.ts";
import { FileBody } from "./file_body.ts";
import { contentRange, parseRange, type Slice } from "./ranges.ts";
import type { Representation, Resource } from "./resource.ts";

/** The values of Accept-Encoding that are remembered: browsers send few. */
const MOST_REMEMBERED = 64;

/**
 * Caches must revalidate. Without it browsers guess how long a copy is fresh, by
 * the age of a file, and redirects are kept forever.
 */
const REVALIDATED = "no-cache";

/** The content of a response to HEAD, which is never asked for. */
export const NOT_SENT: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ value: undefined, done: true }) }),
};

/** Options of all responses of a file server. */
export interface ResponseOptions {
  /** The value of Cache-Control of files. */
  readonly cacheControl?: string;
  /** Fields of every response. */
  readonly headers: readonly string[];
  /** Whether who asked with another Accept might be answered otherwise. */
  readonly varyAccept: boolean;
  /** Called with the bytes of memory that a resource takes more from now on. */
  readonly onHeld: (resource: Resource, bytes: number) => void;
}

/** See the module. */
export class Responses {
  readonly #options: ResponseOptions;
  /** Cache-Control of files, and of all else. */
  readonly #fileCaching: readonly string[];
  readonly #caching: readonly string[];
  readonly #weights = new Map<string, Weights>();

  /** Throws a `TypeError` for fields that HTTP cannot carry. */
  constructor(options: ResponseOptions) {
    this.#options = options;
    const { headers, cacheControl = REVALIDATED } = options;
    prepare({ status: 200, headers: [...headers, "Cache-Control", cacheControl] });
    const isSet = headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === "cache-control");
    this.#caching = isSet ? [] : ["Cache-Control", REVALIDATED];
    this.#fileCaching = isSet ? [] : ["Cache-Control", cacheControl];
  }

  /** The response to GET or HEAD; at once if it is ready. Rejects as `openLocated()` does. */
  response(resource: Resource, request: LightRequest): LightResponse | Promise<LightResponse> {
    const fields = fileFields(request.headers);
    if (fields === undefined) {
      const { identity } = resource;
      return identity.whole ?? this.#whole(resource, identity, request);
    }
    const range = request.method === "GET" ? fields.range : undefined;
    const chosen = this.#choose(resource, fields.acceptEncoding, range !== undefined);
    if (chosen === undefined) {
      return this.plain(406, "No content coding that is accepted can be had", this.#vary(true));
    }
    const status = evaluate(fields, chosen);
    if (status === 304) return chosen.notModified ??= prepare(this.#notModified(resource, chosen));
    if (status === 412) return this.plain(412, "Precondition Failed");
    return this.#part(resource, chosen, range, fields) ??
      chosen.whole ?? this.#whole(resource, chosen, request);
  }

  /** The file itself as the page of an error. */
  async page(status: number, resource: Resource, request: LightRequest): Promise<LightResponse> {
    const { identity, type } = resource;
    const headers = [
      "Content-Type",
      type,
      ...this.#caching,
      ...this.#always(),
      ...this.#vary(false),
    ];
    return { ...await this.#content(resource, identity, request), status, headers };
  }

  /** A response of one line. */
  plain(status: number, text: string, headers: readonly string[] = []): LightResponse {
    const type = ["Content-Type", "text/plain;charset=utf-8"];
    const all = [...type, ...this.#caching, ...this.#always(), ...headers];
    return { status, headers: all, body: `${text}\n` };
  }

  /** A response without content. */
  bare(status: number, headers: readonly string[]): LightResponse {
    return { status, headers: [...this.#options.headers, ...headers] };
  }

  #choose(
    resource: Resource,
    acceptEncoding: string | undefined,
    ranged: boolean,
  ): Representation | undefined {
    const weights = this.#weightsOf(acceptEncoding);
    const all = resource.representations;
    return mostWanted(weights, all, ranged ? hasRanges : isReady) ?? mostWanted(weights, all);
  }

  #weightsOf(acceptEncoding: string | undefined): Weights {
    if (acceptEncoding === undefined) return parseAcceptEncoding(undefined);
    let weights = this.#weights.get(acceptEncoding);
    if (weights === undefined) {
      weights = parseAcceptEncoding(acceptEncoding);
      if (this.#weights.size === MOST_REMEMBERED) this.#weights.clear();
      this.#weights.set(acceptEncoding, weights);
    }
    return weights;
  }

  async #whole(
    resource: Resource,
    representation: Representation,
    request: LightRequest,
  ): Promise<LightResponse> {
    const content = await this.#content(resource, representation, request);
    // Another one is chosen if compression was in vain.
    if (!resource.representations.includes(representation)) return this.response(resource, request);
    const headers = this.#headersOf(resource, representation, content.body);
    const response: LightResponse = { status: 200, headers, ...content };
    return representation.bytes === undefined
      ? response
      : representation.whole ??= prepare(response);
  }

  /** All of a representation, held or from the disk. */
  async #content(
    resource: Resource,
    representation: Representation,
    request: LightRequest,
  ): Promise<{ body: LightResponse["body"]; length?: number }> {
    if (resource.isHeld(representation)) {
      return { body: await this.#load(resource, representation) };
    }
    const source = representation.source!;
    const length = source.state.size;
    if (request.method === "HEAD") {
      await checkReadable(source);
      return { body: NOT_SENT, length };
    }
    return { body: await open(source, [{ start: 0, end: length }]), length };
  }

  #load(resource: Resource, representation: Representation): Promise<Uint8Array> {
    return resource.load(representation, (bytes) => this.#options.onHeld(resource, bytes));
  }

  /** The part of a representation that is asked for; `undefined` if it is all of it. */
  #part(
    resource: Resource,
    representation: Representation,
    range: string | undefined,
    { ifRange }: FileFields,
  ): LightResponse | Promise<LightResponse> | undefined {
    const { source, coding } = representation;
    if (range === undefined || source === undefined) return undefined;
    if (ifRange !== undefined && !this.#rangeHolds(ifRange, resource, representation)) {
      return undefined;
    }
    const size = source.state.size;
    const slices = parseRange(range, size);
    if (slices === undefined) return undefined;
    if (slices.length === 0) {
      const headers = ["Content-Range", `bytes */${size}`, ...this.#vary(resource.negotiable)];
      return this.plain(416, "Range Not Satisfiable", headers);
    }
    // Content-Encoding would be that of the multipart content, not of what is in its parts.
    if (slices.length > 1 && coding !== "identity") return undefined;
    return this.#parts(resource, representation, slices);
  }

  /** A date does not tell in which coding the client has the other part. */
  #rangeHolds(ifRange: string, resource: Resource, representation: Representation): boolean {
    if (!ifRange.includes('"') && resource.representations.length > 1) return false;
    return rangeHolds(ifRange, representation, Date.now());
  }

  async #parts(
    resource: Resource,
    representation: Representation,
    slices: readonly Slice[],
  ): Promise<LightResponse> {
    const { source } = representation;
    const { size } = source!.state;
    const bytes = resource.isHeld(representation)
      ? await this.#load(resource, representation)
      : undefined;
    if (isUnsized(representation, bytes)) {
      return {
        status: 200,
        headers: this.#headersOf(resource, representation, bytes),
        body: bytes,
      };
    }
    let type = resource.type;
    let pieces: readonly (Slice | Buffer)[] = slices;
    if (slices.length > 1) [type, pieces] = multipart(type, slices, size);
    const headers = this.#headersOf(resource, representation, bytes, type);
    if (slices.length === 1) headers.push("Content-Range", contentRange(slices[0], size));
    if (bytes === undefined) {
      const length = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
      return { status: 206, headers, body: await open(source!, pieces), length };
    }
    const parts = pieces.map((piece) => {
      return piece instanceof Uint8Array ? piece : bytes.subarray(piece.start, piece.end);
    });
    return { status: 206, headers, body: parts.length === 1 ? parts[0] : Buffer.concat(parts) };
  }

  /** RFC 9110 section 15.4.5: no more than the client needs to go on with what it has. */
  #notModified(resource: Resource, { etag }: Representation): LightResponse {
    const headers = ["ETag", etag, ...this.#vary(resource.negotiable), ...this.#fileCaching];
    return { status: 304, headers: [...headers, ...this.#options.headers] };
  }

  #headersOf(
    resource: Resource,
    representation: Representation,
    body: LightResponse["body"],
    type: string = resource.type,
  ): string[] {
    const { etag, coding, source } = representation;
    const headers = ["Content-Type", type];
    if (coding !== "identity") headers.push("Content-Encoding", coding);
    if (!isUnsized(representation, body)) {
      headers.push("ETag", etag);
      if (resource.lastModified !== undefined) headers.push("Last-Modified", resource.lastModified);
      if (source !== undefined) headers.push("Accept-Ranges", "bytes");
    }
    headers.push(...this.#vary(resource.negotiable), ...this.#fileCaching, ...this.#always());
    return headers;
  }

  #vary(acceptEncoding: boolean): string[] {
    const names = [];
    if (this.#options.varyAccept) names.push("Accept");
    if (acceptEncoding) names.push("Accept-Encoding");
    return names.length === 0 ? [] : ["Vary", names.join(", ")];
  }

  #always(): string[] {
    return ["X-Content-Type-Options", "nosniff", ...this.#options.headers];
  }
}

/**
 * Whether the file system does not tell the size of a file, and so nothing of its state either: there
 * are not validators, and no ranges.
 */
function isUnsized({ source }: Representation, body: LightResponse["body"]): boolean {
  return source !== undefined && body instanceof Uint8Array && body.length !== source.state.size;
}

/** RFC 9110 section 14.6: each part with a head of its own. Returns the type of all, and the pieces. */
function multipart(
  type: string,
  slices: readonly Slice[],
  size: number,
): [type: string, pieces: (Slice | Buffer)[]] {
  const boundary = randomBytes(15).toString("hex");
  const pieces: (Slice | Buffer)[] = [];
  for (const slice of slices) {
    const head = `${pieces.length === 0 ? "" : "\r\n"}--${boundary}\r\n` +
      `Content-Type: ${type}\r\nContent-Range: ${contentRange(slice, size)}\r\n\r\n`;
    pieces.push(Buffer.from(head), slice);
  }
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  return [`multipart/byteranges; boundary=${boundary}`, pieces];
}

function lengthOf(piece: Slice | Uint8Array): number {
  return piece instanceof Uint8Array ? piece.length : piece.end - piece.start;
}

/** Whether a representation has ranges. Content that is compressed while it is sent has none. */
function hasRanges({ source }: Representation): boolean {
  return source !== undefined;
}

/** Whether it can be sent compressed now: while there is much to do, only what is compressed already. */
function isReady({ source, bytes }: Representation): boolean {
  return source !== undefined || bytes !== undefined || !compressing.isFull;
}

async function open(source: Located, pieces: readonly (Slice | Uint8Array)[]): Promise<FileBody> {
  return new FileBody(await openLocated(source, true), source, pieces);
}
