/**
 * The exchanges of one connection: each request goes to the handler, and what that returns is sent.
 * The connection says which request is next, and ends when something goes wrong.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Addr } from "../../base/addr.ts";
import type { Conn } from "../../net/transport.ts";
import type { Handler } from "../../serve/serve.ts";
import type { HandlerContext } from "../../serve/server.ts";
import { HttpError } from "../message/errors.ts";
import type { ConnectionState } from "../message/connection_state.ts";
import { BodyReader } from "./body.ts";
import { ClientWatch, type WatchedConnection } from "./client_watch.ts";
import type { HeadEnds } from "./head_ends.ts";
import type { ParsedHead } from "./head_memory.ts";
import type { Input } from "./input.ts";
import type { LightHandler, LightResponse } from "./light.ts";
import type { HttpSettings } from "./options.ts";
import type { Output } from "./output.ts";
import { Phases, type PhasesServer } from "./phases.ts";
import { NOT_ADMITTED, Proxied } from "./proxied_requests.ts";
import {
  dropContent,
  endsByClose,
  headOf,
  INTERNAL_ERROR,
  isStream,
  type ResponseHeads,
  switchingHeadOf,
} from "./response.ts";
import { restOf } from "../../net/rest_of_conn.ts";
import { Reports } from "./reports.ts";
import { EngineRequest, type RequestConnection } from "./request.ts";
import { Sender } from "./sender.ts";
import { isErrorOf, speak, type Spoken } from "./upgraded_connection.ts";
import { upgradedHandlerOf } from "./upgrade.ts";

/** The most bytes of an unread body that are received and thrown away to keep the connection. */
const MOST_DISCARDED = 64 * 1024;

/** The parts of the server that exchanges use. */
export interface ExchangesServer extends PhasesServer {
  readonly settings: HttpSettings;
  readonly handler: LightHandler;
  /** The heads of responses. */
  readonly responseHeads: ResponseHeads;
  /** The ends of heads at the last tick. */
  readonly headEnds: HeadEnds;
}

/** The parts of a connection. */
export interface ExchangesParts {
  readonly state: ConnectionState;
  readonly input: Input;
  readonly output: Output;
}

/** See the module. */
export class Exchanges implements RequestConnection, WatchedConnection {
  /** Whether the client is still there. */
  readonly client: ClientWatch;
  readonly scheme: "http" | "https";
  /** The phases: for what the connection waits. */
  readonly phases: Phases;
  readonly #conn: Conn;
  readonly #context: HandlerContext;
  readonly #server: ExchangesServer;
  readonly #state: ConnectionState;
  readonly #input: Input;
  readonly #output: Output;
  readonly #sender: Sender;
  readonly #reports: Reports;
  /** The other protocol that is spoken now. */
  spoken: Spoken | undefined;
  /** Undefined without a trusted proxy. */
  readonly #proxied: Proxied | undefined;
  /** The last request that has come. */
  #request: EngineRequest | undefined;
  /** The last response that takes its time. */
  #response: LightResponse = INTERNAL_ERROR;

  constructor(
    conn: Conn,
    context: HandlerContext,
    server: ExchangesServer,
    { state, input, output }: ExchangesParts,
  ) {
    this.#conn = conn;
    this.#context = context;
    this.scheme = "tls" in conn ? "https" : "http";
    this.#server = server;
    this.#state = state;
    this.#input = input;
    this.#output = output;
    this.#sender = new Sender(output, server.responseHeads);
    this.#reports = new Reports(server.settings, conn, this.scheme);
    this.#proxied = Proxied.of(conn, this.scheme, server.settings);
    this.phases = new Phases(conn, server, state, output);
    this.client = new ClientWatch(this, input, this.phases, this.#sender);
  }

  get addrs(): { readonly localAddr: Addr; readonly remoteAddr: Addr } {
    return this.#conn;
  }

  get underWay(): EngineRequest | undefined {
    return this.#state.underWay ? this.#request : undefined;
  }

  get streaming(): boolean {
    return this.#state.writing === "content" && isStream(this.#response.body);
  }

  /** Answers one request, at once if that can be. */
  begin(parsed: ParsedHead): Promise<void> | undefined {
    const { head, framing } = parsed;
    const { bodyLength } = framing;
    const outer = this.#proxied?.outerOf(parsed);
    const isSaid = !(outer instanceof HttpError);
    const body = bodyLength === 0
      ? undefined
      : new BodyReader(this.#input, bodyLength, this.#server.settings.limits.maxSize);
    const request = this.#request = new EngineRequest(
      head,
      framing,
      body,
      this,
      isSaid ? outer : undefined,
    );
    this.#state.request(framing);
    this.#reports.begin(request);
    // The request itself is valid: reports have it.
    if (!isSaid) throw outer;
    if (body !== undefined) return this.#exchangeBody(request, body);
    const behind = !this.#output.empty;
    const answer = this.#ask(request);
    if (answer instanceof Promise) return this.#respondLater(answer, behind);
    const rest = this.#respondAtOnce(request, answer);
    return rest && this.#send(request, rest);
  }

  /** Answers a request that has a body. */
  async #exchangeBody(request: EngineRequest, body: BodyReader): Promise<void> {
    const state = this.#state;
    this.phases.expectBody();
    // A read of the handler may first send 100, after the responses that wait.
    if (state.reading === "expecting") await this.#output.flush();
    const behind = !this.#output.empty;
    const answer = this.#ask(request);
    await this.#respondLater(Promise.resolve(answer), behind && answer instanceof Promise);
    if (body.done) state.bodyEnd();
    if (state.step === "discard" && !await this.#discard(body)) state.endAfterResponse();
  }

  /** Waits for a handler; responses that wait to be sent, it being `behind` them, are sent meanwhile. */
  #respondLater(answer: Promise<LightResponse>, behind: boolean): Promise<void> {
    const ready = behind ? this.#flushBefore(answer) : answer;
    // An async function would take half a KiB of memory for each request, and so its time.
    return ready.then(this.#onAnswer, this.#onFailure);
  }

  readonly #onAnswer = (response: LightResponse): Promise<void> | undefined => {
    const request = this.#request!;
    try {
      // A stream may yet read the body, to answer with it.
      if (!isStream(response.body)) request.reader?.discardReceived();
    } catch (error) {
      response = this.#mistake(error, request);
    }
    return this.#respond(request, response);
  };

  readonly #onFailure = (error: unknown): Promise<void> | undefined => {
    const request = this.#request!;
    return this.#respond(request, this.#mistake(error, request));
  };

  /** Sends what a handler has returned later. */
  #respond(request: EngineRequest, response: LightResponse): Promise<void> | undefined {
    // The time for the body is over, and the client has got 408.
    if (!this.#state.underWay) {
      dropContent(response);
      return undefined;
    }
    const { reader } = request;
    if (reader?.done) this.#state.bodyEnd();
    // A body that is too large is not waited for.
    if (reader?.tooLarge) this.#state.endAfterResponse();
    const rest = this.#respondAtOnce(request, response);
    return rest && this.#send(request, rest);
  }

  /** Calls the handler, and sends its response. */
  #ask(request: EngineRequest): LightResponse | Promise<LightResponse> {
    if (this.#proxied?.admits(request) === false) return NOT_ADMITTED;
    try {
      return this.#server.handler(request);
    } catch (error) {
      return this.#mistake(error, request);
    }
  }

  async #flushBefore(answer: Promise<LightResponse>): Promise<LightResponse> {
    // Until it is awaited nobody else hears of a failure.
    answer.catch(() => {});
    try {
      await this.#output.flush();
    } catch (error) {
      answer.then(dropContent).catch(() => {});
      throw error;
    }
    return await answer;
  }

  /** Returns 500 for an error of a handler. Errors of reading or sending are thrown again. */
  #mistake(error: unknown, request: EngineRequest): LightResponse {
    if (error instanceof HttpError || this.isOwn(error)) throw error;
    if (!request.isAbort(error)) this.#server.settings.onError(error, request);
    return INTERNAL_ERROR;
  }

  /** Whether it is this connection that failed, and none that a handler has. */
  isOwn(error: unknown): boolean {
    return isErrorOf(this.#conn, error);
  }

  /** Puts a response into the output; returns what does not fit and is yet to be sent. */
  #respondAtOnce(request: EngineRequest, response: LightResponse): LightResponse | undefined {
    const sender = this.#sender;
    try {
      if (response.status === 101) return response;
      if (!sender.atOnce(request, response, this.#headEnd(request), this.#input.empty)) {
        return response;
      }
    } catch (error) {
      return this.#respondAtOnce(request, this.#mistake(error, request));
    }
    this.answered(request, response, sender.sent);
    return undefined;
  }

  /** Sends a response of any kind. */
  async #send(request: EngineRequest, response: LightResponse): Promise<void> {
    let handler: Handler | undefined;
    let head: string;
    try {
      handler = upgradedHandlerOf(response, request);
      head = handler === undefined ? headOf(response, request.minor) : switchingHeadOf(response);
    } catch (error) {
      dropContent(response);
      response = this.#mistake(error, request);
      head = headOf(response, request.minor);
    }
    if (response.status === 101) return await this.#switch(request, head, handler!);
    if (endsByClose(response, request.minor)) this.#state.endAfterResponse();
    this.#state.responseHead();
    this.#response = response;
    // A stream that brings nothing would not notice that the client has left.
    if (this.streaming) this.client.begin(request);
    await this.#sender.send(request, response, head, this.#headEnd(request));
    this.answered(request, response, this.#sender.sent);
  }

  /** Sends 101, and has another protocol spoken, unless the client may not have more connections. */
  async #switch(
    request: EngineRequest,
    head: string,
    handler: Handler,
  ): Promise<void> {
    const proxied = this.#proxied;
    if (proxied?.enter(request) === false) return await this.#send(request, NOT_ADMITTED);
    try {
      await this.#output.sendText(head);
      await this.#output.sendBytes(this.#server.headEnds.persistent);
      await this.#output.flush();
    } catch (error) {
      proxied?.leave(request);
      throw error;
    }
    this.#state.switch();
    request.detach();
    const { onError } = this.#server.settings;
    const kept = { conn: this.#conn, request, onError, reports: this.#reports, proxied };
    const rest = restOf(this.#conn, this.#input, request.remoteAddr);
    this.spoken = speak(handler, rest, this.#context, kept);
  }

  /** The end of a head: Date, and Connection unless it is the default of the version. */
  #headEnd({ minor }: EngineRequest): Buffer {
    const { headEnds } = this.#server;
    if (!this.#state.keepsAlive()) return headEnds.close;
    return minor === 1 ? headEnds.persistent : headEnds.keepAlive;
  }

  /** A response is complete. */
  answered(request: EngineRequest, { status, error }: LightResponse, bytes: number): void {
    this.#state.responseEnd();
    this.#reports.end(request, status, bytes, true, error);
  }

  /** Notes that a request is refused for `error`, with `bytes` bytes of content in the response. */
  refused(request: EngineRequest | undefined, error: HttpError, bytes: number): void {
    this.#state.responseEnd();
    this.#reports.end(request, error.status, bytes, true, error);
  }

  /** The next bytes of the body of the request under way. */
  async readBody(body: BodyReader): Promise<Uint8Array | null> {
    const state = this.#state;
    body.checkLength();
    if (state.reading === "expecting") {
      if (state.proceed()) await this.#output.sendText("HTTP/1.1 100 Continue\r\n\r\n");
      await this.#output.flush();
    }
    const bytes = await this.#readBody(body);
    if (bytes !== null) return bytes;
    state.bodyEnd();
    const request = this.#request!;
    if (this.streaming || request.watched) this.client.begin(request);
    return null;
  }

  async #readBody(body: BodyReader): Promise<Uint8Array | null> {
    this.phases.enterBody();
    try {
      return await body.read();
    } finally {
      this.phases.leaveBody();
    }
  }

  /** Receives the rest of a body that nobody wants; false if it is too much, or not right. */
  async #discard(body: BodyReader): Promise<boolean> {
    await this.#output.flush();
    body.dropped = true;
    let discarded = 0;
    try {
      for (let bytes; (bytes = await this.readBody(body)) !== null;) {
        discarded += bytes.length;
        if (discarded > MOST_DISCARDED) return false;
      }
    } catch (error) {
      // The request is answered; what is wrong after that cannot be answered again.
      if (error instanceof HttpError && this.#state.reading === "body") return false;
      throw error;
    }
    return true;
  }

  watchClient(request: EngineRequest): void {
    this.client.begin(request);
  }

  /** The connection has ended. */
  ended(): void {
    this.#reports.lost();
  }

  /** The request under way gets no response, or only a part of one. Returns that request. */
  abandon(why: unknown): EngineRequest | undefined {
    const request = this.underWay;
    request?.abort(why);
    if (this.#state.writing === "content") {
      const { status, error } = this.#response;
      this.#reports.end(request, status, this.#sender.sent, false, error);
    }
    return request;
  }
}
