/**
 * Connecting to a name by racing its addresses: Happy Eyeballs, RFC 8305.
 *
 * @module
 */

import { Deadline, orAborted } from "./base/wait.ts";
import { formatAddr, interleave, isIPv6, unixAddr } from "./base/addr.ts";
import {
  asksForTls,
  asksForUnix,
  checkArgument,
  checkOptions,
  CLOCK,
  type Kinds,
  optionsOf,
  SIGNAL,
  TEXT,
  TIMEOUT,
  TRANSPORT,
  WAIT,
} from "./base/arguments.ts";
import { isExhausted } from "./base/backoff.ts";
import { asNoted, fromHere } from "./net/caller_stack.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import type { SocketErrorCode } from "./base/error_codes.ts";
import { abortError, SocketError } from "./base/errors.ts";
import { isItself, metItself } from "./net/resolve.ts";
import type { TlsClientOptions } from "./net/tls/options.ts";
import type { Endpoint, TcpAddr, UnixAddr } from "./base/addr.ts";
import type { Conn, TcpClientOptions, TlsConn, Transport } from "./net/transport.ts";
import {
  checkIdentity,
  DESTINATION,
  OF_ADDRESS,
  TCP_CLIENT,
  TLS_CLIENT,
} from "./net/transport_arguments.ts";

/** Limits of the time that {@linkcode dial} takes. */
export interface DialLimits {
  /** Gives up when aborted: ECANCELED, or ETIMEDOUT if the reason is a `TimeoutError`. */
  readonly signal?: AbortSignal;
  /**
   * The time for all of it, the name's look-up included, in milliseconds; 0 for no limit. Default:
   * 10,000.
   */
  readonly timeout?: number;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

/** Options of {@linkcode dial} for an endpoint of TCP. */
export interface DialOptions extends Endpoint, TcpClientOptions, DialLimits {
  /**
   * The time that an attempt gets before the next address is tried beside it, in milliseconds
   * ("Connection Attempt Delay", RFC 8305 section 5). Default: 250.
   */
  readonly attemptDelay?: number;
}

/** Options of {@linkcode dial} for TLS to an endpoint of TCP. */
export interface DialTlsOptions extends DialOptions {
  /** The handshake on the connection that was made. The `servername` is by default the host. */
  readonly tls: Omit<TlsClientOptions, "signal" | "handshakeTimeout">;
}

/** Options of {@linkcode dial} for a Unix socket. */
export interface DialUnixOptions extends DialLimits {
  /** The socket file of the listener. */
  readonly path: string;
}

const LIMITS: Kinds<DialLimits> = { signal: SIGNAL, timeout: TIMEOUT, clock: CLOCK };

const { signal: _signal, handshakeTimeout: _handshakeTimeout, ...TLS } = TLS_CLIENT;

const TCP: Kinds<DialTlsOptions> = {
  ...LIMITS,
  ...OF_ADDRESS,
  ...DESTINATION,
  ...TCP_CLIENT,
  attemptDelay: WAIT,
  tls: optionsOf(TLS),
};

const UNIX: Kinds<DialUnixOptions> = { ...LIMITS, ...OF_ADDRESS, path: TEXT };

function checkDial(options: unknown): void {
  const kinds = asksForUnix(Object(options)) ? UNIX : TCP;
  checkOptions("dial", options, kinds, '{ host: "localhost", port: 7 }');
  checkIdentity("dial, in tls,", (options as DialTlsOptions).tls ?? {});
}

/** Errors about this machine's network; an answer of the other side says more. */
const NO_ROUTE: ReadonlySet<SocketErrorCode> = new Set([
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
]);

/**
 * Connects to an endpoint. Resolves its name, then tries the addresses, IPv6 and IPv4 by turns: each
 * `attemptDelay` after the last, or as soon as that failed. The first connection made wins; the
 * other attempts are aborted. A Unix socket has one address and no race. Over an
 * {@linkcode observe}d transport every step is an event.
 *
 * Rejects with a {@linkcode SocketError}: what {@linkcode Transport.resolve} and
 * {@linkcode Transport.connect} reject with; ETIMEDOUT after `timeout`. When several addresses
 * failed the message names them, and the cause is an `AggregateError` of them all.
 *
 * @example
 * ```ts
 * import { dial, systemTransport } from "@plainsocket/plainsocket";
 *
 * using listener = await systemTransport.listen({ host: "localhost" });
 * using conn = await dial(systemTransport, { host: "localhost", port: listener.addr.port });
 * await conn.closeWrite();
 * ```
 */
export function dial(transport: Transport, options: DialTlsOptions): Promise<TlsConn<TcpAddr>>;
/** The same without TLS. */
export function dial(transport: Transport, options: DialOptions): Promise<Conn<TcpAddr>>;
/** The same for a Unix socket. */
export function dial(transport: Transport, options: DialUnixOptions): Promise<Conn<UnixAddr>>;
/** The same for any of them. */
export function dial(
  transport: Transport,
  options: DialOptions | DialTlsOptions | DialUnixOptions,
): Promise<Conn>;
export function dial(
  transport: Transport,
  options: DialOptions | DialTlsOptions | DialUnixOptions,
): Promise<Conn> {
  return fromHere(connected(transport, options));
}

async function connected(
  transport: Transport,
  options: DialOptions | DialTlsOptions | DialUnixOptions,
): Promise<Conn> {
  checkArgument("dial", transport, TRANSPORT);
  checkDial(options);
  if (asksForUnix(options)) {
    const addr = unixAddr(options.path);
    return await connectInTime(options, addr, (signal, enter) => {
      enter("connect");
      return transport.connect({ ...addr, signal });
    });
  }
  const { host, port, attemptDelay = 250, noDelay, keepAlive, localAddress } = options;
  const { clock = systemClock } = options;
  const endpoint = { host, port };
  let race: Race | undefined;
  const work = async (signal: AbortSignal, enter: (phase: Phase) => void) => {
    const found = await transport.resolve({ ...endpoint, signal });
    enter("connect");
    const addrs = reachableFrom(localAddress, found, endpoint);
    const connect = (addr: TcpAddr) =>
      asNoted(() => transport.connect({ ...addr, noDelay, keepAlive, localAddress, signal }));
    race = new Race(connect, interleave(addrs), signal, attemptDelay, clock);
    const conn = await race.run(endpoint);
    if (!asksForTls(options)) return conn;
    enter("startTls");
    const tls = { servername: host, ...options.tls, signal, handshakeTimeout: 0 };
    return await transport.startTls(conn, tls);
  };
  return await connectInTime(options, endpoint, work, () => race?.hasLosers === true);
}

/** The phases of a {@linkcode dial}, in their order. */
type Phase = "resolve" | "connect" | "startTls";

/**
 * Settles as `work` does, or rejects when the limits say so; what `work` makes then is closed. When it
 * is over, attempts that `hasLosers` says are still under way are aborted. `work` reports the phase
 * it enters; the first is to resolve the name.
 */
async function connectInTime(
  { signal, timeout = 10_000, clock }: DialLimits,
  addr: Endpoint | UnixAddr,
  work: (signal: AbortSignal, enter: (phase: Phase) => void) => Promise<Conn>,
  hasLosers: () => boolean = () => false,
): Promise<Conn> {
  let phase: Phase = "resolve";
  const reasonOf = (reason: unknown) => abortError(phase, addr, { reason });
  const deadline = new Deadline({ signal, timeout, clock }, reasonOf);
  const working = work(deadline.signal, (entered) => phase = entered);
  try {
    return await orAborted(working, deadline.signal, phase, addr);
  } catch (error) {
    working.then((conn) => conn.close(), () => {});
    throw error;
  } finally {
    deadline[Symbol.dispose]();
    // Only then: aborting costs a tenth of a connection on loopback.
    if (hasLosers()) deadline.abort(new SocketError("ECANCELED", "connect", { addr }));
  }
}

/** The addresses of the family that `localAddress` is of, if there is one. */
function reachableFrom(
  localAddress: string | undefined,
  addrs: readonly TcpAddr[],
  endpoint: Endpoint,
): readonly TcpAddr[] {
  if (localAddress === undefined) return addrs;
  const reachable = addrs.filter((addr) => isIPv6(addr) === localAddress.includes(":"));
  if (reachable.length > 0) return reachable;
  const why = `none of its addresses can be reached from ${localAddress}`;
  throw new SocketError("EADDRNOTAVAIL", "connect", { addr: endpoint, why });
}

class Race {
  readonly #connect: (addr: TcpAddr) => Promise<Conn<TcpAddr>>;
  readonly #addrs: readonly TcpAddr[];
  readonly #signal: AbortSignal;
  readonly #delay: number;
  readonly #clock: Clock;
  readonly #failures: SocketError[] = [];
  #started = 0;
  #won = false;
  #cancelNext: () => void = () => {};

  constructor(
    connect: (addr: TcpAddr) => Promise<Conn<TcpAddr>>,
    addrs: readonly TcpAddr[],
    signal: AbortSignal,
    delay: number,
    clock: Clock,
  ) {
    this.#connect = connect;
    this.#addrs = addrs;
    this.#signal = signal;
    this.#delay = delay;
    this.#clock = clock;
  }

  /** Whether the race is won while other attempts are still under way. */
  get hasLosers(): boolean {
    return this.#won && this.#started > this.#failures.length + 1;
  }

  run(endpoint: Endpoint): Promise<Conn> {
    return new Promise((resolve, reject) => {
      const startNext = () => {
        this.#cancelNext();
        const none = this.#started === this.#addrs.length;
        if (this.#won || none || this.#signal.aborted) return;
        const addr = this.#addrs[this.#started++];
        if (this.#started < this.#addrs.length) {
          this.#cancelNext = this.#clock.setTimer(this.#delay, startNext);
        }
        this.#connect(addr).then(onConnected, onFailed);
      };
      const onConnected = (conn: Conn<TcpAddr>) => {
        if (isItself(conn.localAddr, conn.remoteAddr)) {
          conn.close();
          return onFailed(metItself(conn.remoteAddr));
        }
        this.#cancelNext();
        // Two attempts can succeed before the abort of the loser takes effect.
        if (this.#won) conn.close();
        this.#won = true;
        resolve(conn);
      };
      const onFailed = (error: SocketError) => {
        this.#failures.push(error);
        if (this.#failures.length === this.#addrs.length) reject(this.#summary(endpoint));
        else startNext();
      };
      this.#signal.addEventListener("abort", () => this.#cancelNext(), { once: true });
      startNext();
    });
  }

  #summary(endpoint: Endpoint): SocketError {
    const failures = this.#failures;
    // A lack of resources on this machine says nothing about the other one.
    const shown = failures.find(({ code }) => isExhausted(code)) ??
      failures.find(({ code }) => !NO_ROUTE.has(code)) ?? failures[0];
    if (failures.length === 1) return shown;
    const list = failures.map(({ addr, code }) => `${formatAddr(addr!)} ${code}`).join(", ");
    return new SocketError(shown.code, "connect", {
      addr: endpoint,
      why: `all of its ${failures.length} addresses failed: ${list}`,
      cause: new AggregateError(failures),
    });
  }
}
