/**
 * One connection as TCP segments. Nobody has seen the real ones: these carry the same bytes, in the
 * same order, at the same times, with sequence numbers that fit.
 *
 * @module
 */

import { ACK, type End, FIN, MAX_SEGMENT, PSH, RST, SYN, tcpPacket } from "./packets.ts";

/** The number of bytes that may be unacknowledged before a bare acknowledgement is written. */
const MAX_IN_FLIGHT = 2 ** 28;

const NOTHING = new Uint8Array(0);

/** A packet of a flow. */
export interface FlowPacket {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly inbound: boolean;
  readonly comment: string | undefined;
}

/** The state of one end. */
interface Side {
  readonly end: End;
  /** The next sequence number. */
  seq: number;
  /** Bytes sent since the other end has last acknowledged some. */
  inFlight: number;
  finished: boolean;
}

/** Makes the packets of one connection; each method returns those of a step. */
export class TcpFlow {
  readonly #local: Side;
  readonly #remote: Side;
  #reset = false;

  /** `number` makes the sequence numbers start differently from those of other flows. */
  constructor(local: End, remote: End, number: number) {
    const side = (end: End, seq: number): Side => ({ end, seq, inFlight: 0, finished: false });
    this.#local = side(local, number * 0x10001 >>> 0);
    this.#remote = side(remote, number * 0x10001 + 0x80000000 >>> 0);
  }

  /** The three-way handshake (RFC 9293 section 3.5). */
  open(inbound: boolean, comment?: string): FlowPacket[] {
    const [from, to] = inbound ? [this.#remote, this.#local] : [this.#local, this.#remote];
    const packets = [this.#packet(from, to, SYN, NOTHING, 0, comment)];
    from.seq = from.seq + 1 >>> 0;
    packets.push(this.#packet(to, from, SYN | ACK, NOTHING, 0));
    to.seq = to.seq + 1 >>> 0;
    packets.push(this.#packet(from, to, ACK, NOTHING, 0));
    return packets;
  }

  /** An attempt to connect that was answered by RST, or by nothing. */
  refused(answered: boolean, comment: string): FlowPacket[] {
    const syn = this.#packet(this.#local, this.#remote, SYN, NOTHING, 0, comment);
    if (!answered) return [syn];
    this.#local.seq = this.#local.seq + 1 >>> 0;
    return [syn, this.#packet(this.#remote, this.#local, RST | ACK, NOTHING, 0, comment)];
  }

  /** Data of `size` bytes, of which `data` is known; all of it or none. */
  data(inbound: boolean, data: Uint8Array | undefined, size: number): FlowPacket[] {
    const [from, to] = inbound ? [this.#remote, this.#local] : [this.#local, this.#remote];
    if (this.#reset || from.finished) return [];
    const packets: FlowPacket[] = [];
    for (let at = 0; at < size; at += MAX_SEGMENT) {
      const length = Math.min(MAX_SEGMENT, size - at);
      const known = data === undefined ? NOTHING : data.subarray(at, at + length);
      packets.push(this.#packet(from, to, PSH | ACK, known, length));
      from.seq = from.seq + length >>> 0;
      from.inFlight += length;
      if (from.inFlight > MAX_IN_FLIGHT) packets.push(this.#packet(to, from, ACK, NOTHING, 0));
    }
    return packets;
  }

  /** FIN of one end, and its acknowledgement. */
  finish(inbound: boolean, comment?: string): FlowPacket[] {
    const [from, to] = inbound ? [this.#remote, this.#local] : [this.#local, this.#remote];
    if (this.#reset || from.finished) return [];
    const fin = this.#packet(from, to, FIN | ACK, NOTHING, 0, comment);
    from.finished = true;
    from.seq = from.seq + 1 >>> 0;
    return [fin, this.#packet(to, from, ACK, NOTHING, 0)];
  }

  /** RST of one end. */
  reset(inbound: boolean, comment: string): FlowPacket[] {
    const [from, to] = inbound ? [this.#remote, this.#local] : [this.#local, this.#remote];
    if (this.#reset) return [];
    this.#reset = true;
    return [this.#packet(from, to, RST | ACK, NOTHING, 0, comment)];
  }

  /** A segment that carries nothing but a comment. */
  remark(comment: string): FlowPacket[] {
    if (this.#reset) return [];
    return [this.#packet(this.#local, this.#remote, ACK, NOTHING, 0, comment)];
  }

  #packet(
    from: Side,
    to: Side,
    flags: number,
    data: Uint8Array,
    size: number,
    comment?: string,
  ): FlowPacket {
    const acks = (flags & ACK) !== 0;
    if (acks) to.inFlight = 0;
    const ack = acks ? to.seq : 0;
    const segment = { from: from.end, to: to.end, seq: from.seq, ack, flags, data, size };
    const bytes = tcpPacket(segment);
    const inbound = from === this.#remote;
    return { bytes, length: bytes.length + size - data.length, inbound, comment };
  }
}
