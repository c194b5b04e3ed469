/**
 * Events that only others know of: that connections are joined, and faults on purpose.
 *
 * @module
 */

import type { Conn } from "../net/transport.ts";
import type { Recorder } from "./recorder.ts";

/** A socket as its recorder knows it. */
export interface ObservedSocket {
  readonly recorder: Recorder;
  /** Undefined for a transport. */
  readonly socket: number | undefined;
  /**
   * Has it report no more of its bytes: they are those of TLS, which reports as this socket. Its end it
   * reports if `handshake` rejects, and behind that.
   */
  carryTls?(handshake: Promise<unknown>): void;
}

/** The sockets of observed connections, and of what wraps them; and observed transports. */
const observed = new WeakMap<object, ObservedSocket>();

/** Notes that an object is a socket, or the transport, of a recorder. */
export function noteObserved(object: object, socket: ObservedSocket): void {
  observed.set(object, socket);
}

/** Makes what is reported of `wrapper` be about what `inner` is. */
export function noteWrapper(wrapper: object, inner: object): void {
  const socket = observed.get(inner);
  if (socket !== undefined) observed.set(wrapper, socket);
}

/** The number of the socket of an observed connection in its events; undefined if it is not observed. */
export function socketOf(conn: object): number | undefined {
  return observed.get(conn)?.socket;
}

/** The socket that `conn` is, or that it wraps; undefined unless `recorder` observes it. */
export function socketBelow(conn: object, recorder: Recorder): ObservedSocket | undefined {
  const socket = observed.get(conn);
  return socket?.recorder === recorder ? socket : undefined;
}

/** Reports that what comes on one connection is sent on the other; nothing unless both are observed. */
export function reportLink(a: Conn, b: Conn): void {
  const [one, other] = [observed.get(a), observed.get(b)];
  if (one?.socket === undefined || other?.socket === undefined) return;
  if (one.recorder !== other.recorder) return;
  one.recorder.emit({ type: "link", socket: one.socket, peer: other.socket });
}

/** Reports a fault; nothing unless `on` is observed. */
export function reportFault(
  on: object,
  direction: "up" | "down" | undefined,
  fault: string,
  detail: string,
): void {
  const found = observed.get(on);
  found?.recorder.emit({ type: "fault", socket: found.socket, direction, fault, detail });
}
