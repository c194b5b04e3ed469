/**
 * The reply to a request, and how the one is got for the other over one connection.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { copyOf } from "../../base/borrowed.ts";
import type { Clock } from "../../base/clock.ts";
import type { Transport } from "../../net/transport.ts";
import { HttpError } from "../message/errors.ts";
import { isStream } from "../server/reply.ts";
import { ReplyBody, ReplyInput } from "./body.ts";
import { type ConnectSettings, type ConnectTiming, connectTo } from "./connect.ts";
import { explained } from "./errors.ts";
import { type BodyLength, bodyLengthOf } from "../message/response_framing.ts";
import type { ClientReply, HttpHead, ReplyTiming } from "./client.ts";
import { Pieces } from "./pieces.ts";
import { type ReplyHead, type ReplyHeadLimits, ReplyHeadParser } from "../message/response_head.ts";
import { fieldsOf, type Outgoing, requestLine } from "./request_head.ts";
import { Session } from "./session.ts";
import { Upload } from "./upload.ts";
import { publicUrl } from "./url.ts";

/** Content up to this size leaves in one write with the head. */
const MOST_TOGETHER = 64 * 1024;

/** More interim replies than any server has a use for. */
const MOST_INTERIM = 16;

/** What {@linkcode exchange} takes. */
export interface ExchangeSettings extends ConnectSettings {
  readonly idleTimeout: number;
  readonly maxSize: number;
  readonly limits: ReplyHeadLimits;
  readonly onHead: (head: HttpHead) => void;
  /** When the call began, and when this request of it did, in milliseconds of the clock. */
  readonly began: number;
  readonly redirectedAt: number;
}

/** Sends a request and waits for the head of its reply. */
export async function exchange(
  transport: Transport,
  request: Outgoing,
  settings: ExchangeSettings,
): Promise<Reply> {
  const { signal, idleTimeout, clock, limits, onHead } = settings;
  const url = publicUrl(request.url);
  const { conn, timing } = await connectTo(transport, request.url, settings);
  const session = new Session(conn, signal, idleTimeout, clock);
  try {
    // Not awaited: a server may answer before it has read all, or without. If this fails, reading
    // tells why.
    const sending = new Sending(send(session, request, onHead));
    const input = new ReplyInput(conn);
    const reading = readHead(input, new ReplyHeadParser(limits), clock, onHead);
    const { head, bytes, firstByte } = await session.wait(reading);
    const length = bodyLengthOf(head, request.method);
    const body = new ReplyBody(input, length, settings.maxSize, limits.headerBytes);
    const marks = { ...timing, firstByte };
    return new Reply(url, head, bytes, length, { session, sending, body, marks, settings });
  } catch (error) {
    session.close();
    throw session.upload?.failure ?? explained(error, url);
  }
}

/** The request on its way. */
class Sending {
  /** Resolves when all of it has left, or no more of it can. */
  readonly over: Promise<void>;
  done = false;

  constructor(work: Promise<void>) {
    const end = () => void (this.done = true);
    this.over = work.then(end, end);
  }
}

async function send(
  session: Session,
  request: Outgoing,
  onHead: (head: HttpHead) => void,
): Promise<void> {
  const { conn } = session;
  const { body = new Uint8Array(0), length } = request;
  const startLine = requestLine(request);
  const headers = fieldsOf(request);
  let text = `${startLine}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  const head = Buffer.from(`${text}\r\n`, "latin1");
  onHead({ type: "request", startLine, headers });
  if (isStream(body)) return await (session.upload = new Upload(body, length)).send(conn, head);
  if (body.length <= MOST_TOGETHER) return await conn.write(Buffer.concat([head, body]));
  await conn.write(head);
  await conn.write(body);
}

/** Reads up to the end of the head of the final reply. */
async function readHead(
  input: ReplyInput,
  parser: ReplyHeadParser,
  clock: Clock,
  onHead: (head: HttpHead) => void,
): Promise<{ head: ReplyHead; bytes: number; firstByte: number }> {
  let bytes = 0;
  let firstByte: number | undefined;
  for (let interim = 0;;) {
    if (input.from === input.to && !await input.fill()) {
      if (bytes === 0) throw new HttpError(502, "EMPTY_REPLY", "The server closed without a reply");
      throw new HttpError(502, "PARTIAL", "The server closed in the middle of the reply's head");
    }
    firstByte ??= clock.now();
    const end = parser.parse(input.chunk, input.from, input.to);
    const behind = end === -1 ? input.to : end;
    bytes += behind - input.from;
    input.from = behind;
    if (end === -1) continue;
    const head = parser.take();
    const { minor, status, reason, headers } = head;
    onHead({ type: "reply", startLine: `HTTP/1.${minor} ${status} ${reason}`.trimEnd(), headers });
    if (status >= 200) return { head, bytes, firstByte };
    if (status === 101) {
      throw new HttpError(502, "BAD_STATUS", "The server switches to another protocol, unasked");
    }
    if (++interim === MOST_INTERIM) {
      throw new HttpError(502, "BAD_STATUS", "The server sends interim replies without end");
    }
  }
}

interface ReplyParts {
  readonly session: Session;
  readonly sending: Sending;
  readonly body: ReplyBody;
  readonly marks: ConnectTiming & { readonly firstByte: number };
  readonly settings: ExchangeSettings;
}

/** See {@linkcode ClientReply}. */
export class Reply implements ClientReply {
  readonly url: string;
  readonly head: ReplyHead;
  readonly headBytes: number;
  readonly length: number | undefined;
  readonly untilClose: boolean;
  /** Called once, when the connection is closed. */
  onClosed: () => void = () => {};
  readonly #parts: ReplyParts;
  #total: number | undefined;
  #failure: unknown;
  #closed = false;

  constructor(
    url: string,
    head: ReplyHead,
    headBytes: number,
    length: BodyLength,
    parts: ReplyParts,
  ) {
    this.url = url;
    this.head = head;
    this.headBytes = headBytes;
    this.length = typeof length === "number" ? length : undefined;
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

  get headers(): readonly string[] {
    return this.head.headers;
  }

  get bodyBytes(): number {
    return this.#parts.body.wire;
  }

  get timing(): ReplyTiming {
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

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    const { headers } = this.head;
    const values = headers.filter((_, i) => i % 2 === 1 && headers[i - 1].toLowerCase() === wanted);
    return values.length === 0 ? undefined : values.join(", ");
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.#read();
    return bytes === null ? null : copyOf(bytes);
  }

  /** The next bytes, valid until the call after the next. */
  async #read(): Promise<Uint8Array | null> {
    const { session, body } = this.#parts;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      // It was closed early, and this tells why.
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
   * Closes the connection once the reply is whole: what may come behind it is of no interest (RFC
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
