/**
 * The sockets that are observed, and what is reported about them from outside: that two connections
 * are joined, or that one is broken on purpose.
 *
 * @module
 */

import type { Conn } from "../net/transport.ts";
import type { Reporter } from "./reporter.ts";

/** A socket that is observed, or a transport. */
export interface ObservedSocket {
  readonly reporter: Reporter;
  /** Undefined for a transport. */
  readonly socket: number | undefined;
  /**
   * Stops the reports of its bytes: they are those of TLS, which reports as this socket. The socket
   * reports its end only if `handshake` rejects, and after that.
   */
  carryTls?(handshake: Promise<unknown>): void;
}

/** The sockets of observed connections, and of what wraps them; and observed transports. */
const observed = new WeakMap<object, ObservedSocket>();

/** Notes that an object is an observed socket, or an observed transport. */
export function noteObserved(object: object, socket: ObservedSocket): void {
  observed.set(object, socket);
}

/** Notes that `wrapper` is the same socket as `inner`: what is reported of one is about both. */
export function noteWrapper(wrapper: object, inner: object): void {
  const socket = observed.get(inner);
  if (socket !== undefined) observed.set(wrapper, socket);
}

/** The number of the socket of an observed connection in its events; undefined if it is not observed. */
export function socketOf(conn: object): number | undefined {
  return observed.get(conn)?.socket;
}

/** The socket that `conn` is, or that it wraps; undefined unless `reporter` observes it. */
export function socketBelow(conn: object, reporter: Reporter): ObservedSocket | undefined {
  const socket = observed.get(conn);
  return socket?.reporter === reporter ? socket : undefined;
}

/** Reports that what comes on one connection is sent on the other; nothing unless both are observed. */
export function reportLink(a: Conn, b: Conn): void {
  const [one, other] = [observed.get(a), observed.get(b)];
  if (one?.socket === undefined || other?.socket === undefined) return;
  if (one.reporter !== other.reporter) return;
  one.reporter.emit({ type: "link", socket: one.socket, peer: other.socket });
}

/** Reports a fault; nothing unless `on` is observed. */
export function reportFault(
  on: object,
  direction: "up" | "down" | undefined,
  fault: string,
  detail: string,
): void {
  const found = observed.get(on);
  found?.reporter.emit({ type: "fault", socket: found.socket, direction, fault, detail });
}
