/**
 * A WebSocket as a stream of bytes, so that what carries bytes carries them over it, too.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Addr } from "../../base/addr.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import type { WsConn } from "../../http/ws/mod.ts";
import type { Conn } from "../../net/transport.ts";

/** How bytes become messages, and messages bytes. */
export interface MessageForm {
  /** The bytes of the messages that come, in pieces of any size. */
  receive(ws: WsConn): AsyncIterator<Uint8Array>;
  /** The message that some bytes are sent as. */
  toMessage(bytes: Uint8Array): string | Uint8Array;
}

/** Bytes as they are: each write is a binary message; where messages end is not seen. */
export const BINARY: MessageForm = {
  async *receive(ws) {
    for (let message; (message = await ws.readStream()) !== null;) yield* message;
  },
  toMessage: (bytes) => bytes,
};

/** The silence after which a peer counts as having answered everything, in milliseconds. */
const QUIET_MS = 500;

/** The options of {@linkcode ByteConn}. */
export interface ByteConnOptions {
  readonly clock: Clock;
  /** Default: {@linkcode BINARY}. */
  readonly form?: MessageForm;
  /** Whether the peer may answer after the end of what is written. Default: false. */
  readonly lingers?: boolean;
}

/**
 * See the module. A WebSocket has no half-close: {@linkcode ByteConn.closeWrite} closes it with 1000, and
 * what the peer still sends then is thrown away; if it lingers, only once the peer is quiet.
 */
export class ByteConn implements Conn {
  bytesRead = 0;
  bytesWritten = 0;
  readonly #ws: WsConn;
  readonly #clock: Clock;
  readonly #form: MessageForm;
  readonly #lingers: boolean;
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #over = new AbortController();
  #rest: Uint8Array = new Uint8Array(0);
  /** When something came last. */
  #heardAt: number;

  constructor(ws: WsConn, { clock, form = BINARY, lingers = false }: ByteConnOptions) {
    this.#ws = ws;
    this.#clock = clock;
    this.#form = form;
    this.#lingers = lingers;
    this.#pieces = form.receive(ws);
    this.#heardAt = clock.now();
  }

  get localAddr(): Addr {
    return this.#ws.localAddr;
  }

  get remoteAddr(): Addr {
    return this.#ws.remoteAddr;
  }

  async read(p: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces.next();
      this.#heardAt = this.#clock.now();
      if (done) {
        this.#over.abort();
        return null;
      }
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, p.length);
    p.set(piece);
    this.#rest = this.#rest.subarray(piece.length);
    this.bytesRead += piece.length;
    return piece.length;
  }

  async write(p: Uint8Array): Promise<void> {
    await this.#ws.write(this.#form.toMessage(p));
    this.bytesWritten += p.length;
  }

  /** Waits for what the peer answers: for the Pong of a last Ping, and then for half a second of silence. */
  async quiet(): Promise<void> {
    const { signal } = this.#over;
    // Without a Pong nothing else comes.
    await this.#ws.ping().catch(() => this.#over.abort());
    const left = () => signal.aborted ? 0 : this.#heardAt + QUIET_MS - this.#clock.now();
    while (left() > 0) await sleep(left(), this.#clock, signal);
  }

  async closeWrite(): Promise<void> {
    if (this.#lingers) await this.quiet();
    await this.#ws.close();
  }

  close(): void {
    this.#over.abort();
    void this.#ws.close();
  }

  reset(): void {
    this.#over.abort();
    this.#ws.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The bytes of a message. */
export function bytesOf(message: string | Uint8Array): Uint8Array {
  return typeof message === "string" ? Buffer.from(message) : message;
}
