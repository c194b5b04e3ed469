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

/** How much is handed over at once: four of TLS's records. */
const PIECE = 64 * 1024;

/** A `tls.TLSSocket`, as far as it matters. */
export interface TlsSocket extends Duplex {
  readonly alpnProtocol: string | false | null;
  getProtocol(): string | null;
  getPeerX509Certificate(): Certificate | undefined;
}

/** What TLS asks of the stream under it, as far as that can tell. */
export interface Below {
  /** See {@linkcode StreamConn}. */
  wasReset?(): boolean;
  /** See {@linkcode StreamConn}. */
  sendReset?(): void;
  /** How many bytes have left it so far. */
  moved?(): number;
  /** Resolves when all that it was given has left; `undefined` if it has. */
  flushed?(): Promise<void> | undefined;
  /** Why it has failed, if it has. */
  broken?(): Error | null;
  /** Whether it ended before TLS did; undefined as long as neither has ended. */
  endedFirst?(): boolean | undefined;
  /** Is asked to read no more than `full` lets it, and told when that may have changed. */
  limit?(full: () => boolean): () => void;
}

/** A connection over a stream of `node:tls` that has shaken hands. */
export class TlsStreamConn<A extends Addr> extends StreamConn<A> implements TlsConn<A> {
  readonly tls: TlsInfo;
  declare protected readonly socket: TlsSocket;

  readonly #below: Below;
  readonly #goOn: (() => void) | undefined;
  readonly #clock: Clock;
  /** How many bytes had left the stream below before the piece under way. */
  #movedBefore = 0;

  constructor(
    socket: TlsSocket,
    localAddr: A,
    remoteAddr: A,
    servername: string | undefined,
    below: Below = {},
    clock: Clock = systemClock,
  ) {
    super(socket, localAddr, remoteAddr);
    this.#clock = clock;
    this.#below = below;
    this.#goOn = below.limit?.(() => socket.isPaused() || socket.readableLength > 0);
    this.tls = {
      protocol: socket.getProtocol() ?? undefined,
      alpnProtocol: socket.alpnProtocol || undefined,
      servername,
      peerCertificate: socket.getPeerX509Certificate(),
    };
  }

  get truncated(): boolean | undefined {
    return this.#below.endedFirst?.();
  }

  protected override startRead(p: Uint8Array): Promise<number | null> {
    const reading = super.startRead(p);
    this.#goOn?.();
    return reading;
  }

  /** Encrypted bytes are never all out at once, and Deno's TLS takes no empty write. */
  protected override async startWrite(p: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < p.length; at += PIECE) {
        const piece = p.subarray(at, at + PIECE);
        this.#movedBefore = this.#below.moved?.() ?? 0;
        this.piece = piece.length;
        await this.hand(piece);
        // Whenever something comes, Deno's TLS takes what it is sending for sent.
        const leaving = this.#below.flushed?.();
        if (leaving !== undefined) await this.orFreed(leaving);
        if (this.closed && this.socket.destroyed) throw this.closedError("write");
        this.piece = 0;
        // Deno's TLS does not pass on that the stream under it has failed.
        const broken = this.#below.broken?.();
        if (broken) throw this.lost ??= this.translate(broken, "write");
        this.written += piece.length;
      }
    } finally {
      this.piece = 0;
      this.writing = false;
    }
    // Bun calls back before the event loop has had a turn.
    await this.doneAtOnce();
  }

  protected override async shutdown(): Promise<void> {
    await super.shutdown();
    await this.#below.flushed?.();
  }

  // Encrypted bytes are a little more, and stand for as many of ours.
  protected override partWritten(): number {
    const moved = (this.#below.moved?.() ?? 0) - this.#movedBefore;
    return Math.max(0, Math.min(moved, this.piece));
  }

  protected override wasReset(): boolean {
    return this.#below.wasReset?.() ?? false;
  }

  protected override destroy(rst: boolean): void {
    // Node does not survive a reset of the socket below while TLS is in the middle of a write.
    if (rst && this.writing) setImmediate(() => super.destroy(true));
    else super.destroy(rst);
  }

  protected override sendReset(): void {
    this.#below.sendReset?.();
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
    const finished = socket.writableFinished && this.#below.flushed?.() === undefined;
    if (this.writing || finished || socket.destroyed) return void socket.destroy();
    const cancel = this.#clock.setTimer(CLOSE_TIMEOUT, () => socket.destroy());
    socket.once("close", cancel);
    socket.end(async () => {
      await this.#below.flushed?.();
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
