/**
 * The bytes of TLS on the wire as events, with the secrets that decrypt them. TLS goes over
 * observed connections then, instead of the runtime's own.
 *
 * @module
 */

import process from "node:process";
import type { Addr } from "../base/addr.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Deferred, deferred } from "../base/wait.ts";
import { SocketError } from "../base/errors.ts";
import { asksForTls } from "../base/arguments.ts";
import { MOST_HELD } from "../net/backlog.ts";
import type { TlsClientOptions } from "../net/tls/options.ts";
import { acceptTlsOver, type SecretSink, startTlsOver } from "../net/tls/conn.ts";
import { type AcceptTls, listenTlsOver } from "../net/tls/over_listener.ts";
import type { Conn, Listener, ListenOptions, TlsConn, Transport } from "../net/transport.ts";
import { type ObservedConn, ObservedTlsConn } from "./conn.ts";
import type { EventSink } from "./events.ts";
import { ObservedTransport } from "./observe.ts";
import { Reporter } from "./reporter.ts";

/** Why TLS cannot be seen as it goes over the network here; undefined on Node, where it can. */
export function whyNoWire(): string | undefined {
  const { deno, bun } = process.versions as Record<string, string | undefined>;
  if (deno !== undefined) return "Deno does not give out the secrets of TLS";
  return bun === undefined ? undefined : "TLS over another connection loses data on Bun";
}

/**
 * Wraps a transport as `observeBorrowed` does, with the bytes that TLS puts on the wire: `wire` and
 * `keylog` events. A connection that is accepted is an event before its handshake. Bytes that TLS
 * writes after the program has closed a connection are not among them. Throws ENOTSUP on Deno and
 * Bun.
 */
export function observeWire(
  transport: Transport,
  sink: EventSink,
  clock: Clock = systemClock,
): Transport {
  const why = whyNoWire();
  if (why !== undefined) throw new SocketError("ENOTSUP", "startTls", { why });
  return new WireTransport(transport, new Reporter(sink, clock));
}

class WireTransport extends ObservedTransport {
  protected override async open(options: ListenOptions): Promise<Listener> {
    if (!asksForTls(options)) return await super.open(options);
    const { tls, ...plain } = options;
    const source = await super.open(plain as ListenOptions);
    const { backlog = MOST_HELD, metrics } = options;
    return listenTlsOver(source, tls, { backlog, metrics, accept: this.#accept });
  }

  readonly #accept: AcceptTls = async (conn, store, options, signal) => {
    const raw = conn as ObservedConn<Addr>;
    const wire = new WireConn(raw, this.reporter);
    const accepting = acceptTlsOver(wire, store, options, signal, this.#secretsOf(raw.socket));
    try {
      const tlsConn = await this.reporter.reportFailure(raw.socket, "acceptTls", accepting);
      return new WireTlsConn(tlsConn, wire, this.reporter);
    } catch (error) {
      // Nobody else closes it.
      void wire.closing.promise.then(() => raw.close());
      throw error;
    }
  };

  protected override async shakeHands<A extends Addr>(
    raw: Pick<ObservedConn<A>, "inner" | "socket">,
    options: TlsClientOptions,
  ): Promise<TlsConn<A>> {
    const wire = new WireConn(raw, this.reporter);
    const starting = startTlsOver(wire, options, this.#secretsOf(raw.socket));
    const tlsConn = await this.reporter.reportFailure(raw.socket, "startTls", starting);
    return new WireTlsConn(tlsConn, wire, this.reporter);
  }

  #secretsOf(socket: number): SecretSink {
    return (line) => this.reporter.emit({ type: "keylog", socket, line });
  }
}

/** A connection that TLS goes over. */
class WireConn<A extends Addr> implements Conn<A> {
  readonly socket: number;
  /** Resolves when TLS has closed it. */
  readonly closing: Deferred<void> = deferred();
  /** Whether writes are no longer events. */
  isMuted = false;
  /** Closing it is a reset. */
  resets = false;
  readonly #inner: Conn<A>;
  readonly #reporter: Reporter;

  constructor(raw: Pick<ObservedConn<A>, "inner" | "socket">, reporter: Reporter) {
    this.socket = raw.socket;
    this.#inner = raw.inner;
    this.#reporter = reporter;
  }

  get localAddr(): A {
    return this.#inner.localAddr;
  }

  get remoteAddr(): A {
    return this.#inner.remoteAddr;
  }

  get bytesRead(): number {
    return this.#inner.bytesRead;
  }

  get bytesWritten(): number {
    return this.#inner.bytesWritten;
  }

  async read(p: Uint8Array): Promise<number | null> {
    const n = await this.#inner.read(p);
    if (n !== null) this.#report("recv", p.subarray(0, n));
    return n;
  }

  write(p: Uint8Array): Promise<void> {
    this.#report("send", p);
    return this.#inner.write(p);
  }

  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  close(reason?: Error): void {
    this.closing.resolve();
    if (this.resets) this.#inner.reset(reason);
    else this.#inner.close(reason);
  }

  reset(reason?: Error): void {
    this.#inner.reset(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #report(direction: "recv" | "send", data: Uint8Array): void {
    if (this.isMuted || data.length === 0) return;
    this.#reporter.emit({ type: "wire", socket: this.socket, direction, data });
  }
}

/** A connection with TLS. Its `close` is the last of its events. */
class WireTlsConn<A extends Addr> extends ObservedTlsConn<A> {
  readonly #wire: WireConn<A>;

  constructor(inner: TlsConn<A>, wire: WireConn<A>, reporter: Reporter) {
    super(inner, wire.socket, reporter);
    this.#wire = wire;
  }

  override close(reason?: Error): void {
    this.#wire.isMuted = true;
    super.close(reason);
  }

  override reset(reason?: Error): void {
    this.#wire.isMuted = true;
    this.#wire.resets = true;
    super.reset(reason);
  }
}
