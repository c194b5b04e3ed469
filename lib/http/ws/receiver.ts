/**
 * The receiving side of a WebSocket: bytes become messages, for the reader, and control frames.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { SocketError } from "../../base/errors.ts";
import { BufferPool, ReceiveBuffer } from "../../net/buffer_pool.ts";
import type { Conn } from "../../net/transport.ts";
import { Assembler, type WsMessage } from "./assembler.ts";
import { CLOSE } from "./close_code.ts";
import type { Deflate } from "./deflate.ts";
import { WsError } from "./error.ts";
import { FrameParser, MAX_CONTROL, OPCODE, type WsRole } from "./frame.ts";
import { Incoming } from "./incoming_message.ts";
import type { WsSettings } from "./options.ts";

/** The most bytes of messages that are received ahead while nobody reads. */
const MAX_AHEAD = 64 * 1024;

/** The bytes that a waiting message counts beside its content: many empty ones take memory, too. */
const MESSAGE_COST = 64;

/** The size of the buffer of an idle WebSocket: most messages fit. */
const SMALL = 512;

const buffers = new BufferPool(64 * 1024);

/** The callbacks of a receiver. */
export interface ReceiverEvents {
  /** A control frame has come; the payload is valid during the call. */
  onControl(opcode: number, payload: Buffer): void;
  /** The peer has broken the protocol. */
  onFailure(error: WsError): void;
  /** The connection has ended in good order. */
  onEnd(): void;
  /** The connection is lost. */
  onLost(error: unknown): void;
}

/** The mode: the part of the input that still counts. */
type Mode =
  /** All of it. */
  | "all"
  /** Control frames: nobody reads messages any more. */
  | "control"
  /** Only the end. */
  | "end";

/** A reader that waits for the next message. */
interface Reader {
  readonly streams: boolean;
  readonly resolve: (message: WsMessage | Incoming | null) => void;
  readonly reject: (error: unknown) => void;
}

/** A message that waits to be read. */
interface Waiting {
  readonly message: WsMessage;
  /** Its bytes, and {@linkcode MESSAGE_COST}. */
  readonly cost: number;
}

/** Why nothing more is to be read. */
interface End {
  /** The error that reading rejects with; undefined after a Close frame. */
  readonly error: unknown;
  /** The error that a message which is not whole rejects with. */
  readonly unfinished: unknown;
}

/** See the module. */
export class Receiver {
  readonly #conn: Conn;
  readonly #settings: WsSettings;
  readonly #events: ReceiverEvents;
  readonly #parser: FrameParser;
  readonly #message: Assembler;
  readonly #buffer = new ReceiveBuffer(buffers, SMALL);
  /** The payload of a control frame that comes in pieces. */
  #control: Buffer | undefined;
  /** The bytes that were received and not taken: `#chunk` from `#from` to `#to`. */
  #chunk: Buffer = this.#buffer.bytes;
  #from = 0;
  #to = 0;
  #received = 0;
  #receiving = false;
  #heard = false;
  #mode: Mode = "all";
  #stopped = false;
  #inFrame = false;
  /** Whether the header of the frame under way was handled. */
  #begun = false;
  #inMessage = false;
  /** The messages that nobody has read yet, and what they count. */
  readonly #ready: Waiting[] = [];
  #ahead = 0;
  #reader: Reader | undefined;
  /** The message that is read piece by piece. */
  #incoming: Incoming | undefined;
  #end: End | undefined;

  constructor(
    conn: Conn,
    role: WsRole,
    settings: WsSettings,
    deflate: Deflate | undefined,
    events: ReceiverEvents,
  ) {
    this.#conn = conn;
    this.#settings = settings;
    this.#events = events;
    this.#parser = new FrameParser(role, deflate !== undefined);
    this.#message = new Assembler(settings, deflate);
  }

  /** Whether something has come since this was asked last, or nothing is waited for. */
  heard(): boolean {
    const heard = this.#heard || !this.#receiving;
    this.#heard = false;
    return heard;
  }

  /** The next message, or its pieces; `null` at the end. */
  read(streams: boolean): Promise<WsMessage | Incoming | null> {
    if (this.#reader !== undefined || this.#incoming?.dropped === false) {
      return Promise.reject(this.#busy());
    }
    if (this.#ready.length > 0) {
      const waiting = this.#ready.shift()!;
      this.#ahead -= waiting.cost;
      this.pump();
      return Promise.resolve(waiting.message);
    }
    const end = this.#end;
    if (end !== undefined) {
      return end.error === undefined ? Promise.resolve(null) : Promise.reject(end.error);
    }
    const next = new Promise<WsMessage | Incoming | null>((resolve, reject) => {
      this.#reader = { streams, resolve, reject };
    });
    // It may have begun before anybody has said how it is read.
    const begun = this.#inMessage && this.#incoming === undefined;
    if (begun && streams && !this.#message.compressed) this.#startStream();
    this.pump();
    return next;
  }

  #busy(): SocketError {
    const why = "another read, or a message that is read piece by piece, is under way";
    return new SocketError("EBUSY", "read", { addr: this.#conn.remoteAddr, why });
  }

  /** Whether reading rejects with this error. */
  rejectsWith(error: unknown): boolean {
    if (error === undefined || this.#end === undefined) return false;
    return error === this.#end.error || error === this.#end.unfinished;
  }

  /** Ends reading, after the messages that wait: with `null`, or an error if there is one. */
  endReading(error?: unknown): void {
    if (this.#end !== undefined) return;
    const incoming = this.#incoming;
    const unfinished = incoming && error === undefined
      ? new WsError(CLOSE.lost, "it was closed before the message was whole")
      : error;
    this.#end = { error, unfinished };
    const reader = this.#reader;
    this.#reader = undefined;
    if (error === undefined) reader?.resolve(null);
    else reader?.reject(error);
    incoming?.end(unfinished);
    this.#incoming = undefined;
  }

  /** Throws messages away from now on, also those that wait. */
  dropMessages(): void {
    if (this.#mode === "all") this.#mode = "control";
    this.#ready.length = this.#ahead = 0;
    this.pump();
  }

  /** Throws everything away but the end of the connection. */
  dropAll(): void {
    this.#mode = "end";
    this.#from = this.#to;
    this.pump();
  }

  /** Receives nothing more. */
  stop(): void {
    this.#stopped = true;
    if (!this.#receiving) this.#buffer.release();
  }

  /** Takes apart what has come until enough waits to be read, and receives more. */
  pump(): void {
    try {
      while (!this.#receiving && !this.#stopped && !this.#isBlocked()) {
        if (this.#from < this.#to || this.#isFrameWhole()) this.#step();
        else this.#receive();
      }
    } catch (error) {
      if (!(error instanceof WsError)) throw error;
      this.dropAll();
      this.#events.onFailure(error);
    }
  }

  /** Whether nothing more is to be taken apart before something is read. */
  #isBlocked(): boolean {
    if (this.#mode !== "all") return false;
    // Control frames after messages that nobody has read yet are still answered.
    if (this.#ahead >= MAX_AHEAD) return this.#inFrame && !this.#begun;
    if (this.#incoming !== undefined) return this.#incoming.full;
    return this.#inMessage && this.#reader === undefined && this.#isAheadFull();
  }

  /** Whether as much is gathered as may be while nobody reads. */
  #isAheadFull(): boolean {
    const { size } = this.#message;
    return this.#ahead + size > MAX_AHEAD || size + this.#parser.left > this.#settings.maxSize;
  }

  /** Whether a frame waits of which all has been received: its payload is empty. */
  #isFrameWhole(): boolean {
    return this.#inFrame && this.#parser.left === 0;
  }

  #receive(): void {
    this.#receiving = true;
    this.#buffer.adapt(this.#received);
    this.#conn.read(this.#buffer.bytes).then(this.#onReceived, this.#onLost);
  }

  readonly #onReceived = (n: number | null): void => {
    this.#receiving = false;
    if (this.#stopped) return this.#buffer.release();
    if (n === null) return this.#events.onEnd();
    this.#heard = true;
    this.#chunk = this.#buffer.bytes;
    this.#from = this.#mode === "end" ? n : 0;
    this.#to = this.#received = n;
    this.pump();
  };

  readonly #onLost = (error: unknown): void => {
    this.#receiving = false;
    if (this.#stopped) return this.#buffer.release();
    this.#events.onLost(error);
  };

  /** Takes the next part of a frame. */
  #step(): void {
    const parser = this.#parser;
    const chunk = this.#chunk;
    if (!this.#inFrame) {
      const at = parser.header(chunk, this.#from, this.#to);
      this.#from = at === -1 ? this.#to : at;
      if (at === -1) return;
      this.#inFrame = true;
      this.#begun = parser.isControl;
    }
    if (!this.#begun) {
      if (this.#isBlocked()) return;
      this.#beginFrame();
      this.#begun = true;
      if (this.#isBlocked()) return;
    }
    const start = this.#from;
    const before = parser.length - parser.left;
    this.#from = parser.payload(chunk, start, this.#to);
    const end = this.#from;
    if (parser.left === 0) this.#inFrame = false;
    if (!parser.isControl) return this.#data(start, end, before);
    if (before === 0 && parser.left === 0) {
      return this.#events.onControl(parser.opcode, chunk.subarray(start, end));
    }
    this.#control ??= Buffer.alloc(MAX_CONTROL);
    chunk.copy(this.#control, before, start, end);
    if (parser.left > 0) return;
    this.#events.onControl(parser.opcode, this.#control.subarray(0, parser.length));
    this.#control = undefined;
  }

  #beginFrame(): void {
    const { opcode, compressed } = this.#parser;
    const message = this.#message;
    if (opcode !== OPCODE.continuation) {
      message.begin(opcode, compressed);
      this.#inMessage = true;
      if (this.#reader?.streams === true && !compressed) this.#startStream();
    }
    // A message that is read piece by piece is not gathered, so it has no bound.
    if (this.#mode === "all" && this.#incoming === undefined) message.frame();
  }

  #startStream(): void {
    const message = this.#message;
    this.#incoming = new Incoming(message.type, message.takePieces(), () => this.pump());
    this.#answer(this.#incoming);
  }

  #answer(message: WsMessage | Incoming): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    reader.resolve(message);
  }

  /** Payload of a message is there from `from` to `to`, after `before` bytes of its frame. */
  #data(from: number, to: number, before: number): void {
    const { fin, left } = this.#parser;
    const last = fin && left === 0;
    if (last) this.#inMessage = false;
    if (this.#mode !== "all") return;
    const chunk = this.#chunk;
    if (this.#incoming !== undefined) {
      return this.#piece(this.#incoming, chunk.subarray(from, to), last);
    }
    const message = this.#message;
    message.checkSize(message.size + to - from + left);
    const single = last && before === 0 && message.size === 0;
    if (!single) message.add(chunk.subarray(from, to), left);
    if (!last) return;
    const whole = single ? message.single(chunk, from, to) : message.finish();
    if (this.#reader !== undefined) this.#answer(whole);
    else this.#wait(whole);
  }

  #wait(message: WsMessage): void {
    const cost = message.length + MESSAGE_COST;
    this.#ready.push({ message, cost });
    this.#ahead += cost;
  }

  #piece(incoming: Incoming, bytes: Buffer, last: boolean): void {
    this.#message.check(bytes);
    incoming.push(new Uint8Array(bytes));
    if (!last) return;
    this.#message.checkEnd();
    this.#incoming = undefined;
    incoming.end();
  }
}
