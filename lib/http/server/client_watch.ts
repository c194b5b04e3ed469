/**
 * Noticing that a client leaves while its request is under way.
 *
 * FIN is sent by a client that has left, and by one that has said all and waits for its answer, as
 * `nc -N` does. So what a handler is working on, and what its stream brings, is sent either way. But a
 * stream that brings nothing would never notice that nobody is left: after FIN it is given up once it
 * has been silent for a while.
 *
 * @module
 */

import { deferred } from "../../base/wait.ts";
import { SocketError } from "../../base/errors.ts";
import type { Addr } from "../../base/addr.ts";
import type { Input } from "./input.ts";
import type { Phases } from "./phases.ts";
import type { EngineRequest } from "./request.ts";
import type { Sender } from "./sender.ts";

/** The time that the stream for a client that has sent FIN may be silent, in milliseconds. */
const SILENT_MS = 500;

/** The part of a connection that is watched. */
export interface WatchedConnection {
  /** The request that is not answered in full. */
  readonly underWay: EngineRequest | undefined;
  /** Whether a stream is being sent as its response. */
  readonly streaming: boolean;
  readonly addrs: { readonly remoteAddr: Addr };
}

/** Watches the client of one connection; see the module. */
export class ClientWatch {
  readonly #connection: WatchedConnection;
  readonly #input: Input;
  readonly #phases: Phases;
  readonly #sender: Sender;
  readonly #gone = deferred<void>();
  /** The request that was under way when FIN came, and when that was. */
  #left: EngineRequest | undefined;
  #leftAt = 0;
  /** Why the connection is lost, found out while nothing was to be received. */
  lost: unknown;

  constructor(connection: WatchedConnection, input: Input, phases: Phases, sender: Sender) {
    this.#connection = connection;
    this.#input = input;
    this.#phases = phases;
    this.#sender = sender;
  }

  /**
   * Resolves when no answer can be sent to the client any more, or none is to be: its place is free
   * then, even if its handler never answers.
   */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** For how many milliseconds a handler has worked on since FIN came; -1 if none has. */
  get waited(): number {
    const { underWay, streaming } = this.#connection;
    const left = underWay !== undefined && underWay === this.#left && !streaming;
    return left ? this.#phases.now - this.#leftAt : -1;
  }

  /** No answer is to be sent any more. */
  giveUp(): void {
    this.#gone.resolve();
  }

  /**
   * Receives what comes next, to learn whether the client is still there. Not at once if bytes of the
   * body, or of the next request, wait to be taken: mostly they are, before the next tick.
   */
  begin({ reader }: EngineRequest): void {
    if (reader?.ended !== false && this.#input.empty) this.#look(false);
  }

  /** Called by the server's clock. */
  sweep(): void {
    const { underWay } = this.#connection;
    if (underWay === undefined) return;
    if (this.#left === underWay) this.#dropIfSilent();
    else this.#look(underWay.reader?.ended === false);
  }

  #look(inUse: boolean): void {
    this.#input.receiveAhead(inUse)?.then(
      (n) => n === null && this.#leave(),
      (error) => this.#lose(error),
    );
  }

  #leave(): void {
    const { underWay } = this.#connection;
    if (underWay === undefined) return;
    this.#left = underWay;
    this.#leftAt = this.#phases.now;
    underWay.abort(new DOMException("The client has closed the connection", "AbortError"));
    this.#dropIfSilent();
  }

  #dropIfSilent(): void {
    if (!this.#connection.streaming || this.#phases.silence() < SILENT_MS) return;
    const { remoteAddr: addr } = this.#connection.addrs;
    const why = "the client has closed the connection, and the stream of the response is silent";
    this.#lose(new SocketError("EPIPE", "write", { addr, why }));
  }

  #lose(error: unknown): void {
    const { underWay } = this.#connection;
    if (underWay === undefined) return;
    this.lost ??= error;
    underWay.abort(error);
    this.#sender.drop(error);
    if (!this.#connection.streaming) this.giveUp();
  }
}
