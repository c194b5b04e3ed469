/**
 * A recording as a transport: for tests of what was recorded with a real peer.
 *
 * @module
 */

import { type Addr, type TcpAddr, tcpAddr, type UnixAddr, unixAddr } from "../base/addr.ts";
import {
  asksForUnix,
  checkOptions,
  CLOCK,
  having,
  isInherited,
  type Kind,
  type Kinds,
  oneOf,
  TEXTS,
  TIMEOUT,
} from "../base/arguments.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Deferred, deferred } from "../base/wait.ts";
import { SocketError } from "../base/errors.ts";
import { parseScopedIP } from "../base/ip.ts";
import type { Framing } from "../frames/framing.ts";
import type { Datagram } from "../net/datagram.ts";
import { BaseListener } from "../net/conn_base.ts";
import { MemoryConn } from "../net/memory/conn.ts";
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
import { checkRecording } from "../recording/arguments.ts";
import { connectionsOf, type Party, type RecordedConnection } from "../recording/connections.ts";
import type { Recording } from "../recording/format.ts";
import { CREDENTIAL_FIELDS } from "../base/header_fields.ts";
import { httpUnits } from "./http_units.ts";
import { type Matcher, StreamMatcher } from "./match.ts";
import { play } from "./player.ts";
import { playable, type Script, scriptOf } from "./script.ts";
import { UnitMatcher } from "./unit_matcher.ts";
import { findFrame, findLine } from "./unit_splitter.ts";

/** Options of the comparison and the speed of a replay. */
export interface ReplayOptions {
  /**
   * The units of the comparison: bytes, lines, the heads and bodies of HTTP/1.0 and 1.1, or the
   * frames of a framing. Default: `"stream"`.
   */
  readonly match?: "stream" | "lines" | "http" | Framing;
  /**
   * The parts of a line, a frame, a header field or a body that may differ. Each match is left out.
   * Default: nothing.
   */
  readonly ignore?: RegExp;
  /**
   * The names of header fields that may differ with `match: "http"`. Default: Date, and those whose
   * values the recording covers: Authorization, Proxy-Authorization, Cookie and Set-Cookie, unless its
   * redaction is `"none"`.
   */
  readonly ignoreFields?: readonly string[];
  /** The speed as a multiple of the recorded one. 0 does not wait at all. Default: 0. */
  readonly speed?: number;
  /** The clock of the pauses. Default: the system's. */
  readonly clock?: Clock;
}

const MATCH: Kind = {
  takes: "'stream', 'lines', 'http' or a framing, such as lengthPrefix('u32')",
  is: (value) =>
    oneOf("stream", "lines", "http").is(value) || having("a framing", "find").is(value),
};

/** The kinds of {@linkcode ReplayOptions}. */
export const REPLAY_OPTIONS: Kinds<ReplayOptions> = {
  match: MATCH,
  ignore: { takes: "a regular expression", is: (value) => value instanceof RegExp },
  ignoreFields: TEXTS,
  speed: TIMEOUT,
  clock: CLOCK,
};

/** A transport on which a recording is played. */
export interface ReplayedTransport extends Transport {
  /**
   * Resolves when every connection of the recording has been played to its end. Rejects with the first
   * {@linkcode ReplayMismatch}.
   */
  readonly finished: Promise<void>;
}

/**
 * Makes a transport that plays the other side of a recording. Each `connect` gets the next recorded
 * connection, with its server played; each `accept` gets one with its client played. There are no
 * ports and no real I/O. Received bytes are compared with the recording: at the first difference
 * the connection is reset, and `finished` rejects.
 *
 * @example
 * ```ts
 * import { readRecording, record } from "@plainsocket/plainsocket/recording";
 * import { replayed } from "@plainsocket/plainsocket/replay";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * // Recorded once, against a real server, and kept in a file.
 * let text = "";
 * const network = new MemoryTransport();
 * using listener = await network.listen({ port: 7 });
 * const first = await record(network, (lines) => text += lines)
 *   .connect({ host: "localhost", port: 7 });
 * const server = await listener.accept();
 * await server.write(new TextEncoder().encode("welcome\n"));
 * await first.read(new Uint8Array(100));
 * first.close();
 * server.close();
 *
 * // From then on the server is not needed.
 * const transport = replayed(await readRecording(text));
 * using conn = await transport.connect({ host: "example.com", port: 7 });
 * assert.equal(await conn.read(new Uint8Array(100)), 8);
 * ```
 */
export function replayed(recording: Recording, options: ReplayOptions = {}): ReplayedTransport {
  checkRecording("replayed", recording);
  checkOptions("replayed", options, REPLAY_OPTIONS, '{ match: "lines" }');
  const withDefaults = { ignoreFields: ignoredFields(recording), ...options };
  return new Replayed(playable(connectionsOf(recording)), withDefaults);
}

/** The header fields that may differ by default: Date, and those whose values were covered. */
export function ignoredFields({ head }: Recording): string[] {
  return head.redaction === "none" ? ["date"] : ["date", ...CREDENTIAL_FIELDS];
}

/** Makes what compares, as the options have it. */
export function matcherOf(script: Script, options: ReplayOptions): Matcher {
  const { match, ignore, ignoreFields = ["date"] } = options;
  if (match === undefined || match === "stream") return new StreamMatcher(script);
  const every = ignore === undefined
    ? undefined
    : new RegExp(ignore, ignore.flags.includes("g") ? ignore.flags : `${ignore.flags}g`);
  const decoder = new TextDecoder("latin1");
  const keyOf = (part: Uint8Array) => {
    const text = decoder.decode(part);
    return every === undefined ? text : text.replace(every, "");
  };
  if (match === "lines") return new UnitMatcher(script, () => findLine, keyOf);
  if (match !== "http") return new UnitMatcher(script, () => findFrame(match), keyOf);
  const ignored = new Set(ignoreFields.map((name) => name.toLowerCase()));
  return new UnitMatcher(script, httpUnits(script, ignored), keyOf);
}

class Replayed implements ReplayedTransport {
  readonly name = "replay";
  readonly finished: Promise<void>;
  readonly #finish: Deferred<void> = deferred();
  readonly #connections: RecordedConnection[];
  readonly #options: ReplayOptions;
  #left: number;

  constructor(connections: RecordedConnection[], options: ReplayOptions) {
    this.#connections = connections;
    this.#options = options;
    this.#left = connections.length;
    this.finished = this.#finish.promise;
    // A rejection that nobody handles must not end the process.
    this.finished.catch(() => {});
    if (this.#left === 0) this.#finish.resolve();
  }

  resolve({ host, port }: ResolveOptions): Promise<TcpAddr[]> {
    const literal = parseScopedIP(host) !== undefined;
    return Promise.resolve([tcpAddr(literal ? host : "127.0.0.1", port)]);
  }

  listen(options: TlsListenOptions): Promise<Listener<TcpAddr, TlsConn<TcpAddr>>>;
  listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
  listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
  listen(options: InheritedListenOptions): Promise<Listener>;
  listen(options: ListenOptions): Promise<Listener>;
  async listen(options: ListenOptions = {}): Promise<Listener> {
    if (isInherited(options)) throw notHere("listen");
    const addr = asksForUnix(options)
      ? unixAddr(options.path)
      : tcpAddr("127.0.0.1", options.port || 1);
    return await Promise.resolve(new ReplayedListener(addr, () => this.#next("client", addr)));
  }

  connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
  connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
  connect(options: ConnectOptions): Promise<Conn>;
  async connect(options: ConnectOptions): Promise<Conn> {
    const addr = asksForUnix(options) ? unixAddr(options.path) : (await this.resolve(options))[0];
    const conn = this.#next("server", addr);
    if (conn !== undefined) return conn;
    const why = "the recording has no more connections";
    throw new SocketError("ECONNREFUSED", "connect", { addr, why });
  }

  async startTls<A extends Addr>(conn: Conn<A>): Promise<TlsConn<A>> {
    conn.close();
    return await Promise.reject(notHere("startTls"));
  }

  async listenDatagram(): Promise<Datagram> {
    return await Promise.reject(notHere("listen"));
  }

  /** The next connection, with `side` played. Undefined after the last one. */
  #next(side: Party, server: Addr): Conn | undefined {
    const connection = this.#connections.shift();
    if (connection === undefined) return undefined;
    const client = server.transport === "unix" ? unixAddr("") : tcpAddr("127.0.0.1", 49152);
    const [own, other] = side === "server" ? [client, server] : [server, client];
    const [near, far] = MemoryConn.pair(own, other);
    void this.#play(far, connection, side);
    return near;
  }

  async #play(conn: Conn, connection: RecordedConnection, side: Party): Promise<void> {
    const { speed = 0, clock = systemClock } = this.#options;
    try {
      const script = scriptOf(connection, side);
      await play(conn, script, matcherOf(script, this.#options), { speed, clock });
      if (--this.#left === 0) this.#finish.resolve();
    } catch (error) {
      conn.reset();
      this.#finish.reject(error);
    }
  }
}

function notHere(op: "listen" | "startTls"): SocketError {
  return new SocketError("ENOTSUP", op, { why: "a replay has TCP and Unix connections only" });
}

class ReplayedListener extends BaseListener {
  readonly addr: Addr;
  readonly #next: () => Conn | undefined;
  #waiting: Deferred<Conn> | undefined;

  constructor(addr: Addr, next: () => Conn | undefined) {
    super();
    this.addr = addr;
    this.#next = next;
  }

  protected startAccept(): Promise<Conn> {
    const conn = this.#next();
    if (conn !== undefined) return Promise.resolve(conn);
    // As with a real one, nobody comes any more.
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  protected destroy(): void {
    this.#waiting?.reject(this.closedError());
  }
}
