/**
 * The {@linkcode Conn} contract over a socket of `node:tls`, once that has shaken hands.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { SocketOp } from "../../base/error_codes.ts";
import { codeOf, SocketError } from "../../base/errors.ts";
import { StreamConn } from "../duplex_to_conn.ts";
import type { Certificate, TlsInfo } from "./options.ts";
import type { Addr } from "../../base/addr.ts";
import type { TlsConn } from "../transport.ts";

/** How long a peer may take for close_notify to leave, in milliseconds. */
const CLOSE_TIMEOUT = 5000;

/** A `tls.TLSSocket`, as far as it matters. */
export interface TlsSocket extends Duplex {
  readonly alpnProtocol: string | false | null;
  getProtocol(): string | null;
  getPeerX509Certificate(): Certificate | undefined;
}

/**
 * A connection over a stream of `node:tls` that has shaken hands. What is below that stream, and what
 * that tells of the encrypted bytes, the subclasses know.
 */
export abstract class TlsStreamConn<A extends Addr = Addr> extends StreamConn<A>
  implements TlsConn<A> {
  readonly tls: TlsInfo;
  abstract readonly truncated: boolean | undefined;
  declare protected readonly socket: TlsSocket;

  readonly #clock: Clock;
  /** How many encrypted bytes had left before the piece under way. */
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

  /** How many encrypted bytes have left so far. */
  protected abstract moved(): number;

  /** Hands over some bytes, and waits until they have left, encrypted. */
  protected abstract send(p: Uint8Array): Promise<void>;

  /** Resolves when all that was encrypted has left, or cannot any more; `undefined` if that is so now. */
  protected abstract flushed(): Promise<void> | undefined;

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
    if (this.writing || finished || socket.destroyed) return void socket.destroy();
    const cancel = this.#clock.setTimer(CLOSE_TIMEOUT, () => socket.destroy());
    socket.once("close", cancel);
    socket.end(async () => {
      await this.flushed();
      socket.destroy();
    });
  }
}

/** Turns what `node:tls` reports into our error. */
export function translateTls(error: unknown, op: SocketOp, addr: Addr | undefined): SocketError {
  if (error instanceof SocketError) return error;
  const { code, reason, message } = error as { code?: string; reason?: string; message: string };
  const known = code === "ERR_TLS_HANDSHAKE_TIMEOUT" ? "ETIMEDOUT" : codeOf(error);
  if (known !== "EUNKNOWN") return new SocketError(known, op, { addr, cause: error });
  const why =
    /WRONG_VERSION_NUMBER|HTTP_REQUEST/.test(code ?? "") || /InvalidContentType/.test(message)
      ? "the peer does not speak TLS"
      : isDistrust(`${code} ${message}`)
      ? `the ${op === "acceptTls" ? "client" : "peer"} does not trust our certificate`
      : `TLS with the peer failed: ${reason ?? message}`;
  return new SocketError("ETLS", op, { addr, cause: error, why });
}

/**
 * Whether it is one of the alerts about our certificate (RFC 8446 section 6.2): OpenSSL writes
 * `TLSV1_ALERT_UNKNOWN_CA`, and Deno `alert: UnknownCA`.
 */
function isDistrust(text: string): boolean {
  return /alert(badcertificate|unsupportedcertificate|certificate(revoked|expired|unknown)|unknownca)/
    .test(text.toLowerCase().replace(/[_: ]/g, ""));
}
