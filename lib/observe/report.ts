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
