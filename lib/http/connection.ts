/**
 * One connection of an HTTP server: read a head, have it answered, send the reply, and again. The
 * order of a request from first byte to last can be read off {@linkcode HttpConnection.run}.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { SocketError } from "../errors.ts";
import type { Addr, Conn } from "../transport.ts";
import { BodyReader } from "./body.ts";
import { HttpError } from "./errors.ts";
import { type Framing, framingOf } from "./framing.ts";
import { HeadParser, type RequestHead } from "./head.ts";
import { Input } from "./input.ts";
import type { LightHandler, LightReply, LightRequest } from "./light.ts";
import { Output } from "./output.ts";
import { headOf, isStream, type ReplyContext, sendContent } from "./reply.ts";
import type { HttpServer } from "./server.ts";
import { statusLine } from "./status.ts";

/** What a connection is waiting for; each has its own deadline. */
export type Phase = "idle" | "head" | "body" | "handler" | "write" | "linger" | "expired";

/** So much of a body that nobody has read is received and thrown away, to keep the connection. */
const MOST_DISCARDED = 64 * 1024;

/** How long a client that was refused gets to stop sending and read why. */
const LINGER_MS = 2000;

const INTERNAL_ERROR: LightReply = { status: 500, body: "Internal Server Error\n" };

/** A client's half of an exchange; see {@linkcode LightRequest}. */
class Request implements LightRequest {
  readonly #head: RequestHead;
  readonly #framing: Framing;
  readonly #connection: HttpConnection;
  readonly body: BodyReader;

  constructor(head: RequestHead, framing: Framing, body: BodyReader, connection: HttpConnection) {
    this.#head = head;
    this.#framing = framing;
    this.#connection = connection;
    this.body = body;
  }

  get method(): string {
    return this.#head.method;
  }

  get target(): string {
    return this.#head.target;
  }

  get host(): string {
    return this.#framing.host;
  }

  get headers(): readonly string[] {
    return this.#head.headers;
  }

  get remoteAddr(): Addr {
    return this.#connection.remoteAddr;
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    let found: string | undefined;
    const { headers } = this.#head;
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i].length !== wanted.length || headers[i].toLowerCase() !== wanted) continue;
      found = found === undefined ? headers[i + 1] : `${found}, ${headers[i + 1]}`;
    }
    return found;
  }

  read(): Promise<Uint8Array | null> {
    return this.#connection.readBody(this.body);
  }
}

/** See the module. */
export class HttpConnection {
  readonly #conn: Conn;
  readonly #server: HttpServer;
  readonly #handler: LightHandler;
  readonly #parser: HeadParser;
  readonly #input: Input;
  readonly #output: Output;
  #requests = 0;
  /** The client waits for 100 before it sends the body. */
  #owes100 = false;
  /** Nothing of the reply to the request under way has been sent. */
  #unanswered = false;
  #phase: Phase = "idle";
  /** A reply is being sent, and is not whole yet. */
  #replying = false;
  /** When the phase began, or a byte last moved in it. */
  #since: number;
  #bytes = 0;
  /** How long the client was waited for, for the body under way, and since when it is now. */
  #bodyWaited = 0;
  #waitingSince = 0;
  /** How many bytes the connection had brought before that body. */
  #bodyStart = 0;
  #controller: AbortController | undefined;

  constructor(conn: Conn, handler: LightHandler, server: HttpServer) {
    this.#conn = conn;
    this.#server = server;
    this.#handler = handler;
    this.#parser = new HeadParser(server.settings.limits);
    this.#input = new Input(conn, server.buffers);
    this.#output = new Output(conn);
    this.#since = server.now;
  }

  get remoteAddr(): Addr {
    return this.#conn.remoteAddr;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Holds the whole conversation; the caller closes the connection. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const head = await this.#nextHead();
        if (head === undefined || !await this.#exchange(head)) break;
      }
      await this.#output.flush();
    } catch (error) {
      this.#controller?.abort(error);
      if (error instanceof SocketError || this.#phase === "expired") return;
      const refused = error instanceof HttpError;
      if (refused && !this.#replying) return await this.#refuse(error);
      // A reply broke off. What has been sent of it must not look whole.
      if (!refused) this.#server.settings.onError(error);
      this.#conn.reset();
    } finally {
      this.#input.release();
    }
  }

  /** The next head, or nothing at the end of the stream. */
  async #nextHead(): Promise<RequestHead | undefined> {
    const input = this.#input;
    for (;;) {
      if (!input.empty) {
        const end = this.#parser.parse(input.chunk, input.from, input.to);
        input.from = end === -1 ? input.to : end;
        if (end !== -1) return this.#parser.take();
      }
      // All requests that have come are answered: now is the time to send the replies.
      if (!this.#output.empty) await this.#flush();
      if (this.#server.stopping && !this.#parser.started) return undefined;
      // The clock of a head goes on from its first byte, however many pieces it comes in.
      if (!this.#parser.started) this.#enter("idle");
      if (!await input.fill()) return undefined;
      if (this.#phase === "idle") this.#enter("head");
    }
  }

  /** Answers one request; false if it was the last one. */
  async #exchange(head: RequestHead): Promise<boolean> {
    const { limits } = this.#server.settings;
    const framing = framingOf(head);
    const body = new BodyReader(this.#input, framing.bodyLength, limits.body);
    const request = new Request(head, framing, body, this);
    this.#owes100 = framing.expectsContinue && !body.done;
    this.#unanswered = true;
    this.#bodyWaited = 0;
    this.#bodyStart = this.#conn.bytesRead;
    const last = ++this.#requests === limits.requests;
    this.#enter("handler");

    const reply = await this.#ask(request);
    // A stream may yet read the body, to answer with it.
    if (!isStream(reply.body)) body.discardReceived();
    const { method } = head;
    const context: ReplyContext = {
      method,
      minor: head.minor,
      keepAlive: framing.keepAlive && !last && !this.#server.stopping && !this.#owes100,
      date: this.#server.date,
    };
    this.#enter("write");
    this.#unanswered = false;
    this.#replying = true;
    await this.#send(reply, context);
    this.#replying = false;
    this.#controller = undefined;
    if (context.keepAlive && (body.done || await this.#discard(body))) return true;
    await this.#flush();
    if (!body.done) await this.#linger();
    return false;
  }

  /** Has the handler answer; replies that wait are sent first if it takes its time. */
  async #ask(request: Request): Promise<LightReply> {
    try {
      // What the handler reads may first send 100, behind the replies that wait.
      if (this.#owes100) await this.#flush();
      const behind = !this.#output.empty;
      const answer = this.#handler(request);
      if (!(answer instanceof Promise)) return answer;
      if (behind) await this.#flush();
      return await answer;
    } catch (error) {
      if (error instanceof HttpError || error instanceof SocketError) throw error;
      this.#server.settings.onError(error);
      return INTERNAL_ERROR;
    }
  }

  async #send(reply: LightReply, context: ReplyContext): Promise<void> {
    let head: string;
    try {
      head = headOf(reply, context);
    } catch (error) {
      this.#server.settings.onError(error);
      reply = INTERNAL_ERROR;
      head = headOf(reply, context);
    }
    await this.#output.sendText(head);
    await sendContent(reply, context, this.#output);
  }

  /** The next bytes of the body of the request under way. */
  async readBody(body: BodyReader): Promise<Uint8Array | null> {
    if (this.#owes100) {
      this.#owes100 = false;
      await this.#output.sendText("HTTP/1.1 100 Continue\r\n\r\n");
      await this.#output.flush();
    }
    const phase = this.#phase;
    this.#enter("body");
    this.#waitingSince = this.#server.now;
    const bytes = await body.read();
    this.#bodyWaited += this.#server.now - this.#waitingSince;
    this.#enter(phase);
    return bytes;
  }

  /** Receives the rest of a body that nobody wants; false if it is too much, or not right. */
  async #discard(body: BodyReader): Promise<boolean> {
    await this.#flush();
    let discarded = 0;
    try {
      for (let bytes; (bytes = await this.readBody(body)) !== null;) {
        discarded += bytes.length;
        if (discarded > MOST_DISCARDED) return false;
      }
    } catch (error) {
      // The request is answered; what is wrong behind that cannot be answered again.
      if (error instanceof HttpError && this.#phase !== "expired") return false;
      throw error;
    }
    return true;
  }

  async #flush(): Promise<void> {
    const phase = this.#phase;
    this.#enter("write");
    await this.#output.flush();
    if (this.#phase === "write") this.#enter(phase);
  }

  /** Tells the client what is wrong, if it has not been answered in part. */
  async #refuse(error: HttpError): Promise<void> {
    if (error.code === "BODY_INCOMPLETE") return;
    await this.#output.sendText(refusal(error, this.#server.date));
    await this.#flush();
    await this.#linger();
  }

  /**
   * RFC 9112 section 9.6: half-closes and receives for a while, since closing with bytes unread
   * would reset the connection, and with it the reply on its way.
   */
  async #linger(): Promise<void> {
    this.#enter("linger");
    await this.#conn.closeWrite();
    this.#input.from = this.#input.to;
    while (await this.#input.fill()) this.#input.from = this.#input.to;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#server.now;
    this.#bytes = this.#conn.bytesRead + this.#conn.bytesWritten;
  }

  /** The server stops: a connection without a request is closed, one with is left to finish. */
  stop(): void {
    if (this.#phase === "idle") this.#conn.close();
  }

  /** Compares the phase with its deadline. Called by the server's clock. */
  sweep(now: number): void {
    const { limits } = this.#server.settings;
    const bytes = this.#conn.bytesRead + this.#conn.bytesWritten;
    // The clocks of body and reply start anew with each byte, and a reply's runs only while the
    // client is what it waits for.
    const moved = bytes !== this.#bytes && (this.#phase === "body" || this.#phase === "write");
    if (moved || this.#phase === "write" && !this.#output.writing) {
      this.#bytes = bytes;
      this.#since = now;
    }
    const elapsed = now - this.#since;
    switch (this.#phase) {
      case "idle":
        if (elapsed >= limits.idleTimeout) this.#conn.close();
        break;
      case "head":
        if (elapsed >= limits.headTimeout) this.#expire("The head of the request took too long");
        break;
      case "body":
        if (elapsed >= limits.bodyTimeout || this.#tooSlow(now)) {
          this.#expire("The body of the request took too long");
        }
        break;
      case "write":
        if (elapsed >= limits.writeTimeout) this.#conn.reset();
        break;
      case "linger":
        if (elapsed >= LINGER_MS) this.#conn.close();
    }
  }

  #tooSlow(now: number): boolean {
    const { bodyTimeout, bodyRate } = this.#server.settings.limits;
    const elapsed = this.#bodyWaited + now - this.#waitingSince;
    const bytes = this.#conn.bytesRead - this.#bodyStart;
    return elapsed >= bodyTimeout && bytes < elapsed / 1000 * bodyRate;
  }

  /** Answers 408, unless the request is answered, and closes; that ends the read under way. */
  async #expire(message: string): Promise<void> {
    const error = new HttpError(408, "TIMEOUT", message);
    const unanswered = this.#phase === "head" || this.#unanswered;
    this.#enter("expired");
    try {
      if (unanswered) await this.#conn.write(Buffer.from(refusal(error, this.#server.date)));
    } catch {
      // The client has gone away, which is as good.
    }
    this.#conn.close(error);
  }
}

/** A reply to what is not a request. */
function refusal({ status, message }: HttpError, date: string): string {
  const body = `${message}.\n`;
  return `${statusLine(status)}Date: ${date}\r\nContent-Type: text/plain;charset=utf-8\r\n` +
    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
