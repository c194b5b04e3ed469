/**
 * A WebSocket as browsers have it: with events, for code that knows only those.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { isAnyArrayBuffer } from "node:util/types";
import type { WsMessage } from "./assembler.ts";
import { CLOSE, isUserCode, MAX_REASON } from "./close_code.ts";
import type { WsConn } from "./conn_types.ts";

/** The data of a message in an event: bytes are an `ArrayBuffer` or a `Blob`, by `binaryType`. */
export type EventData = string | ArrayBuffer | Blob;

/** A message has come. */
export interface WsMessageEvent extends Event {
  /** The message. */
  readonly data: EventData;
}

/** A WebSocket has failed. */
export interface WsErrorEvent extends Event {
  /** Why. */
  readonly error: unknown;
  /** The error's message. */
  readonly message: string;
}

/** A WebSocket is closed. */
export interface WsCloseEvent extends Event {
  /** See {@linkcode WsClose.code}. */
  readonly code: number;
  /** The reason that was given; often "". */
  readonly reason: string;
  /** Whether both sides have sent a Close frame. */
  readonly wasClean: boolean;
}

/** The result of {@linkcode asWebSocket}: the interface of the browsers' `WebSocket`. */
export interface EventWebSocket extends EventTarget {
  /** 0: the `readyState` while it connects. */
  readonly CONNECTING: number;
  /** 1: while it is open. */
  readonly OPEN: number;
  /** 2: while it closes. */
  readonly CLOSING: number;
  /** 3: when it is closed. */
  readonly CLOSED: number;
  /** The URL that was given; "" without one. */
  readonly url: string;
  /** The subprotocol that was agreed on; "" without one. */
  readonly protocol: string;
  /** The extensions that were agreed on. */
  readonly extensions: string;
  /** 0 while it connects, 1 while it is open, 2 while it closes, and 3 then. */
  readonly readyState: number;
  /** How many bytes were sent that the kernel has not taken. */
  readonly bufferedAmount: number;
  /** The type of the data of binary messages. Default: "blob", as in browsers. */
  binaryType: "arraybuffer" | "blob";
  /** A listener for "open". */
  onopen: ((event: Event) => void) | null;
  /** A listener for "message". */
  onmessage: ((event: WsMessageEvent) => void) | null;
  /** A listener for "error". */
  onerror: ((event: WsErrorEvent) => void) | null;
  /** A listener for "close". */
  onclose: ((event: WsCloseEvent) => void) | null;
  /** Sends a message. There is no back-pressure but `bufferedAmount`. */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void;
  /** Closes, with 1000 or a code from 3000 to 4999, and a reason of at most 123 bytes. */
  close(code?: number, reason?: string): void;
}

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** A job of a queue. The next job waits for its promise. */
type Job = () => Promise<void> | undefined;

type Listener = ((event: never) => void) | null;

class Facade extends EventTarget implements EventWebSocket {
  readonly CONNECTING: number = CONNECTING;
  readonly OPEN: number = OPEN;
  readonly CLOSING: number = CLOSING;
  readonly CLOSED: number = CLOSED;
  readonly url: string;
  readyState: number = CONNECTING;
  bufferedAmount = 0;
  #binaryType: EventWebSocket["binaryType"] = "blob";
  onopen: EventWebSocket["onopen"] = null;
  onmessage: EventWebSocket["onmessage"] = null;
  onerror: EventWebSocket["onerror"] = null;
  onclose: EventWebSocket["onclose"] = null;
  #ws: WsConn | undefined;
  /** The jobs that wait for a blob to be read. Undefined while no blob is read. */
  #waiting: Job[] | undefined;

  constructor(opening: WsConn | Promise<WsConn>, url: string) {
    super();
    this.url = url;
    for (const type of ["open", "message", "error", "close"] as const) {
      this.addEventListener(type, (event) => {
        (this[`on${type}`] as Listener)?.call(this, event as never);
      });
    }
    void this.#run(opening);
  }

  get binaryType(): EventWebSocket["binaryType"] {
    return this.#binaryType;
  }

  /** As in browsers, any other value changes nothing. */
  set binaryType(type: EventWebSocket["binaryType"]) {
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  get protocol(): string {
    return this.#ws?.protocol ?? "";
  }

  get extensions(): string {
    return this.#ws?.extensions ?? "";
  }

  async #run(opening: WsConn | Promise<WsConn>): Promise<void> {
    try {
      // Listeners are added once this is made, also if it is open already.
      const ws = this.#ws = await opening;
      if (this.readyState !== CONNECTING) {
        ws.abort();
        throw new Error("The WebSocket was closed before it was open");
      }
      this.readyState = OPEN;
      this.dispatchEvent(new Event("open"));
      for await (const message of ws) this.#dispatchMessage(message);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#dispatch("error", { error, message });
    }
    if (this.readyState === OPEN) this.readyState = CLOSING;
    const { code, reason, clean } = await this.#ws?.closed ??
      { code: CLOSE.lost, reason: "", clean: false };
    this.readyState = CLOSED;
    this.#dispatch("close", { code, reason, wasClean: clean });
  }

  /** Dispatches an event that has these properties. */
  #dispatch(type: string, properties: Readonly<Record<string, unknown>>): void {
    this.dispatchEvent(Object.assign(new Event(type), properties));
  }

  #dispatchMessage(message: WsMessage): void {
    // After close() there are no more of them.
    if (this.readyState !== OPEN) return;
    this.dispatchEvent(new MessageEvent("message", { data: this.#dataOf(message) }));
  }

  #dataOf(message: WsMessage): EventData {
    if (typeof message === "string") return message;
    const bytes = message as Uint8Array<ArrayBuffer>;
    if (this.#binaryType === "blob") return new Blob([bytes]);
    const { buffer, byteOffset, byteLength } = bytes;
    if (byteLength === buffer.byteLength) return buffer;
    return buffer.slice(byteOffset, byteOffset + byteLength);
  }

  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    if (this.readyState === CONNECTING) {
      throw new DOMException("The WebSocket is not open yet: wait for 'open'", "InvalidStateError");
    }
    const message = messageOf(data);
    const size = sizeOf(message);
    this.bufferedAmount += size;
    if (this.readyState !== OPEN) return;
    const sent = () => void (this.bufferedAmount -= size);
    // It is lost, which "error" and "close" say.
    const lost = () => {};
    const ws = this.#ws!;
    this.#inOrder(() => {
      if (!(message instanceof Blob)) return void ws.write(message).then(sent, lost);
      return message.arrayBuffer().then(
        (buffer) => void ws.write(new Uint8Array(buffer)).then(sent, lost),
        () => void ws.close(CLOSE.internal),
      );
    });
  }

  /** Does what was asked for in that order: what a job returns is waited for by those after it. */
  #inOrder(job: Job): void {
    if (this.#waiting !== undefined) return void this.#waiting.push(job);
    const reading = job();
    if (reading === undefined) return;
    this.#waiting = [];
    void reading.then(() => {
      const jobs = this.#waiting!;
      this.#waiting = undefined;
      for (const next of jobs) this.#inOrder(next);
    });
  }

  close(code?: number, reason: string = ""): void {
    const rounded = code === undefined ? undefined : Math.round(Number(code));
    if (rounded !== undefined && !isUserCode(rounded)) {
      const why = `A WebSocket cannot be closed with the code ${code}: write 1000, or 3000 to 4999`;
      throw new DOMException(why, "InvalidAccessError");
    }
    const text = String(reason);
    if (Buffer.byteLength(text) > MAX_REASON) {
      const why = `The reason for closing has at most ${MAX_REASON} bytes`;
      throw new DOMException(why, "SyntaxError");
    }
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    this.#inOrder(() => void this.#ws?.close(rounded, text));
  }
}

/** Makes the message of `send()`. Bytes are copied: they may change once it has returned. */
function messageOf(data: unknown): string | Uint8Array | Blob {
  if (data instanceof Blob) return data;
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }
  // Anything else is text, as in browsers.
  return isAnyArrayBuffer(data) ? new Uint8Array(data.slice(0)) : String(data);
}

function sizeOf(message: string | Uint8Array | Blob): number {
  if (typeof message === "string") return Buffer.byteLength(message);
  return message instanceof Blob ? message.size : message.length;
}

/**
 * Gives a WebSocket the events of browsers' `WebSocket`, for code that knows only those. Messages are
 * read as they come, with "open" first. With a promise it connects until that resolves; `url` is what
 * its property says. Default: "".
 *
 * @example A class for libraries that ask for one
 * ```ts
 * import { asWebSocket, dialWebSocket } from "@plainsocket/plainsocket/websocket";
 *
 * class PlainWebSocket {
 *   constructor(url: string, protocols: string[] = []) {
 *     return asWebSocket(dialWebSocket(url, { protocols, deflate: true }), url);
 *   }
 * }
 * console.log(PlainWebSocket.name);
 * ```
 */
export function asWebSocket(ws: WsConn | Promise<WsConn>, url: string = ""): EventWebSocket {
  return new Facade(ws, url);
}
