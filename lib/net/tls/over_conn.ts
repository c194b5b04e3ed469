/**
 * TLS over connections, whatever they go over: so Deno's transport speaks it, and Node's where it has
 * to tell how a stream ended.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type tls from "node:tls";
import type { Addr } from "../../base/addr.ts";
import { ConnStream } from "../conn_to_duplex.ts";
import type { Conn, TlsConn } from "../transport.ts";
import { TlsStreamConn } from "./conn.ts";
import {
  askedFor,
  clientSocket,
  peerNamed,
  refusal,
  serverSocket,
  shakeHands,
} from "./handshake.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";

/** Whether a stream was cut off; undefined as long as it has not ended. */
type Ending = () => boolean | undefined;

/** A connection over TLS on `stream`, which reads from `conn` and writes to it. */
class TlsOverConn<A extends Addr> extends TlsStreamConn<A> {
  readonly #conn: Conn<A>;
  readonly #stream: ConnStream;
  readonly #ending: Ending;

  constructor(
    conn: Conn<A>,
    stream: ConnStream,
    socket: tls.TLSSocket,
    servername: string | undefined,
    ending: Ending,
  ) {
    super(socket, conn.localAddr, conn.remoteAddr, servername);
    this.#conn = conn;
    this.#stream = stream;
    this.#ending = ending;
    // Deno's TLS takes what it is given, whoever reads it.
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
  const stream = new ConnStream(conn);
  const peer = peerNamed(options, remoteAddr);
  try {
    const socket = clientSocket(stream, peer, remoteAddr, options);
    if (onSecret !== undefined) tellSecrets(socket, onSecret);
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
  context: tls.SecureContext,
  options: TlsServerOptions,
  signal: AbortSignal,
  onSecret?: SecretSink,
): Promise<TlsConn<A>> {
  const { remoteAddr } = conn;
  const { handshakeTimeout } = options;
  const stream = new ConnStream(conn);
  try {
    const socket = serverSocket(stream, context, options);
    if (onSecret !== undefined) tellSecrets(socket, onSecret);
    const ending = endingOf(stream, socket);
    await shakeHands(socket, stream, "acceptTls", remoteAddr, { handshakeTimeout, signal });
    const refused = refusal(socket, options, remoteAddr);
    if (refused !== undefined) throw refused;
    return new TlsOverConn(conn, stream, socket, askedFor(socket), ending);
  } catch (error) {
    // The alert that tells the client why has to leave.
    stream.end(() => stream.destroy());
    throw error;
  }
}

function tellSecrets(socket: tls.TLSSocket, onSecret: SecretSink): void {
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
