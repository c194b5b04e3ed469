/**
 * The response of a server: its head, and its content as it is read from the connection.
 *
 * @module
 */

import { checkOptions, type Kinds, LIMIT } from "../../base/arguments.ts";
import { copyOf } from "../../base/borrowed.ts";
import type { Clock } from "../../base/clock.ts";
import { Gathered } from "../../base/gathered_bytes.ts";
import { headersOf, valueOf } from "../message/header_list.ts";
import type { ResponseHead } from "../message/response_head.ts";
import type { BodyLength } from "../message/response_framing.ts";
import type { ResponseBody } from "./body.ts";
import type { ConnectTiming } from "./connect.ts";
import { decoded } from "./content_decoding.ts";
import { explained } from "./errors.ts";
import { Pieces } from "../message/content_pieces.ts";
import type { ClientResponse, ContentOptions, ResponseTiming } from "./response.ts";
import type { Session } from "./session.ts";

/** More than this nobody gets at once who has not asked for it. */
const MOST_CONTENT = 16 * 1024 * 1024;

const CONTENT_OPTIONS: Kinds<ContentOptions> = { maxSize: LIMIT };

/** The clock and the other settings of a response. */
export interface ResponseSettings {
  readonly clock: Clock;
  /** When the call began, and when this request of it did, in milliseconds of the clock. */
  readonly began: number;
  readonly redirectedAt: number;
}

/** The parts that a response is read from. */
export interface ResponseParts {
  readonly session: Session;
  /** The request on its way. */
  readonly sending: { readonly over: Promise<void>; readonly done: boolean };
  readonly body: ResponseBody;
  readonly marks: ConnectTiming & { readonly firstByte: number };
  readonly settings: ResponseSettings;
}

/** See {@linkcode ClientResponse}. */
export class ReceivedResponse implements ClientResponse {
  readonly url: string;
  readonly head: ResponseHead;
  readonly headBytes: number;
  readonly length: number | undefined;
  readonly untilClose: boolean;
  /** Called once, when the connection is closed. */
  onClosed: () => void = () => {};
  readonly #parts: ResponseParts;
  #headers: Headers | undefined;
  /** Whether some of the content, or all of it, has been asked for. */
  #taken = false;
  #total: number | undefined;
  #failure: unknown;
  #closed = false;

  constructor(
    url: string,
    method: string,
    head: ResponseHead,
    headBytes: number,
    length: BodyLength,
    parts: ResponseParts,
  ) {
    this.url = url;
    this.head = head;
    this.headBytes = headBytes;
    this.length = sizeOf(method, head, length);
    this.untilClose = length === "close";
    this.#parts = parts;
  }

  get status(): number {
    return this.head.status;
  }

  get reason(): string {
    return this.head.reason;
  }

  get minor(): 0 | 1 {
    return this.head.minor;
  }

  get headers(): Headers {
    return this.#headers ??= headersOf(this.head.headers);
  }

  get rawHeaders(): readonly string[] {
    return this.head.headers;
  }

  get bodyBytes(): number {
    return this.#parts.body.wire;
  }

  get timing(): ResponseTiming {
    const { marks, settings: { began, redirectedAt } } = this.#parts;
    const since = (mark: number | undefined) => mark === undefined ? undefined : mark - began;
    return {
      redirect: redirectedAt - began,
      resolve: since(marks.resolve),
      connect: since(marks.connect),
      tls: since(marks.tls),
      firstByte: marks.firstByte - began,
      total: since(this.#total),
    };
  }

  async text(options: ContentOptions = {}): Promise<string> {
    return new TextDecoder().decode(await this.#whole("text", options));
  }

  async json(options: ContentOptions = {}): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.#whole("json", options)));
  }

  bytes(options: ContentOptions = {}): Promise<Uint8Array> {
    return this.#whole("bytes", options);
  }

  async #whole(method: string, options: ContentOptions): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions(`response.${method}`, options, CONTENT_OPTIONS, "{ maxSize: 1000000 }");
    if (this.#taken) throw new TypeError(`The content of ${this.url} has been read already`);
    const { maxSize = MOST_CONTENT } = options;
    const gathered = new Gathered();
    for await (const bytes of decoded(this, maxSize || Infinity)) gathered.add(bytes);
    return gathered.whole();
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.#read();
    return bytes === null ? null : copyOf(bytes);
  }

  /** The next bytes, valid until the call after the next. */
  async #read(): Promise<Uint8Array | null> {
    const { session, body } = this.#parts;
    this.#taken = true;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      // It was closed early, and this says why.
      if (this.#closed && !body.done) await session.conn.read(new Uint8Array(1));
      const bytes = await session.wait(body.read());
      this.closeIfWhole();
      if (bytes === null && !this.#closed) {
        await session.wait(this.#parts.sending.over);
        this.close();
      }
      return bytes;
    } catch (error) {
      this.#failure = session.upload?.failure ?? explained(error, this.url);
      this.close();
      throw this.#failure;
    }
  }

  /**
   * Closes the connection once the response is whole: what may come after it is of no interest (RFC
   * 9112 section 6.3), nor is when the server closes. A server that takes the request for good may
   * still be reading it; one that refuses it is not.
   */
  closeIfWhole(): void {
    const { body, sending, session, settings } = this.#parts;
    if (!body.done) return;
    session.whole = true;
    this.#total ??= settings.clock.now();
    if (sending.done || this.status >= 400) this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.session.close();
    this.onClosed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Pieces(() => this.read(), () => this.close());
  }

  borrowed(): AsyncIterableIterator<Uint8Array> {
    return new Pieces(() => this.#read(), () => this.close());
  }
}

/** Returns the number of bytes of the content. For HEAD that is the number that GET would have. */
function sizeOf(method: string, { headers }: ResponseHead, length: BodyLength): number | undefined {
  if (method !== "HEAD") return typeof length === "number" ? length : undefined;
  const value = valueOf(headers, "content-length") ?? "";
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
