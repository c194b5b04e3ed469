/**
 * Joining a connection to the rest of a program, as nc(1) joins one to its standard input and output:
 * what a source gives is sent, what comes goes to a sink, both at the same time, until it is over.
 * When that is, is the question that such programs differ in: see {@linkcode OnEof}.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  CLOCK,
  CONN,
  FUNCTION,
  type Kind,
  type Kinds,
  oneOf,
  required,
  SIGNAL,
  TIMEOUT,
} from "../base/arguments.ts";
import { counted } from "../base/counted.ts";
import { abortError, SocketError } from "../base/errors.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { deferred } from "../base/wait.ts";
import { IdleWatch } from "../serve/idle.ts";
import type { Addr, Endpoint } from "../base/addr.ts";
import type { Conn } from "../net/transport.ts";

/**
 * The effect of the end of one side, the source or the peer, on the other:
 *
 * - `"half-close"` passes it on. When the source ends, FIN is sent and receiving goes on until the
 *   peer ends. When the peer ends, what the source has is still sent, until it ends or has given
 *   nothing for half a second: a peer may have nothing to say and still read, and a source may be a
 *   terminal, where nobody types any more.
 * - `"close"` ends the other side, too, at once. Later bytes are lost, and bytes of the peer that were
 *   not received may make the kernel answer with RST.
 * - `"wait"` keeps it to itself: the connection stays as it is until both sides have ended.
 */
export type OnEof = "half-close" | "close" | "wait";

/** The needs of {@linkcode join} of a {@linkcode Conn}. */
export interface Joinable
  extends
    Pick<Conn, "read" | "write" | "closeWrite" | "close" | "reset" | "bytesRead" | "bytesWritten"> {
  /** The address of the other end, for errors. */
  readonly remoteAddr: Addr | Endpoint;
}

/** Options of {@linkcode join}. */
export interface JoinOptions {
  /** The bytes to send. The next ones are read when the kernel has taken those before. */
  readonly source: AsyncIterable<Uint8Array>;
  /**
   * Takes what comes, at most 64 KiB at a time. The next is received when it resolves; the bytes are
   * its own to keep.
   */
  readonly sink: (data: Uint8Array) => void | Promise<void>;
  /** The effect of one side's end on the other. Default: `"half-close"`. */
  readonly onEof?: OnEof;
  /**
   * The time without a byte in either direction after which it gives up, in milliseconds; 0 for no limit.
   * Time in which the sink is busy does not count. Default: 0, except for the end of the stream: a peer that
   * takes nothing more gets 5 s to let it leave.
   */
  readonly idleTimeout?: number;
  /** Gives up when aborted. */
  readonly signal?: AbortSignal;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const SOURCE: Kind = {
  takes: "what gives bytes: an async iterable, such as process.stdin",
  is: (value) => typeof Object(value)[Symbol.asyncIterator] === "function",
};

const OPTIONS: Kinds<JoinOptions> = {
  source: required(SOURCE),
  sink: required(FUNCTION),
  onEof: oneOf("half-close", "close", "wait"),
  idleTimeout: TIMEOUT,
  signal: SIGNAL,
  clock: CLOCK,
};

/** The sides that had ended when it was over. */
export interface JoinOutcome {
  /** The source had ended, and all that it gave was sent. */
  readonly sourceEnded: boolean;
  /** The peer had sent FIN, and all before it went to the sink. */
  readonly peerEnded: boolean;
}

const RECV_SIZE = 64 * 1024;

/** The time that a source may be silent when its peer has ended, in milliseconds. */
const HALF_CLOSED_SILENCE_MS = 500;

/** The time for sending FIN, and TLS's close_notify, without an idle timeout, in milliseconds. */
const END_MS = 5000;

/**
 * Sends what the source gives and gives the sink what comes, and closes the connection when that is
 * over: with FIN in the end, and with RST if it fails.
 *
 * Rejects with a {@linkcode SocketError}: ECONNRESET if the peer resets the connection, or closes
 * it while there is more to send; ETIMEDOUT after `idleTimeout`; ECANCELED when aborted; else as
 * {@linkcode Conn.read}. Bytes that came before went to the sink. It also rejects with the error of
 * the source or the sink.
 *
 * @example
 * ```ts
 * import { join } from "@plainsocket/plainsocket/protocols";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * using listener = await transport.listen({ port: 7 });
 * const client = await transport.connect({ host: "localhost", port: 7 });
 * using server = await listener.accept();
 * await server.write(new TextEncoder().encode("welcome"));
 * await server.closeWrite();
 *
 * let came = "";
 * async function* source() {
 *   yield new TextEncoder().encode("hello");
 * }
 * await join(client, { source: source(), sink: (data) => void (came += new TextDecoder().decode(data)) });
 * assert.equal(came, "welcome");
 * assert.equal(await server.read(new Uint8Array(64)), 5);
 * ```
 */
export async function join(conn: Joinable, options: JoinOptions): Promise<JoinOutcome> {
  checkArgument("join", conn, CONN);
  checkOptions("join", options, OPTIONS, "{ source, sink }");
  return await new Join(conn, options).run();
}

class Join {
  readonly #conn: Joinable;
  readonly #options: JoinOptions;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #onEof: OnEof;
  readonly #clock: Clock;
  readonly #over = deferred<void>();
  readonly #failed = deferred<never>();
  #sourceEnded = false;
  #peerEnded = false;
  /** Why nothing more can be sent. Reading tells how the connection was lost, if it was. */
  #sendError: unknown;
  /** The source is asked for more, and has not answered yet. */
  #asking = false;
  #cancelSilence: () => void = () => {};
  #cancelEnd: () => void = () => {};
  /** The source is not to be asked for more. */
  #stopped = false;
  /** A write to the peer is under way. */
  #writing = false;
  /** The write of the sink that is under way. */
  #sinking: void | Promise<void> = undefined;

  constructor(conn: Joinable, options: JoinOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#source = options.source[Symbol.asyncIterator]();
    this.#onEof = options.onEof ?? "half-close";
    this.#clock = options.clock ?? systemClock;
  }

  async run(): Promise<JoinOutcome> {
    const conn = this.#conn;
    const { signal, idleTimeout = 0 } = this.#options;
    const fail = this.#failed.reject;
    const onAbort = () => fail(abortError("read", conn.remoteAddr, signal!));
    const idle = new IdleWatch(idleTimeout, this.#clock);
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    idle.add(conn, () => this.#sinking === undefined, fail);
    try {
      // Once it is over, neither has anything to say: what was not sent is no longer wanted.
      this.#send().catch(this.#over.reject);
      this.#receive().catch(this.#over.reject);
      await Promise.race([this.#end(idleTimeout || END_MS), this.#failed.promise]);
      conn.close();
    } catch (error) {
      conn.reset();
      throw error;
    } finally {
      this.#cancelSilence();
      this.#cancelEnd();
      idle.delete(conn);
      signal?.removeEventListener("abort", onAbort);
      if (!this.#sourceEnded) this.#stopSource();
    }
    return { sourceEnded: this.#sourceEnded, peerEnded: this.#peerEnded };
  }

  /** Waits until it is over, and until the end has left: an exit right after it must not be too early. */
  async #end(limit: number): Promise<void> {
    await this.#over.promise;
    await this.#sinking;
    // The peer takes nothing now, so it would wait for FIN as long as for what is before it.
    if (this.#writing) return;
    this.#cancelEnd = this.#clock.setTimer(limit, () => {
      const addr = this.#conn.remoteAddr;
      const why = `the peer takes no more, and the end could not be sent for ${limit / 1000} s`;
      this.#failed.reject(new SocketError("ETIMEDOUT", "closeWrite", { addr, why }));
    });
    // If the connection is gone there is no end to tell.
    await this.#conn.closeWrite().catch(() => {});
    this.#cancelEnd();
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(RECV_SIZE);
    for (let n; (n = await this.#conn.read(buffer)) !== null;) {
      this.#sinking = this.#options.sink(buffer.slice(0, n));
      await this.#sinking;
      this.#sinking = undefined;
    }
    this.#peerEnded = true;
    if (this.#sendError !== undefined) throw this.#takesNoMore();
    if (this.#sourceEnded || this.#onEof === "close") this.#over.resolve();
    else if (this.#asking) this.#startSilence();
  }

  async #send(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#next();
      if (done) break;
      try {
        this.#writing = true;
        await this.#conn.write(value);
      } catch (error) {
        this.#sendError = error;
        if (this.#peerEnded) throw this.#takesNoMore();
        return this.#stopSource();
      } finally {
        this.#writing = false;
      }
      if (this.#stopped) return;
    }
    this.#sourceEnded = true;
    if (this.#peerEnded || this.#onEof === "close") this.#over.resolve();
    // If it fails the connection is lost, and reading tells how.
    else if (this.#onEof === "half-close") await this.#conn.closeWrite().catch(() => {});
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    this.#asking = true;
    if (this.#peerEnded) this.#startSilence();
    try {
      return await this.#source.next();
    } finally {
      this.#asking = false;
      this.#cancelSilence();
    }
  }

  #startSilence(): void {
    if (this.#onEof !== "half-close") return;
    this.#cancelSilence = this.#clock.setTimer(HALF_CLOSED_SILENCE_MS, () => this.#over.resolve());
  }

  #takesNoMore(): SocketError {
    const taken = counted(this.#conn.bytesWritten, "byte");
    return new SocketError("ECONNRESET", "write", {
      addr: this.#conn.remoteAddr,
      why: `the peer closed the connection and took no more, after ${taken}`,
      cause: this.#sendError,
    });
  }

  /** A source that waits for something cannot be made to stop waiting, so it is not waited for. */
  #stopSource(): void {
    this.#stopped = true;
    this.#source.return?.().catch(() => {});
  }
}
