/**
 * How a client of a chat speaks and hears: in lines or in messages.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Addr } from "../../base/addr.ts";
import type { Clock } from "../../base/clock.ts";
import { deferred, within } from "../../base/wait.ts";
import type { Framing } from "../../frames/framing.ts";
import type { Conn } from "../../net/transport.ts";
import { LineSplitter } from "./lines.ts";
import { TelnetCommands } from "./telnet.ts";
import { decodeText } from "./clean_text.ts";
import type { Word } from "./room_messages.ts";

/**
 * The most bytes that are received at once. Short lines grow by the names before them: so that one
 * client cannot fill the queues of the others in a turn of the event loop, it is small.
 */
const RECV_SIZE = 1024;

/** The time that a client of lines gets to end its side when ours has ended, in milliseconds. */
const LEAVE_MS = 1000;

/** Something that is sent to a client: bytes of a stream, or a message. */
export type Form = Uint8Array | string;

/** The receiver of a client's lines. */
export interface Listener {
  /** A line, without its end. */
  onLine(text: string): void;
  /** A line was over the limit; it is skipped. */
  onTooLong(): void;
  /** The client is to get this, whatever it says. */
  onAnswer(answer: Form): void;
  /** Resolves when the others had their turn: one who has much to say lets all others speak, and all read. */
  turn(): Promise<void> | undefined;
}

/** See the module. */
export interface Voice {
  readonly addr: Addr;
  /** Whether the client is to hear its own words, too. A terminal shows what is typed there. */
  readonly hearsItself: boolean;
  /** The form in which the client hears a word. */
  formOf(word: Word): Form;
  /** Hands over what the client says, until it ends or is closed. Rejects if the connection is lost. */
  listen(listener: Listener): Promise<void>;
  /** Resolves when the kernel has taken it. */
  send(batch: readonly Form[]): Promise<void>;
  /** Ends the connection in order; `goingAway` if the server stops. */
  close(goingAway: boolean): void | Promise<void>;
  /** Ends the connection since sending has failed. */
  fail(error: Error): void;
  /** Resets the connection; {@linkcode listen} rejects with `error`. */
  reset(error: Error): void;
}

/** A client of lines, such as nc or telnet. */
export class LineVoice implements Voice {
  readonly hearsItself = false;
  readonly #conn: Conn;
  readonly #framing: Framing;
  readonly #clock: Clock;
  readonly #closing = deferred<void>();
  /** Settles when nothing more comes from the client. */
  #ended: Promise<void> = Promise.resolve();

  constructor(conn: Conn, framing: Framing, clock: Clock) {
    this.#conn = conn;
    this.#framing = framing;
    this.#clock = clock;
  }

  get addr(): Addr {
    return this.#conn.remoteAddr;
  }

  formOf(word: Word): Uint8Array {
    return word.line;
  }

  listen(listener: Listener): Promise<void> {
    this.#ended = this.#receive(listener);
    return Promise.race([this.#ended, this.#closing.promise]);
  }

  async #receive(listener: Listener): Promise<void> {
    const buffer = new Uint8Array(RECV_SIZE);
    const splitter = new LineSplitter(this.#framing, {
      onLine: (line) => listener.onLine(decodeText(line)),
      onTooLong: () => listener.onTooLong(),
    });
    const telnet = new TelnetCommands((answer) => listener.onAnswer(answer));
    for (let n; (n = await this.#conn.read(buffer)) !== null;) {
      splitter.push(telnet.textOf(buffer.subarray(0, n)));
      await listener.turn();
    }
    splitter.end();
  }

  send(batch: readonly Form[]): Promise<void> {
    return this.#conn.write(Buffer.concat(batch as readonly Uint8Array[]));
  }

  /**
   * Half-closes, and receives what the client still sends: closing with bytes unread would reset the
   * connection, and with it the last words on their way.
   */
  async close(): Promise<void> {
    this.#closing.resolve();
    try {
      await this.#conn.closeWrite();
      await within(this.#ended, LEAVE_MS, this.#clock);
    } catch {
      // The connection is lost.
    }
    this.#conn.close();
  }

  fail(error: Error): void {
    this.#conn.close(error);
  }

  reset(error: Error): void {
    this.#conn.reset(error);
  }
}

/** The part of a connection of messages that a chat uses: a WebSocket has all of it. */
export interface MessageConn {
  /** The address of the other end. */
  readonly remoteAddr: Addr;
  /** The next message; `null` at the end. */
  read(): Promise<string | Uint8Array | null>;
  /** Sends a text. Resolves when the kernel has taken it. */
  write(text: string): Promise<void>;
  /** Ends it in order, with a code and a reason of RFC 6455. */
  close(code?: number, reason?: string): Promise<void>;
  /** Resets it. */
  abort(): void;
}

/** A client of messages, such as a page in a browser. */
export class MessageVoice implements Voice {
  readonly hearsItself = true;
  readonly #conn: MessageConn;
  readonly #maxSize: number;
  #failure: Error | undefined;

  constructor(conn: MessageConn, maxSize: number) {
    this.#conn = conn;
    this.#maxSize = maxSize;
  }

  get addr(): Addr {
    return this.#conn.remoteAddr;
  }

  formOf(word: Word): string {
    return word.json;
  }

  async listen(listener: Listener): Promise<void> {
    try {
      for (let message; (message = await this.#conn.read()) !== null;) {
        if (typeof message !== "string") return await this.#conn.close(1003, "text only");
        if (Buffer.byteLength(message) > this.#maxSize) listener.onTooLong();
        else listener.onLine(message);
        await listener.turn();
      }
    } catch (error) {
      throw this.#failure ?? error;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async send(batch: readonly Form[]): Promise<void> {
    await Promise.all((batch as readonly string[]).map((text) => this.#conn.write(text)));
  }

  close(goingAway: boolean): Promise<void> {
    return goingAway ? this.#conn.close(1001, "the server is stopping") : this.#conn.close(1000);
  }

  fail(error: Error): void {
    this.reset(error);
  }

  reset(error: Error): void {
    this.#failure ??= error;
    this.#conn.abort();
  }
}
