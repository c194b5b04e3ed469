/**
 * One connection of an HTTP server: read a head, have it answered, send the reply, and again. The
 * order of a request from first byte to last can be read off {@linkcode HttpConnection.run}.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { SocketError } from "../../base/errors.ts";
import type { Conn } from "../../net/transport.ts";
import { BodyReader } from "./body.ts";
import { ClientWatch, type WatchedConnection } from "./client_watch.ts";
import { HttpError } from "../message/errors.ts";
import { framingOf } from "../message/request_framing.ts";
import { HeadParser } from "../message/request_head.ts";
import { HeadMemory, type ParsedHead } from "./head_memory.ts";
import { Input } from "./input.ts";
import type { LightHandler, LightReply } from "./light.ts";
import { Output } from "./output.ts";
import { Phases } from "./phases.ts";
import { dropContent, endsByClose, headOf, INTERNAL_ERROR, isStream, refusal } from "./reply.ts";
import { EngineRequest } from "./request.ts";
import { Sender } from "./sender.ts";
import type { HttpServer } from "./server.ts";

/** So much of a body that nobody has read is received and thrown away, to keep the connection. */
const MOST_DISCARDED = 64 * 1024;

/** See the module. */
export class HttpConnection implements WatchedConnection {
  /** Whether its client is still there. */
  readonly client: ClientWatch;
  readonly #conn: Conn;
  readonly #phases: Phases;
  readonly #server: HttpServer;
  readonly #handler: LightHandler;
  readonly #parser: HeadParser;
  readonly #memory: HeadMemory = new HeadMemory();
  readonly #input: Input;
  readonly #output: Output;
  readonly #sender: Sender;
  #requests = 0;
  #request: EngineRequest | undefined;
  /** The connection goes on after the request under way. */
  #keepAlive = true;
  /** The client waits for 100 before it sends the body. */
  #owes100 = false;
  /** Nothing of the reply to the request under way has been sent. */
  #unanswered = false;
  /** A reply is being sent, and is not whole yet. */
  #replying = false;
  /** The reply being sent, if it takes its time. */
  #reply: LightReply = INTERNAL_ERROR;
  /** When the request under way had come. */
  #started = 0;

  constructor(conn: Conn, handler: LightHandler, server: HttpServer) {
    this.#conn = conn;
    this.#server = server;
    this.#handler = handler;
    this.#parser = new HeadParser(server.settings.limits);
    this.#input = new Input(conn, server.buffers);
    this.#output = new Output(conn, server.outputBuffers);
    this.#sender = new Sender(this.#output, server.replyHeads);
    this.#phases = new Phases(conn, server);
    this.client = new ClientWatch(this, this.#input, this.#phases, this.#sender);
  }

  get scheme(): "http" | "https" {
    return "tls" in this.#conn ? "https" : "http";
  }

  get addrs(): Pick<Conn, "localAddr" | "remoteAddr"> {
    return this.#conn;
  }

  get underWay(): EngineRequest | undefined {
    return this.#unanswered || this.#replying ? this.#request : undefined;
  }

  get streaming(): boolean {
    return this.#replying && isStream(this.#reply.body);
  }

  /** Holds the whole conversation; the caller closes the connection. */
  async run(): Promise<void> {
    const input = this.#input;
    const output = this.#output;
    try {
      for (;;) {
        const parsed = this.#nextHead();
        if (parsed !== undefined) {
          // Most requests are answered at once: then nothing is awaited but the socket.
          const done = this.#exchange(parsed);
          if (done !== undefined) await done;
          if (this.#keepAlive) continue;
          break;
        }
        // All requests that have come are answered: now is the time to send the replies.
        if (!output.empty) {
          this.#phases.enter("write");
          await output.send();
          output.sent();
        }
        if (this.#server.stopping && !this.#parser.started) break;
        // The clock of a head goes on from its first byte, however many pieces it comes in.
        if (!this.#parser.started) this.#phases.enter("idle");
        else if (this.#phases.current !== "head") this.#phases.enter("head");
        if (!input.filled(await input.receive())) break;
        if (this.#phases.current === "idle") this.#phases.enter("head");
      }
      await this.#flush();
      // A client that was not told before, or that sends what it may not, may be sending still.
      const last = this.#requests === this.#server.settings.limits.requests;
      if (last || !input.empty || this.#request?.body?.done === false) await this.#linger();
    } catch (error) {
      await this.#fail(error);
    } finally {
      input.release();
    }
  }

  /** The next head, if all of it has come. */
  #nextHead(): ParsedHead | undefined {
    const input = this.#input;
    if (input.empty) return undefined;
    const start = input.from;
    const whole = !this.#parser.started;
    const known = whole ? this.#memory.recall(input) : undefined;
    if (known !== undefined) return known;
    const end = this.#parser.parse(input.chunk, start, input.to);
    input.from = end === -1 ? input.to : end;
    if (end === -1) return undefined;
    const head = this.#parser.take();
    const parsed = { head, framing: framingOf(head) };
    if (whole) this.#memory.remember(input, start, parsed);
    return parsed;
  }

  /** Answers one request, at once if that can be. */
  #exchange({ head, framing }: ParsedHead): Promise<void> | undefined {
    const { limits, onReply, clock } = this.#server.settings;
    const body = framing.bodyLength === 0
      ? undefined
      : new BodyReader(this.#input, framing.bodyLength, limits.body);
    const request = this.#request = new EngineRequest(head, framing, body, this);
    this.#keepAlive = ++this.#requests < limits.requests && framing.keepAlive;
    this.#unanswered = true;
    if (onReply !== undefined) this.#started = clock.now();
    this.#phases.enter("handler");
    if (body !== undefined) return this.#exchangeBody(request, body, framing.expectsContinue);
    const behind = !this.#output.empty;
    const answer = this.#ask(request);
    if (answer instanceof Promise) return this.#replyLater(request, answer, behind);
    const rest = this.#replyAtOnce(request, answer);
    return rest && this.#send(request, rest);
  }

  /** Answers a request that has a body. */
  async #exchangeBody(request: EngineRequest, body: BodyReader, expects: boolean): Promise<void> {
    this.#owes100 = expects;
    this.#phases.expectBody();
    // What the handler reads may first send 100, behind the replies that wait.
    if (expects) await this.#flush();
    const behind = !this.#output.empty;
    const answer = this.#ask(request);
    await this.#replyLater(request, answer, behind && answer instanceof Promise);
    if (this.#keepAlive && !body.done) this.#keepAlive = await this.#discard(body);
  }

  /** Waits for a handler; replies that wait to be sent, it being `behind` them, are sent meanwhile. */
  async #replyLater(
    request: EngineRequest,
    answer: LightReply | Promise<LightReply>,
    behind: boolean,
  ): Promise<void> {
    let reply: LightReply;
    try {
      if (behind) await this.#flushBefore(answer as Promise<LightReply>);
      reply = await answer;
      // A stream may yet read the body, to answer with it.
      if (!isStream(reply.body)) request.body?.discardReceived();
    } catch (error) {
      reply = this.#mistake(error, request);
    }
    // Without its 100 the client may send the body or not; what is too large is not waited for.
    if (this.#owes100 || request.body?.tooLarge) this.#keepAlive = false;
    const rest = this.#replyAtOnce(request, reply);
    if (rest !== undefined) await this.#send(request, rest);
  }

  /** Has the handler answer. */
  #ask(request: EngineRequest): LightReply | Promise<LightReply> {
    try {
      return this.#handler(request);
    } catch (error) {
      return this.#mistake(error, request);
    }
  }

  async #flushBefore(answer: Promise<LightReply>): Promise<void> {
    // Until it is awaited nobody else hears of a failure.
    answer.catch(() => {});
    try {
      await this.#flush();
    } catch (error) {
      answer.then(dropContent).catch(() => {});
      throw error;
    }
  }

  /** What a handler threw: a 500, unless it is what reading or sending threw, which goes on. */
  #mistake(error: unknown, request: EngineRequest): LightReply {
    if (error instanceof HttpError || this.#isOwn(error)) throw error;
    this.#server.settings.onError(error, request);
    return INTERNAL_ERROR;
  }

  /** Whether it is this connection that failed, and none that a handler has. */
  #isOwn(error: unknown): boolean {
    return error instanceof SocketError && error.addr === this.#conn.remoteAddr;
  }

  /** Puts a reply into the output; gives back what does not fit and is yet to be sent. */
  #replyAtOnce(request: EngineRequest, reply: LightReply): LightReply | undefined {
    const sender = this.#sender;
    try {
      if (!sender.atOnce(request, reply, this.#tail(request), this.#input.empty)) return reply;
    } catch (error) {
      return this.#replyAtOnce(request, this.#mistake(error, request));
    }
    this.#answered(request, reply.status, sender.sent);
    return undefined;
  }

  /** Sends a reply of any kind. */
  async #send(request: EngineRequest, reply: LightReply): Promise<void> {
    let head: string;
    try {
      head = headOf(reply, request.minor);
    } catch (error) {
      dropContent(reply);
      reply = this.#mistake(error, request);
      head = headOf(reply, request.minor);
    }
    if (endsByClose(reply, request.minor)) this.#keepAlive = false;
    this.#unanswered = false;
    this.#replying = true;
    this.#reply = reply;
    this.#phases.enter("write");
    // A stream that has nothing to say would not notice that nobody is left.
    if (this.streaming) this.client.begin(request);
    await this.#sender.send(request, reply, head, this.#tail(request));
    this.#answered(request, reply.status, this.#sender.sent);
  }

  /** The end of every head: Date, and Connection where it does not go without saying. */
  #tail({ minor }: EngineRequest): Buffer {
    const { tails, stopping } = this.#server;
    if (stopping) this.#keepAlive = false;
    if (!this.#keepAlive) return tails.close;
    return minor === 1 ? tails.persistent : tails.keepAlive;
  }

  /** A reply is complete. */
  #answered(request: EngineRequest | undefined, status: number, bytes: number): void {
    this.#unanswered = false;
    this.#replying = false;
    if (this.#server.settings.onReply !== undefined) this.#tell(request, status, bytes, true);
  }

  #tell(request: EngineRequest | undefined, status: number, bytes: number, complete: boolean) {
    const { onReply, clock } = this.#server.settings;
    const duration = request === undefined ? 0 : clock.now() - this.#started;
    onReply?.({ request, remoteAddr: this.#conn.remoteAddr, status, bytes, complete, duration });
  }

  /** The next bytes of the body of the request under way. */
  async readBody(body: BodyReader): Promise<Uint8Array | null> {
    body.checkLength();
    if (this.#owes100) {
      this.#owes100 = false;
      // Behind the head of a reply it would be content; that head tells the client as well.
      if (!this.#replying) await this.#output.sendText("HTTP/1.1 100 Continue\r\n\r\n");
      await this.#flush();
    }
    const phase = this.#phases.current;
    this.#phases.enterBody();
    const bytes = await body.read();
    // A handler may have answered meanwhile.
    if (this.#phases.current === "body") this.#phases.leaveBody(phase);
    const request = this.#request!;
    if (bytes === null && (this.streaming || request.watched)) this.client.begin(request);
    return bytes;
  }

  /** Receives the rest of a body that nobody wants; false if it is too much, or not right. */
  async #discard(body: BodyReader): Promise<boolean> {
    await this.#flush();
    body.dropped = true;
    let discarded = 0;
    try {
      for (let bytes; (bytes = await this.readBody(body)) !== null;) {
        discarded += bytes.length;
        if (discarded > MOST_DISCARDED) return false;
      }
    } catch (error) {
      // The request is answered; what is wrong behind that cannot be answered again.
      if (error instanceof HttpError && this.#phases.current !== "expired") return false;
      throw error;
    }
    return true;
  }

  async #flush(): Promise<void> {
    const phase = this.#phases.current;
    this.#phases.enter("write");
    await this.#output.flush();
    if (this.#phases.current === "write") this.#phases.enter(phase);
  }

  /** Ends the conversation as what went wrong with it demands. */
  async #fail(failure: unknown): Promise<void> {
    // What a stream makes of being dropped is no mistake of its.
    const error = this.#replying ? this.client.lost ?? failure : failure;
    const request = this.underWay;
    request?.abort(error);
    if (this.#replying) this.#tell(request, this.#reply.status, this.#sender.sent, false);
    if (this.#phases.current === "expired") return;
    const isMistake = !(error instanceof HttpError) && !this.#isOwn(error);
    if (isMistake) this.#server.settings.onError(error, request);
    // A reply broke off. What has been sent of it must not look whole.
    if (this.#replying || isMistake) this.#conn.reset();
    else if (error instanceof HttpError) await this.#refuse(error, request);
  }

  /** Tells the client what is wrong, if it is still there. */
  async #refuse(error: HttpError, request: EngineRequest | undefined): Promise<void> {
    if (error.code === "BODY_INCOMPLETE") return;
    this.#phases.enter("write");
    const { bytes, size } = refusal(error, this.#server.tails.close);
    await this.#output.sendBytes(bytes);
    this.#answered(request, error.status, size);
    await this.#flush();
    await this.#linger();
  }

  /**
   * RFC 9112 section 9.6: half-closes and receives for a while, since closing with bytes unread
   * would reset the connection, and with it the reply on its way.
   */
  async #linger(): Promise<void> {
    this.#phases.enter("linger");
    await this.#conn.closeWrite();
    this.#input.from = this.#input.to;
    while (await this.#input.fill()) this.#input.from = this.#input.to;
  }

  /** The server stops: a connection without a request is closed, one with is left to finish. */
  stop(): void {
    if (this.#phases.current === "idle") this.#conn.close();
  }

  /** For how many milliseconds no client has waited for an answer here; -1 if one does. */
  get spare(): number {
    return Math.max(this.#phases.waited(), this.client.waited);
  }

  close(): void {
    this.#conn.close();
    this.client.giveUp();
  }

  /** Ends what takes too long. Called by the server's clock. */
  sweep(now: number): void {
    const verdict = this.#phases.sweep(now, this.#output.writing);
    this.client.sweep();
    if (verdict === "refuse") void this.#expire();
    else if (verdict !== undefined) this.#conn[verdict]();
  }

  /** Answers 408, unless the request is answered, and closes; that ends the read under way. */
  async #expire(): Promise<void> {
    const inHead = this.#phases.current === "head";
    const what = inHead ? "head" : "body";
    const error = new HttpError(408, "TIMEOUT", `The ${what} of the request took too long`);
    this.#phases.enter("expired");
    if (inHead || this.#unanswered) {
      const { bytes, size } = refusal(error, this.#server.tails.close);
      this.#tell(inHead ? undefined : this.#request, error.status, size, true);
      try {
        await this.#conn.write(bytes);
      } catch {
        // The client has gone away, which is as good.
      }
    }
    if (this.#replying) this.#conn.reset(error);
    else this.#conn.close(error);
  }
}
