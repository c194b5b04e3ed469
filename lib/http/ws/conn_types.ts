/**
 * The WebSocket of users.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import type { WsMessage } from "./assembler.ts";
import type { WsIncoming } from "./incoming_message.ts";
import type { PreparedMessage } from "./prepared_message.ts";

/** The close of a WebSocket. */
export interface WsClose {
  /** The code (RFC 6455 section 7.4): 1005 if there was none, 1006 if there was no Close frame. */
  readonly code: number;
  /** The reason that was given; often "". */
  readonly reason: string;
  /** Whether both sides have sent a Close frame. */
  readonly clean: boolean;
  /** The side that was first to send one; `"peer"` also if the connection was lost. */
  readonly by: "self" | "peer";
}

/**
 * A WebSocket (RFC 6455). Messages are whole and stay in order. At most 64 KiB of them wait to be read;
 * more holds the peer back. Pings are answered, and peers that are gone are noticed, by itself.
 */
export interface WsConn extends AsyncIterable<WsMessage>, AsyncDisposable {
  /** The subprotocol that was agreed on; "" without one. */
  readonly protocol: string;
  /** The extensions that were agreed on, as in the response; "" without any. */
  readonly extensions: string;
  /** The address of this end. */
  readonly localAddr: Addr;
  /** The address of the other end. */
  readonly remoteAddr: Addr;
  /**
   * Resolves when the WebSocket is closed and its connection has ended. It never rejects. A peer that is
   * held back cannot say that it closes: who waits for this reads, too.
   */
  readonly closed: Promise<WsClose>;

  /**
   * The next message: a string, or bytes, which are the reader's to keep. `null` once the peer has sent a
   * Close frame and all before it is read, or after {@linkcode close}. Iterating gives the same.
   *
   * Rejects with a {@linkcode WsError} if the peer broke the protocol, sent a message that is too large,
   * or the connection ended without a Close frame; with a {@linkcode SocketError} if it was lost, and
   * with EBUSY if another read waits.
   */
  read(): Promise<WsMessage | null>;

  /**
   * Sends a message. Resolves when the kernel has taken it, so a peer that does not read holds the
   * promise back. Messages leave in the order of the calls. Bytes must stay as they are until then.
   *
   * Rejects with EPIPE after {@linkcode close} and after the peer's Close frame.
   */
  write(message: WsMessage | PreparedMessage): Promise<void>;

  /**
   * The next message, piece by piece and of any size; `null` and errors as with {@linkcode read}. The next
   * message can be read when this one has come to its end, or its iterator was returned.
   */
  readStream(): Promise<WsIncoming | null>;

  /**
   * Sends a message piece by piece, each in a frame of its own. Messages written meanwhile wait for its
   * end. If the source fails, the WebSocket is closed with 1011, since half a message cannot be taken back.
   * Rejects with EPIPE once the WebSocket closes, also while the source waits.
   */
  writeStream(type: "text" | "binary", source: AsyncIterable<Uint8Array>): Promise<void>;

  /** Sends a Ping with at most 125 bytes. Resolves when its Pong has come. */
  ping(data?: Uint8Array): Promise<void>;

  /**
   * Sends a Close frame, unless one was sent, and waits for the peer's, at most for `closeTimeout`.
   * Then the connection is closed. Messages that were not read, or still come, are dropped. Default
   * of `code`: 1000.
   *
   * Rejects with a `RangeError` for a code that no Close frame may have, and for a reason of more than 123
   * bytes.
   */
  close(code?: number, reason?: string): Promise<void>;

  /** Resets the connection at once: nothing is sent any more. */
  abort(): void;
}
