/**
 * A WebSocket on a connection: messages are sent, control frames are answered, and closing is
 * negotiated (RFC 6455 sections 5 to 7).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Addr } from "../../base/addr.ts";
import { BYTES, checkArgument } from "../../base/arguments.ts";
import { type Deferred, deferred } from "../../base/wait.ts";
import { SocketError } from "../../base/errors.ts";
import type { Conn } from "../../net/transport.ts";
import type { WsMessage } from "./assembler.ts";
import { checkClose, CLOSE, closePayload, type CloseReason, parseClose } from "./close_code.ts";
import { Deflate, type DeflateParameters } from "./deflate.ts";
import { WsError } from "./error.ts";
import { type FrameFlags, MAX_CONTROL, OPCODE, type WsRole } from "./frame.ts";
import { Incoming, type WsIncoming } from "./incoming_message.ts";
import type { WsSettings } from "./options.ts";
import { type Pinged, pingWatch } from "./pings.ts";
import { MESSAGE, PreparedMessage } from "./prepared_message.ts";
import { Receiver, type ReceiverEvents } from "./receiver.ts";
import { FrameSender } from "./sender.ts";
import type { WsClose, WsConn } from "./conn_types.ts";

/** The result of the handshake. */
export interface Agreement {
  readonly role: WsRole;
  readonly protocol: string;
  /** As in the response. */
  readonly extensions: string;
  readonly deflate: DeflateParameters | undefined;
}

/** The most Pings of the user that may wait for their Pongs. */
const MAX_PINGS = 64;

const WHOLE: FrameFlags = { fin: true, compressed: false };
const COMPRESSED: FrameFlags = { fin: true, compressed: true };
const MORE: FrameFlags = { fin: false, compressed: false };

/** A Ping, and who waits for its Pong. */
interface Ping {
  readonly data: Buffer;
  readonly done: Deferred<void>;
}

/** See the module. */
export class WebSocketConn implements WsConn, Pinged, ReceiverEvents {
  readonly protocol: string;
  readonly extensions: string;
  readonly localAddr: Addr;
  readonly remoteAddr: Addr;
  readonly #conn: Conn;
  readonly #role: WsRole;
  readonly #settings: WsSettings;
  readonly #deflate: Deflate | undefined;
  readonly #sender: FrameSender;
  readonly #receiver: Receiver;
  /** Made when somebody waits for it: most do at the end. */
  #onClosed: Deferred<WsClose> | undefined;
  /** A Pong is on its way; of the Pings that came meanwhile the last one is answered. */
  #ponging = false;
  #nextPong: Buffer | undefined;
  readonly #pings: Ping[] = [];
  #pingCount = 0;
  /** The error with which Pings without a Pong were rejected. */
  #unanswered: WsError | undefined;
  /** The Close frames, and which came first. */
  #sentClose: CloseReason | undefined;
  #peerClose: CloseReason | undefined;
  /** Resolves when the kernel has taken the Close frame, and all before it. */
  #closeSent: Promise<void> | undefined;
  #closedBy: WsClose["by"] = "peer";
  #failed = false;
  #cancelClosing: (() => void) | undefined;
  #over = false;
  /** How it was closed. */
  #end: WsClose | undefined;
  /** A message is being sent piece by piece: resolves when others may follow, or none ever will. */
  #streaming: Deferred<void> | undefined;
  /** Notifies the writer, which waits for the next piece, that no more can be written. */
  #onEnding: (() => void) | undefined;

  constructor(
    conn: Conn,
    { role, protocol, extensions, deflate }: Agreement,
    settings: WsSettings,
  ) {
    this.protocol = protocol;
    this.extensions = extensions;
    this.localAddr = conn.localAddr;
    this.remoteAddr = conn.remoteAddr;
    this.#conn = conn;
    this.#role = role;
    this.#settings = settings;
    this.#deflate = deflate && new Deflate(deflate);
    this.#sender = new FrameSender(conn, role);
    this.#receiver = new Receiver(conn, role, settings, this.#deflate, this);
    if (settings.pingInterval > 0) pingWatch(settings.clock, settings.pingInterval).add(this);
    this.#receiver.pump();
  }

  get closed(): Promise<WsClose> {
    if (this.#onClosed === undefined) {
      this.#onClosed = deferred();
      if (this.#end !== undefined) this.#onClosed.resolve(this.#end);
    }
    return this.#onClosed.promise;
  }

  /** Whether nothing more can be written. */
  #isEnding(): boolean {
    return this.#sentClose !== undefined || this.#over;
  }

  read(): Promise<WsMessage | null> {
    return this.#receiver.read(false) as Promise<WsMessage | null>;
  }

  async readStream(): Promise<WsIncoming | null> {
    const message = await this.#receiver.read(true);
    if (message === null || message instanceof Incoming) return message;
    const type = typeof message === "string" ? "text" : "binary";
    const bytes = typeof message === "string" ? Buffer.from(message) : message;
    const incoming = new Incoming(type, bytes.length === 0 ? [] : [bytes], () => {});
    incoming.end();
    return incoming;
  }

  write(message: WsMessage | PreparedMessage): Promise<void> {
    if (this.#isEnding()) return Promise.reject(this.#closing());
    if (this.#streaming !== undefined) return this.#writeLater(message);
    if (message instanceof PreparedMessage) {
      if (this.#role === "server" && this.#deflate === undefined) {
        return this.#sender.sendBytes(message.frame);
      }
      return this.write(message.message);
    }
    const isText = typeof message === "string";
    if (!isText) checkArgument("write", message, MESSAGE);
    const opcode = isText ? OPCODE.text : OPCODE.binary;
    if (this.#deflate === undefined) return this.#sender.send(opcode, WHOLE, message);
    const bytes = isText ? Buffer.from(message) : message;
    const compressed = this.#deflate.compress(bytes);
    return compressed === undefined
      ? this.#sender.send(opcode, WHOLE, bytes)
      : this.#sender.send(opcode, COMPRESSED, compressed);
  }

  async #writeLater(message: WsMessage | PreparedMessage): Promise<void> {
    for (let before; (before = this.#before()) !== undefined;) await before;
    await this.write(message);
  }

  /** The end of a message that is sent piece by piece, which other messages wait for. */
  #before(): Promise<void> | undefined {
    return this.#isEnding() ? undefined : this.#streaming?.promise;
  }

  async writeStream(type: "text" | "binary", source: AsyncIterable<Uint8Array>): Promise<void> {
    for (let before; (before = this.#before()) !== undefined;) await before;
    if (this.#isEnding()) throw this.#closing();
    const streaming = this.#streaming = deferred();
    try {
      await this.#stream(type, source);
    } catch (error) {
      // Half a message cannot be taken back.
      if (!this.#isEnding()) void this.close(CLOSE.internal);
      throw error;
    } finally {
      this.#streaming = this.#onEnding = undefined;
      streaming.resolve();
    }
  }

  async #stream(type: "text" | "binary", source: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces = eachOf(source);
    let opcode: number = type === "text" ? OPCODE.text : OPCODE.binary;
    try {
      for (let piece; !(piece = await this.#next(pieces)).done;) {
        checkArgument("writeStream", piece.value, MESSAGE);
        await this.#sender.send(opcode, MORE, piece.value);
        opcode = OPCODE.continuation;
      }
    } catch (error) {
      // Not waited for: the source may itself wait for what never comes.
      pieces.return().catch(() => {});
      throw error;
    }
    await this.#sender.send(opcode, WHOLE, new Uint8Array(0));
  }

  /** The next piece of a source. Rejects as soon as no more can be written. */
  async #next(pieces: AsyncGenerator<Uint8Array, void>): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#isEnding()) throw this.#closing();
    const piece = await new Promise<IteratorResult<Uint8Array, void>>((resolve, reject) => {
      this.#onEnding = () => reject(this.#closing());
      pieces.next().then(resolve, reject);
    });
    if (this.#isEnding()) throw this.#closing();
    return piece;
  }

  #closing(): SocketError {
    const why = "the WebSocket is closed, or closing";
    return new SocketError("EPIPE", "write", { addr: this.remoteAddr, why });
  }

  async ping(data?: Uint8Array): Promise<void> {
    if (data !== undefined) checkArgument("ping", data, BYTES);
    const payload = Buffer.from(data ?? `${++this.#pingCount}`);
    if (payload.length > MAX_CONTROL) {
      throw new RangeError("The data of a Ping has at most 125 bytes");
    }
    if (this.#isEnding()) throw this.#closing();
    if (this.#pings.length === MAX_PINGS) {
      const why = `${MAX_PINGS} Pings wait for their Pongs`;
      throw new SocketError("EBUSY", "write", { addr: this.remoteAddr, why });
    }
    const done = deferred<void>();
    this.#pings.push({ data: payload, done });
    this.#sender.send(OPCODE.ping, WHOLE, payload).catch(done.reject);
    await done.promise;
  }

  async close(code: number = CLOSE.normal, reason: string = ""): Promise<void> {
    checkClose(code, reason);
    if (!this.#isEnding()) {
      this.#closedBy = "self";
      this.#receiver.endReading();
      void this.#sendClose({ code, reason });
      this.#receiver.dropMessages();
    }
    await this.closed;
  }

  abort(): void {
    this.#closedBy = "self";
    this.#conn.reset();
    this.#finish();
  }

  onControl(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.ping) this.#pong(Buffer.from(payload));
    else if (opcode === OPCODE.pong) this.#onPong(payload);
    else this.#onClose(parseClose(payload));
  }

  #pong(data: Buffer): void {
    if (this.#isEnding()) return;
    if (this.#ponging) return void (this.#nextPong = data);
    this.#ponging = true;
    const done = () => {
      this.#ponging = false;
      const next = this.#nextPong;
      this.#nextPong = undefined;
      if (next !== undefined) this.#pong(next);
    };
    // That the connection is lost is noticed by who receives.
    this.#sender.send(OPCODE.pong, WHOLE, data).then(done, () => {});
  }

  /** A Pong answers the Ping with its data, and those before it (RFC 6455 section 5.5.3). */
  #onPong(payload: Buffer): void {
    const index = this.#pings.findIndex(({ data }) => data.equals(payload));
    for (const { done } of this.#pings.splice(0, index + 1)) done.resolve();
  }

  #onClose(close: CloseReason): void {
    this.#peerClose = close;
    this.#receiver.endReading();
    const sent = this.#sendClose({ code: close.code, reason: "" });
    // The server closes first (RFC 6455 section 7.1.1).
    if (this.#role === "server") void sent.then(() => this.#finish());
    this.#receiver.dropAll();
  }

  /** The peer broke the protocol: it gets a Close frame, and its further bytes are thrown away. */
  onFailure(error: WsError): void {
    this.#failed = true;
    this.#receiver.endReading(error);
    const [, why = ""] = /: ([^]*) \(\d+\)\.$/.exec(error.message) ?? [];
    const sent = this.#sendClose({ code: error.closeCode, reason: why });
    // Closing with bytes unread would reset the connection, and the Close frame with it.
    void sent.then(() => this.#conn.closeWrite()).catch(() => this.#finish());
  }

  onEnd(): void {
    const early = this.#peerClose === undefined && !this.#failed;
    this.#receiver.endReading(
      early ? new WsError(CLOSE.lost, "the connection ended without a Close frame") : undefined,
    );
    // A peer that sends no more may still read: what was written before the Close frame, and that.
    if (this.#closeSent === undefined) this.#finish();
    else void this.#closeSent.then(() => this.#finish());
  }

  onLost(error: unknown): void {
    this.#receiver.endReading(error);
    this.#finish();
  }

  /**
   * Sends the Close frame, unless it was sent before. Pieces of a message that is sent piece by piece
   * do not follow. Whatever the peer does, the connection ends after a while.
   */
  #sendClose(close: CloseReason): Promise<void> {
    if (this.#closeSent !== undefined) return this.#closeSent;
    this.#sentClose = close;
    this.#onEnding?.();
    const { clock, closeTimeout } = this.#settings;
    this.#cancelClosing = clock.setTimer(closeTimeout || Infinity, () => this.#finish());
    const payload = closePayload(close.code, close.reason);
    return this.#closeSent = this.#sender.send(OPCODE.close, WHOLE, payload)
      .catch((error) => this.onLost(error));
  }

  /** Closes the connection, and says how the WebSocket was closed. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelClosing?.();
    const { clock, pingInterval } = this.#settings;
    if (pingInterval > 0) pingWatch(clock, pingInterval).delete(this);
    this.#receiver.endReading();
    this.#receiver.stop();
    this.#rejectPings();
    this.#streaming?.resolve();
    this.#onEnding?.();
    this.#conn.close();
    this.#end = this.#how();
    this.#onClosed?.resolve(this.#end);
  }

  #rejectPings(): void {
    if (this.#pings.length === 0) return;
    this.#unanswered = new WsError(CLOSE.lost, "it was closed before the Pong came");
    for (const { done } of this.#pings.splice(0)) done.reject(this.#unanswered);
  }

  /** Whether an error says what went wrong on this WebSocket, and not on another one. */
  failedWith(error: unknown): boolean {
    if (error instanceof SocketError && error.addr === this.remoteAddr) return true;
    return error instanceof WsError &&
      (error === this.#unanswered || this.#receiver.rejectsWith(error));
  }

  #how(): WsClose {
    const by = this.#closedBy;
    if (this.#failed) return { ...this.#sentClose!, clean: false, by: "self" };
    if (this.#peerClose !== undefined && this.#sentClose !== undefined) {
      return { ...this.#peerClose, clean: true, by };
    }
    return { code: CLOSE.lost, reason: "", clean: false, by };
  }

  heard(): boolean {
    return this.#receiver.heard();
  }

  sendPing(): void {
    if (!this.#isEnding()) this.#sender.send(OPCODE.ping, WHOLE, new Uint8Array(0)).catch(() => {});
  }

  lose(): void {
    const why = `nothing came within ${2 * this.#settings.pingInterval / 1000} s, and no Pong`;
    const error = new SocketError("ETIMEDOUT", "read", { addr: this.remoteAddr, why });
    this.#conn.reset(error);
    this.onLost(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WsMessage> {
    for (let message; (message = await this.read()) !== null;) yield message;
  }
}

/** The pieces of a source, one by one. */
async function* eachOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield* source;
}
