/**
 * A WebSocket as a stream of bytes, so that what carries bytes carries them over it, too.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Addr } from "../../../base/addr.ts";
import type { WsConn } from "../../../http/ws/mod.ts";
import type { Conn } from "../../../net/transport.ts";

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

/**
 * See the module. A WebSocket has no half-close: {@linkcode ByteConn.closeWrite} closes it with 1000, and
 * what the peer still sends then is thrown away.
 */
export class ByteConn implements Conn {
  bytesRead = 0;
  bytesWritten = 0;
  readonly #ws: WsConn;
  readonly #form: MessageForm;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(ws: WsConn, form: MessageForm = BINARY) {
    this.#ws = ws;
    this.#form = form;
    this.#pieces = form.receive(ws);
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
      if (done) return null;
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

  closeWrite(): Promise<void> {
    return this.#ws.close();
  }

  close(): void {
    void this.#ws.close();
  }

  reset(): void {
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
