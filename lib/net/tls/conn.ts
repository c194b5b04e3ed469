/**
 * Connections over TLS: the {@linkcode Conn} contract over a socket of `node:tls` that has shaken hands.
 * One that goes over another connection is how Deno's transport speaks TLS, and Node's where it has to
 * tell how a stream ended.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type tls from "node:tls";
import type { Addr } from "../../base/addr.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { SocketOp } from "../../base/error_codes.ts";
import type { SocketError } from "../../base/errors.ts";
import { translateTls } from "../../base/tls_errors.ts";
import { StreamConn } from "../duplex_to_conn.ts";
import type { CertificateStore } from "./certificate_store.ts";
import {
  askedFor,
  clientSocket,
  peerNamed,
  refusal,
  serverSocket,
  shakeHands,
} from "./handshake.ts";
import type { Certificate, TlsClientOptions, TlsInfo, TlsServerOptions } from "./options.ts";
import { CLOSE_TIMEOUT, StreamBelow } from "./stream_below.ts";
import type { Conn, TlsConn } from "../transport.ts";

/** A `tls.TLSSocket`, as far as it matters. */
export interface TlsSocket extends Duplex {
  readonly alpnProtocol: string | false | null;
  getProtocol(): string | null;
  getPeerX509Certificate(): Certificate | undefined;
}

/**
 * A connection over a stream of `node:tls` that has shaken hands. The subclasses know the layer below
 * that stream, and the number of encrypted bytes that it has written.
 */
export abstract class TlsStreamConn<A extends Addr = Addr> extends StreamConn<A>
  implements TlsConn<A> {
  readonly tls: TlsInfo;
  abstract readonly truncated: boolean | undefined;
  declare protected readonly socket: TlsSocket;

  readonly #clock: Clock;
  /** The number of encrypted bytes that were sent before the current piece. */
  #movedBefore = 0;

  constructor(
    socket: TlsSocket,
    localAddr: A,
    remoteAddr: A,
    servername: string | undefined,
    clock: Clock = systemClock,
  ) {
    super(socket, localAddr, remoteAddr);
    this.#clock = clock;
    this.tls = {
      protocol: socket.getProtocol() ?? undefined,
      alpnProtocol: socket.alpnProtocol || undefined,
      servername,
      peerCertificate: socket.getPeerX509Certificate(),
    };
  }

  /** The number of encrypted bytes that were sent so far. */
  protected abstract moved(): number;

  /** Hands over some bytes, and waits until they have left, encrypted. */
  protected abstract send(p: Uint8Array): Promise<void>;

  /** Resolves when all that was encrypted has left, or cannot any more; `undefined` if that is so now. */
  protected abstract flushed(): Promise<void> | undefined;

  /** Frees the socket, and gives up what has not left. */
  protected free(): void {
    this.socket.destroy();
  }

  /** Encrypted bytes are never all out at once, and Deno's TLS takes no empty write. */
  protected override async startWrite(p: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < p.length; at += this.pieceSize) {
        const piece = p.subarray(at, at + this.pieceSize);
        this.#movedBefore = this.moved();
        this.piece = piece.length;
        await this.send(piece);
        if (this.closed && this.socket.destroyed) throw this.closedError("write");
        this.piece = 0;
        this.written += piece.length;
      }
    } finally {
      this.piece = 0;
      this.writing = false;
    }
    // Bun calls back before the event loop has had a turn.
    await this.doneAtOnce();
  }

  // Encrypted bytes are a little more, and stand for as many of ours.
  protected override partWritten(): number {
    return Math.max(0, Math.min(this.moved() - this.#movedBefore, this.piece));
  }

  protected override destroy(rst: boolean): void {
    // Node does not survive a reset of the socket below while TLS is in the middle of a write.
    if (rst && this.writing) setImmediate(() => super.destroy(true));
    else super.destroy(rst);
  }

  protected override translate(error: unknown, op: SocketOp): SocketError {
    return translateTls(error, op, this.remoteAddr);
  }

  /**
   * Waits until close_notify has left: without it the peer must think that something is missing. But
   * not for ever: a peer that takes nothing more must not keep the socket.
   */
  protected override destroyStream(): void {
    const { socket } = this;
    const finished = socket.writableFinished && this.flushed() === undefined;
    if (this.writing || finished) return this.free();
    // The code that destroyed it waits for that.
    if (socket.destroyed) return;
    const cancel = this.#clock.setTimer(CLOSE_TIMEOUT, () => this.free());
    socket.once("close", cancel);
    socket.end(async () => {
      await this.flushed();
      socket.destroy();
    });
  }
}

/** Whether a stream was cut off; undefined as long as it has not ended. */
type Ending = () => boolean | undefined;

/** A connection over TLS on `stream`, which reads from `conn` and writes to it. */
class TlsOverConn<A extends Addr> extends TlsStreamConn<A> {
  readonly #conn: Conn<A>;
  readonly #stream: StreamBelow;
  readonly #ending: Ending;

  constructor(
    conn: Conn<A>,
    stream: StreamBelow,
    socket: tls.TLSSocket,
    servername: string | undefined,
    ending: Ending,
  ) {
    super(socket, conn.localAddr, conn.remoteAddr, servername);
    this.#conn = conn;
    this.#stream = stream;
    this.#ending = ending;
    // Deno's TLS takes bytes also when nobody reads.
    stream.full = () => socket.isPaused() || socket.readableLength > 0;
  }

  get truncated(): boolean | undefined {
    return this.#ending();
  }

  protected override startRead(p: Uint8Array): Promise<number | null> {
    const reading = super.startRead(p);
    this.#stream.goOn();
    return reading;
  }

  protected moved(): number {
    return this.#conn.bytesWritten;
  }

  protected async send(p: Uint8Array): Promise<void> {
    await this.hand(p);
    // Whenever something comes, Deno's TLS takes what it is sending for sent.
    const leaving = this.flushed();
    if (leaving !== undefined) await this.orFreed(leaving);
    if (this.closed && this.socket.destroyed) return;
    // And it does not pass on that the stream under it has failed.
    const broken = this.#stream.errored;
    if (broken) throw this.lost ??= this.translate(broken, "write");
  }

  protected flushed(): Promise<void> | undefined {
    return this.#stream.flushed();
  }

  protected override free(): void {
    super.free();
    this.#stream.free();
  }

  // close() would wait until the kernel has taken what was written.
  protected override sendReset(): void {
    this.#conn.reset();
    this.#stream.free();
  }

  protected override async shutdown(): Promise<void> {
    await super.shutdown();
    await this.flushed();
  }
}

/** Takes the secrets of a connection, each a line of the NSS key log format. Deno has none. */
export type SecretSink = (line: string) => void;

/**
 * Shakes hands as the client over `conn`, which is closed if that fails. See `Transport.startTls`.
 * `onSecret` takes what decrypts the connection.
 */
export async function startTlsOver<A extends Addr>(
  conn: Conn<A>,
  options: TlsClientOptions,
  onSecret?: SecretSink,
): Promise<TlsConn<A>> {
  const { remoteAddr } = conn;
  const stream = new StreamBelow(conn);
  const peer = peerNamed(options, remoteAddr);
  try {
    const socket = clientSocket(stream, peer, remoteAddr, options);
    if (onSecret !== undefined) reportSecrets(socket, onSecret);
    const ending = endingOf(stream, socket);
    await shakeHands(socket, stream, "startTls", remoteAddr, options);
    return new TlsOverConn(conn, stream, socket, peer.asksFor, ending);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/**
 * Shakes hands as the server over `conn`, which is closed if that fails. `onSecret` takes what decrypts
 * the connection.
 */
export async function acceptTlsOver<A extends Addr>(
  conn: Conn<A>,
  store: CertificateStore,
  options: TlsServerOptions,
  signal: AbortSignal,
  onSecret?: SecretSink,
): Promise<TlsConn<A>> {
  const { remoteAddr } = conn;
  const { handshakeTimeout } = options;
  const stream = new StreamBelow(conn);
  try {
    const socket = serverSocket(stream, store, options);
    if (onSecret !== undefined) reportSecrets(socket, onSecret);
    const ending = endingOf(stream, socket);
    await shakeHands(socket, stream, "acceptTls", remoteAddr, { handshakeTimeout, signal });
    const refused = refusal(socket, store, remoteAddr);
    if (refused !== undefined) throw refused;
    return new TlsOverConn(conn, stream, socket, askedFor(socket), ending);
  } catch (error) {
    // The alert with the reason must be sent.
    stream.end(() => stream.destroy());
    throw error;
  }
}

function reportSecrets(socket: tls.TLSSocket, onSecret: SecretSink): void {
  socket.on("keylog", (line: Uint8Array) => onSecret(new TextDecoder().decode(line).trimEnd()));
}

/**
 * Tells whether the stream below has ended before TLS did, which then was not ended by close_notify.
 * Undefined as long as neither has.
 */
function endingOf(stream: Duplex, socket: tls.TLSSocket): Ending {
  let truncated: boolean | undefined;
  // Before TLS hears of it, and when it has decrypted all that came before.
  stream.prependListener("end", () => truncated ??= !hasEnded(socket));
  socket.prependListener("end", () => truncated ??= false);
  return () => truncated;
}

/** Whether nothing more comes of a stream but what it holds. */
function hasEnded(stream: Duplex): boolean {
  return (stream as unknown as { _readableState: { ended: boolean } })._readableState.ended;
}
