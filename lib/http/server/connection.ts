/**
 * One connection of an HTTP server: reads a head, has it answered, and again, until it ends. Here are
 * the reads and how it ends; what may follow what is for {@linkcode ConnectionState} to say. The order
 * of a connection from first byte to last can be read off {@linkcode HttpConnection.run}.
 *
 * @module
 */

import type { BufferPool } from "../../net/buffer_pool.ts";
import { DONE } from "../../net/conn_base.ts";
import type { Conn } from "../../net/transport.ts";
import type { HandlerContext } from "../../serve/server.ts";
import { HttpError } from "../message/errors.ts";
import { ConnectionState, type Failure } from "../message/connection_state.ts";
import { Exchanges, type ExchangesServer } from "./exchanges.ts";
import { Input } from "./input.ts";
import { Output, type OutputBuffers } from "./output.ts";
import { refusal } from "./response.ts";
import type { EngineRequest } from "./request.ts";
import { type Evictable, hostOf } from "./eviction.ts";
import type { Spoken } from "./upgraded_connection.ts";
import { RequestHeads } from "./request_heads.ts";

/** The parts of a server that its connections use. */
export interface ConnectionServer extends ExchangesServer {
  /** The large receive buffers. */
  readonly buffers: BufferPool;
  /** The buffers of responses. */
  readonly outputBuffers: OutputBuffers;
}

/**
 * The time that the first request of a connection has to come when the server stops, in milliseconds. The
 * clock is looked at four times a second: it may be a quarter of a second more or less.
 */
const FIRST_REQUEST_MS = 750;

/** See the module. */
export class HttpConnection implements Evictable {
  readonly #conn: Conn;
  readonly #server: ConnectionServer;
  readonly #state: ConnectionState;
  readonly #input: Input;
  readonly #output: Output;
  readonly #heads: RequestHeads;
  readonly #exchanges: Exchanges;

  constructor(conn: Conn, context: HandlerContext, server: ConnectionServer) {
    const { limits } = server.settings;
    this.#conn = conn;
    this.#server = server;
    this.#state = new ConnectionState(limits.requests);
    this.#input = new Input(conn, server.buffers);
    this.#output = new Output(conn, server.outputBuffers);
    this.#heads = new RequestHeads(this.#input, limits);
    this.#exchanges = new Exchanges(conn, context, server, {
      state: this.#state,
      input: this.#input,
      output: this.#output,
    });
  }

  /** See {@linkcode Evictable.spare}. */
  get spare(): number {
    const { phases, client } = this.#exchanges;
    return Math.max(phases.waited(), client.waited);
  }

  /** See {@linkcode Evictable.behind}. */
  get behind(): number {
    return this.#exchanges.phases.behind();
  }

  /** See {@linkcode Evictable.host}. */
  get host(): string | undefined {
    return hostOf(this.#conn, this.#server.settings.proxies);
  }

  /**
   * Serves the connection, and resolves when nothing is to be sent on it any more, even if a handler
   * never returns; the caller closes it. If another protocol is spoken from now on, it resolves to that.
   */
  async run(): Promise<Spoken | undefined> {
    try {
      await Promise.race([this.#run(), this.#exchanges.client.gone]);
      return this.#exchanges.spoken;
    } finally {
      if (this.#exchanges.spoken === undefined) this.#exchanges.ended();
    }
  }

  async #run(): Promise<void> {
    const state = this.#state;
    const input = this.#input;
    const output = this.#output;
    try {
      for (;;) {
        const parsed = this.#heads.next();
        if (parsed !== undefined) {
          // Most requests are answered at once: then nothing is awaited but the socket.
          const done = this.#exchanges.begin(parsed);
          if (done !== undefined) await done;
          if (state.step === "close") break;
          state.next();
          continue;
        }
        // All requests that have come are answered: now is the time to send the responses.
        if (!output.empty) {
          const sending = output.send();
          // Mostly the kernel has taken it already.
          if (sending !== DONE) await sending;
          output.sent();
        }
        if (this.#heads.started) state.begin();
        if (!state.waits) break;
        if (input.received(await input.receive())) continue;
        state.clientClosed();
        break;
      }
      if (state.switched) return;
      await output.flush();
      if (state.mayStillSend || !input.empty) await this.#linger();
    } catch (error) {
      await this.#fail(error);
    } finally {
      // The bytes after the request are for the next protocol.
      if (!state.switched) input.release();
    }
  }

  /** Ends the connection as what went wrong with it demands. */
  async #fail(failure: unknown): Promise<void> {
    // An error of a stream that was dropped is not a bug of the handler.
    const isContent = this.#state.writing === "content";
    const error = isContent ? this.#exchanges.client.lost ?? failure : failure;
    const request = this.#exchanges.abandon(error);
    const what = this.#kindOf(error);
    const ending = this.#state.fail(what);
    if (ending === undefined) return;
    if (what === "mistake") this.#server.settings.onError(error, request);
    if (ending === "reset") this.#conn.reset();
    else if (ending === "refuse") await this.#refuse(error as HttpError, request);
  }

  #kindOf(error: unknown): Failure {
    if (error instanceof HttpError) return error.code === "BODY_INCOMPLETE" ? "lost" : "refused";
    return this.#exchanges.isOwn(error) ? "lost" : "mistake";
  }

  /** Sends the client what is wrong. */
  async #refuse(error: HttpError, request: EngineRequest | undefined): Promise<void> {
    const { bytes, size } = refusal(error, this.#server.headEnds.close);
    await this.#output.sendBytes(bytes);
    this.#exchanges.refused(request, error, size);
    await this.#output.flush();
    await this.#linger();
  }

  /**
   * RFC 9112 section 9.6: half-closes and receives for a while, since closing with bytes unread
   * would reset the connection, and with it the response on its way.
   */
  async #linger(): Promise<void> {
    this.#state.closed();
    await this.#conn.closeWrite();
    this.#input.from = this.#input.to;
    while (await this.#input.fill()) this.#input.from = this.#input.to;
  }

  /**
   * The server stops: a connection that waits for its next request is closed, one with a request is left
   * to finish. On a new one the first request may be on its way: {@linkcode sweep} gives it some time.
   */
  stop(): void {
    this.#state.drain();
    if (this.#state.requests > 0) this.#closeIdle();
  }

  #closeIdle(): void {
    if (this.#state.idle && this.#output.empty) this.#conn.close();
  }

  /** Ends it, so that another connection gets its place. A response that is not whole does not look so. */
  evict(): void {
    const { phases, client } = this.#exchanges;
    if (phases.current === "write") this.#conn.reset();
    else this.#conn.close();
    client.giveUp();
  }

  /** The server was held up: what changes from here on did not change at the last sweep. */
  catchUp(): void {
    this.#exchanges.phases.catchUp();
  }

  /** Ends what takes too long. Called by the server's clock. */
  sweep(): void {
    const { phases, client } = this.#exchanges;
    const verdict = phases.sweep();
    client.sweep();
    if (verdict === "refuse") void this.#expire();
    else if (verdict !== undefined) this.#conn[verdict]();
    else if (this.#state.draining && (this.#state.requests > 0 || this.spare >= FIRST_REQUEST_MS)) {
      this.#closeIdle();
    }
  }

  /** Answers 408, unless the request is answered, and closes; that ends the read under way. */
  async #expire(): Promise<void> {
    const what = this.#state.reading === "head" ? "head" : "body";
    const error = new HttpError(408, "TIMEOUT", `The ${what} of the request took too long`);
    const request = this.#exchanges.abandon(error);
    const ending = this.#state.expire();
    if (ending === "reset") return this.#conn.reset(error);
    if (ending === "refuse") {
      const { bytes, size } = refusal(error, this.#server.headEnds.close);
      this.#exchanges.refused(request, error, size);
      // The client may have gone away, which is as good.
      await this.#conn.write(bytes).catch(() => {});
    }
    this.#conn.close(error);
  }
}
