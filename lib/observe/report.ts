/**
 * The reports of observed sockets: the recorder, which knows times and numbers of sockets. Sockets
 * for datagrams report to it, and who knows that connections are joined, or breaks them on purpose.
 *
 * @module
 */

import type { Endpoint, UdpAddr } from "../base/addr.ts";
import type { Clock } from "../base/clock.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import type { Datagram, Received } from "../net/datagram.ts";
import type { Conn } from "../net/transport.ts";
import type { EventSink, SocketEvent } from "./events.ts";

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

// Omit<> on a union would merge its members; this keeps them apart.
type WithoutTime<E> = E extends unknown ? Omit<E, "time"> : never;

/** Writes events: adds their times, and numbers the sockets. */
export class Recorder {
  readonly #sink: EventSink;
  readonly #clock: Clock;
  #sockets = 0;

  constructor(sink: EventSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  newSocket(): number {
    return ++this.#sockets;
  }

  emit(event: WithoutTime<SocketEvent>): void {
    this.#sink({ time: this.#clock.now(), ...event } as SocketEvent);
  }

  /** Settles as `work` does, and reports a failure. */
  async tellFailure<T>(socket: number | undefined, op: SocketOp, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof SocketError && error.code !== "ECLOSED") {
        this.emit({ type: "error", socket, op, error });
      }
      throw error;
    }
  }
}

/** A socket for datagrams that reports every step. */
export class ObservedDatagram implements Datagram {
  readonly addr: UdpAddr;
  readonly remoteAddr: UdpAddr | undefined;
  readonly #inner: Datagram;
  readonly #socket: number;
  readonly #recorder: Recorder;
  #bytesRead = 0;
  #bytesWritten = 0;
  #closed = false;

  /** `socket` is its number. */
  constructor(inner: Datagram, socket: number, recorder: Recorder) {
    this.addr = inner.addr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#socket = socket;
    this.#recorder = recorder;
    noteObserved(this, { recorder, socket });
  }

  get dropped(): number {
    return this.#inner.dropped;
  }

  async receive(p: Uint8Array): Promise<Received> {
    const socket = this.#socket;
    const received = await this.#recorder.tellFailure(socket, "receive", this.#inner.receive(p));
    const { size, from } = received;
    this.#bytesRead += size;
    this.#recorder.emit({ type: "recv", socket, data: p.subarray(0, size), from });
    return received;
  }

  async send(p: Uint8Array, to: Endpoint | undefined = this.remoteAddr): Promise<void> {
    const socket = this.#socket;
    this.#recorder.emit({ type: "send", socket, data: p, to });
    await this.#recorder.tellFailure(socket, "send", this.#inner.send(p, to));
    this.#bytesWritten += p.length;
  }

  close(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const counts = { bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten };
    this.#recorder.emit({ type: "close", socket: this.#socket, ...counts, reset: false });
    this.#inner.close(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
