/**
 * A transport with faults, as a plan says.
 *
 * @module
 */

import { type Addr, formatAddr, type TcpAddr, type UnixAddr } from "../base/addr.ts";
import {
  asksForUnix,
  checkArgument,
  checkOptions,
  CLOCK,
  FLAG,
  integer,
  type Kind,
  type Kinds,
  TRANSPORT,
} from "../base/arguments.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { SocketError } from "../base/errors.ts";
import type { Datagram, DatagramOptions } from "../net/datagram.ts";
import { WrappedListener } from "../net/conn_base.ts";
import type {
  Conn,
  ConnectOptions,
  InheritedListenOptions,
  Listener,
  ListenOptions,
  ResolveOptions,
  TcpConnectOptions,
  TcpListenOptions,
  TlsConn,
  TlsListenOptions,
  Transport,
  UnixConnectOptions,
  UnixListenOptions,
} from "../net/transport.ts";
import { noteWrapper, reportFault } from "../observe/observed_sockets.ts";
import type { TlsClientOptions, TlsInfo } from "../net/tls/options.ts";
import { unixAddr } from "../base/addr.ts";
import { FaultyConn, type Role } from "./conn.ts";
import { FaultyDatagram } from "./datagram.ts";
import { parseFaultPlan } from "./parse.ts";
import type { FaultPlan } from "./plan.ts";
import { Chosen, type ConnFaults } from "./select_faults.ts";

/** Options of {@linkcode faulty}. */
export interface FaultyOptions {
  /** The same seed gives the same faults: 0 to 2^32 - 1. Default: 0. */
  readonly seed?: number;
  /** The clock of delays and times. Default: the system's. */
  readonly clock?: Clock;
  /**
   * Whether {@linkcode FaultyTransport.setPlan} changes the faults of open connections, too. Faults of
   * rules that both plans have go on. Those of new rules count bytes and time from the change on. Every
   * connection is then as slow as one with faults. Default: false.
   */
  readonly live?: boolean;
}

const OPTIONS: Kinds<FaultyOptions> = {
  seed: integer(0, 2 ** 32 - 1),
  clock: CLOCK,
  live: FLAG,
};

const PLAN: Kind = {
  takes: "a fault plan as text, such as 'down: reset@4096', or from parseFaultPlan(…)",
  is: (value) => typeof value === "string" || Array.isArray(value),
};

/** A transport with faults. */
export interface FaultyTransport extends Transport {
  /**
   * Replaces the plan for the connections that come from now on; with {@linkcode FaultyOptions.live}
   * also for those that are open. Throws if it is not valid.
   */
  setPlan(plan: string | FaultPlan): void;
}

/**
 * Wraps a transport so that its connections fail as `plan` says: docs/faults.md has the language. The
 * connections that are accepted and made are numbered together, from 1. Of an accepted connection `up`
 * is what is read and `down` what is written; of one that is made it is the other way round. A
 * connection without faults is left as it is.
 *
 * Over {@linkcode observe}, each fault that is applied is an event: `faulty(observe(…), …)`.
 *
 * Throws a {@linkcode FaultPlanError} if the plan is not valid.
 *
 * @example
 * ```ts
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import { faulty } from "@plainsocket/plainsocket/faults";
 * import assert from "node:assert/strict";
 *
 * const transport = faulty(new MemoryTransport(), "conn=1: refuse");
 * using _listener = await transport.listen({ port: 7 });
 * await assert.rejects(transport.connect({ host: "localhost", port: 7 }), { code: "ECONNREFUSED" });
 * ```
 */
export function faulty(
  transport: Transport,
  plan: string | FaultPlan,
  options: FaultyOptions = {},
): FaultyTransport {
  checkArgument("faulty", transport, TRANSPORT);
  checkArgument("faulty", plan, PLAN);
  checkOptions("faulty", options, OPTIONS, "{ seed: 7 }");
  const { seed = 0, clock = systemClock, live = false } = options;
  return new Faulty(transport, planOf(plan), { seed, clock, live });
}

function planOf(plan: string | FaultPlan): FaultPlan {
  return typeof plan === "string" ? parseFaultPlan(plan) : plan;
}

class Faulty implements FaultyTransport {
  readonly name: string;
  readonly #inner: Transport;
  readonly #options: Required<FaultyOptions>;
  /** The open connections, if a new plan applies to them. */
  readonly #open = new Map<FaultyConn<Addr>, Chosen>();
  #plan: FaultPlan;
  #numbers = 0;

  constructor(inner: Transport, plan: FaultPlan, options: Required<FaultyOptions>) {
    this.name = inner.name;
    this.#inner = inner;
    this.#plan = plan;
    this.#options = options;
  }

  setPlan(plan: string | FaultPlan): void {
    checkArgument("transport.setPlan", plan, PLAN);
    this.#plan = planOf(plan);
    for (const [conn, chosen] of [...this.#open]) {
      conn.setFaults(chosen.faults(this.#plan, conn.remoteAddr));
    }
  }

  resolve(options: ResolveOptions): Promise<TcpAddr[]> {
    return this.#inner.resolve(options);
  }

  listen(options: TlsListenOptions): Promise<Listener<TcpAddr, TlsConn<TcpAddr>>>;
  listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
  listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
  listen(options: InheritedListenOptions): Promise<Listener>;
  listen(options: ListenOptions): Promise<Listener>;
  async listen(options: ListenOptions = {}): Promise<Listener> {
    const listener = await this.#inner.listen(options);
    return new FaultyListener(listener, (conn) => this.#accept(conn));
  }

  /** The connection with its faults; undefined if it is refused. */
  #accept(conn: Conn): Conn | undefined {
    const number = ++this.#numbers;
    const chosen = new Chosen(this.#options.seed, number);
    const { refused } = chosen.faults(this.#plan, conn.remoteAddr);
    if (!refused) return this.#wrap(conn, chosen, number, "server");
    reportFault(conn, undefined, "refuse", "as soon as it was accepted");
    conn.reset();
    return undefined;
  }

  connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
  connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
  connect(options: ConnectOptions): Promise<Conn>;
  async connect(options: ConnectOptions): Promise<Conn> {
    const number = ++this.#numbers;
    const chosen = new Chosen(this.#options.seed, number);
    // A connection that is to be refused is not tried.
    const addr = asksForUnix(options)
      ? unixAddr(options.path)
      : { transport: "tcp" as const, host: options.host, port: options.port };
    if (chosen.faults(this.#plan, addr).refused) {
      reportFault(this.#inner, undefined, "refuse", `of a connection to ${formatAddr(addr)}`);
      throw new SocketError("ECONNREFUSED", "connect", { addr, why: "a fault refused it" });
    }
    return this.#wrap(await this.#inner.connect(options), chosen, number, "client");
  }

  #wrap(conn: Conn, chosen: Chosen, number: number, role: Role): Conn {
    const { seed, clock, live } = this.#options;
    const faults = chosen.faults(this.#plan, conn.remoteAddr);
    if (!live && isNone(faults)) return conn;
    const wrapped = new FaultyConn(conn, faults, {
      seed,
      number,
      role,
      clock,
      onFault: (direction, name, detail) => reportFault(conn, direction, name, detail),
      onEnd: (conn) => this.#open.delete(conn),
    });
    if (live && !wrapped.ended) this.#open.set(wrapped, chosen);
    noteWrapper(wrapped, conn);
    return "tls" in conn ? withTls(wrapped, conn as TlsConn) : wrapped;
  }

  async startTls<A extends Addr>(
    conn: Conn<A>,
    options: TlsClientOptions = {},
  ): Promise<TlsConn<A>> {
    return await this.#inner.startTls(conn, options);
  }

  async listenDatagram(options: DatagramOptions = {}): Promise<Datagram> {
    const number = ++this.#numbers;
    const datagram = await this.#inner.listenDatagram(options);
    const { seed, clock } = this.#options;
    const [chosen, plan] = [new Chosen(seed, number), this.#plan];
    // A socket without a peer of its own may get the faults of each peer.
    if (isNone(chosen.faults(plan, datagram.remoteAddr))) return datagram;
    return new FaultyDatagram(datagram, (peer) => chosen.faults(plan, peer), seed, number, clock);
  }
}

function isNone({ up, down }: ConnFaults): boolean {
  return up.length === 0 && down.length === 0;
}

/** The same connection, with what its handshake agreed on. */
function withTls<A extends Addr>(conn: FaultyConn<A>, inner: TlsConn<A>): TlsConn<A> {
  const info: {
    readonly tls: { readonly value: TlsInfo };
    readonly truncated: { get(): boolean | undefined };
  } = {
    tls: { value: inner.tls },
    truncated: { get: () => inner.truncated },
  };
  return Object.defineProperties(conn, info) as unknown as TlsConn<A>;
}

class FaultyListener extends WrappedListener {
  readonly #accepted: (conn: Conn) => Conn | undefined;

  constructor(inner: Listener, accepted: (conn: Conn) => Conn | undefined) {
    super(inner);
    this.#accepted = accepted;
  }

  protected async startAccept(): Promise<Conn> {
    for (;;) {
      const conn = this.#accepted(await this.inner.accept());
      if (conn !== undefined) return conn;
    }
  }
}
