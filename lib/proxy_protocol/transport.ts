/**
 * A transport whose listeners are behind proxies that speak the PROXY protocol.
 *
 * @module
 */

import process from "node:process";
import type { Addr, UdpAddr } from "../base/addr.ts";
import {
  asksForTls,
  checkArgument,
  checkOptions,
  CLOCK,
  FUNCTION,
  type Kinds,
  required,
  TEXTS,
  TIMEOUT,
  TRANSPORT,
} from "../base/arguments.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { SocketError } from "../base/errors.ts";
import { CidrSet, parseCidr } from "../base/ip.ts";
import { MOST_HELD } from "../net/backlog.ts";
import { type Preparation, PreparingListener } from "../net/preparing_listener.ts";
import { listenTlsOver } from "../net/tls/over_listener.ts";
import type { Conn, Listener, ListenOptions, Transport } from "../net/transport.ts";
import { checkListen } from "../net/transport_arguments.ts";
import { acceptHeader } from "./accept.ts";

/** The most time for a header, in milliseconds: a segment that is lost is sent again within three seconds. */
export const HEADER_TIMEOUT = 5000;

/** Options of {@linkcode acceptProxyProtocol}. */
export interface AcceptProxyOptions {
  /**
   * The networks of the proxies, in CIDR notation, or single addresses; `"unix"` stands for all
   * that may connect to a Unix socket.
   */
  readonly trusted: readonly string[];
  /** The time that a connection gets for its header, in milliseconds; 0 for no limit. Default: 5,000. */
  readonly headerTimeout?: number;
  /**
   * Called with the error of a connection that is closed without being accepted: EPERM if it is not
   * from a trusted network, EPROTO, ETIMEDOUT or ECONNRESET if it has not begun with a header. It must
   * not throw.
   */
  readonly onReject?: (error: SocketError) => void;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const OPTIONS: Kinds<AcceptProxyOptions> = {
  trusted: required(TEXTS),
  headerTimeout: TIMEOUT,
  onReject: FUNCTION,
  clock: CLOCK,
};

/**
 * Wraps a transport for servers behind proxies that speak the PROXY protocol, version 1 or 2: each
 * connection that its listeners accept begins with a header. The addresses of a connection are those
 * that the header names: `remoteAddr` is the client, and its `via` is the proxy. Decisions by
 * address, such as those of an {@linkcode AccessList}, are about the client.
 *
 * - Only those who connect from a trusted network are listened to. Others are reset: the
 *   specification forbids to guess whether a header comes, since anybody could forge one.
 * - A connection that does not begin with a header in time is reset. It holds nobody else up:
 *   headers of several connections are read side by side.
 * - A header that names no client, as that of a health check, leaves the addresses as they are; so
 *   does one that names a Unix socket, or one for datagrams.
 * - With TLS, the header comes before the handshake. On Bun that is ENOTSUP.
 *
 * Connections that the transport makes, and its datagrams, are as before. A client's address may be
 * of another kind than the listener's, as on a Unix socket. The events of
 * `observe(acceptProxyProtocol(…), …)` have the addresses of clients, and no headers.
 *
 * Throws a `TypeError` for a network that is not valid.
 *
 * @example
 * ```ts
 * import { serve } from "@plainsocket/plainsocket";
 * import { acceptProxyProtocol, proxyHeader } from "@plainsocket/plainsocket/proxy-protocol";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const network = new MemoryTransport();
 * const transport = acceptProxyProtocol(network, { trusted: ["127.0.0.0/8"] });
 * using listener = await transport.listen({ port: 80 });
 *
 * using proxy = await network.connect({ host: "localhost", port: 80 });
 * const source = { transport: "tcp", host: "192.0.2.1", port: 50000 } as const;
 * await proxy.write(proxyHeader({ version: 2, source, destination: listener.addr }));
 *
 * using conn = await listener.accept();
 * assert.equal(conn.remoteAddr.host, "192.0.2.1");
 * ```
 */
export function acceptProxyProtocol(transport: Transport, options: AcceptProxyOptions): Transport {
  checkArgument("acceptProxyProtocol", transport, TRANSPORT);
  checkOptions("acceptProxyProtocol", options, OPTIONS, '{ trusted: ["10.0.0.0/8"] }');
  const preparation = preparationOf(options);
  const listenPlain = async (where: ListenOptions): Promise<Listener> =>
    new PreparingListener(await transport.listen(where), {
      ...preparation,
      most: backlogOf(where),
      metrics: where.metrics,
    });
  const listen = async (where: ListenOptions = {}): Promise<Listener> => {
    checkListen(where);
    if (!asksForTls(where)) return await listenPlain(where);
    refuseOnBun();
    const { tls, ...plain } = where;
    const { metrics } = where;
    const source = await listenPlain(plain as ListenOptions);
    return listenTlsOver(source, tls, { backlog: backlogOf(where), metrics });
  };
  return {
    name: transport.name,
    resolve: (endpoint) => transport.resolve(endpoint),
    // As the options are, so is the listener, which its type does not tell.
    listen: listen as Transport["listen"],
    connect: transport.connect.bind(transport),
    startTls: (conn, options) => transport.startTls(conn, options),
    listenDatagram: (options) => transport.listenDatagram(options),
  };
}

function backlogOf(where: ListenOptions): number {
  return "backlog" in where ? where.backlog ?? MOST_HELD : MOST_HELD;
}

function refuseOnBun(): void {
  if (!("bun" in process.versions)) return;
  const why = "TLS behind the PROXY protocol is not supported on Bun";
  throw new SocketError("ENOTSUP", "listen", { why });
}

/** The preparation of each connection of a listener. */
function preparationOf(
  { trusted: networks, onReject, headerTimeout: timeout = HEADER_TIMEOUT, clock = systemClock }:
    AcceptProxyOptions,
): Omit<Preparation, "most" | "metrics"> {
  const trusted = new Trusted(networks);
  const prepare = async (conn: Conn, signal: AbortSignal): Promise<Conn> => {
    try {
      return await acceptHeader(conn, { signal, timeout, clock });
    } catch (error) {
      // ECANCELED: the listener was closed.
      const isReported = error instanceof SocketError && error.code !== "ECANCELED";
      if (isReported) onReject?.(error);
      throw error;
    }
  };
  const admit = (addr: Addr | UdpAddr): boolean => {
    if (trusted.has(addr)) return true;
    onReject?.(untrusted(addr));
    return false;
  };
  const admission = { admit, release() {} };
  return { prepare, admission, rejectReason: "proxy_header", madeRoom };
}

/** The proxies that may send headers. */
class Trusted {
  readonly #networks: CidrSet;
  readonly #unix: boolean;

  constructor(trusted: readonly string[]) {
    this.#unix = trusted.includes("unix");
    this.#networks = new CidrSet(trusted.filter((item) => item !== "unix").map(parseCidr));
  }

  has(addr: Addr | UdpAddr): boolean {
    return addr.transport === "unix" ? this.#unix : this.#networks.has(addr.host);
  }
}

function untrusted(addr: Addr | UdpAddr): SocketError {
  return new SocketError("EPERM", "acceptProxy", {
    addr,
    why: "it is not from a trusted network",
    next: "If a proxy is there, add its address to those that are trusted.",
  });
}

function madeRoom(addr: Addr): SocketError {
  const why = "its header had not come when more clients came than may be without one at once";
  return new SocketError("ETIMEDOUT", "acceptProxy", { addr, why });
}
