/**
 * A socket for datagrams on which some are lost, come twice, or in another order.
 *
 * @module
 */

import type { Endpoint, UdpAddr } from "../base/addr.ts";
import type { Clock } from "../base/clock.ts";
import { Random } from "../base/random.ts";
import type { Datagram, Received } from "../net/datagram.ts";
import { whyNoBuffer } from "../base/arguments.ts";
import { noteWrapper, reportFault } from "../observe/report.ts";
import type { Direction, FaultName, Faults } from "./plan.ts";
import type { ConnFaults } from "./select.ts";

/** The largest datagram, in bytes. */
const MAX_SIZE = 65_535;

/** How many datagrams may wait for their delay; more are lost, as in a network. */
const MAX_WAITING = 1024;

/** How long a datagram waits to be overtaken by another one, in milliseconds. */
const MAX_REORDER_MS = 100;

/** A datagram that waits. */
interface Packet {
  readonly bytes: Uint8Array;
  readonly to: Endpoint | undefined;
}

/** Decides for one direction. */
class Decider {
  readonly direction: Direction;
  readonly #faults: Faults;
  readonly #random: Random;

  constructor(direction: Direction, faults: Faults, random: Random) {
    this.direction = direction;
    this.#faults = faults;
    this.#random = random;
  }

  /** Whether the fault happens to this datagram. */
  happens(name: "loss" | "dup" | "reorder"): boolean {
    return this.#faults.some((fault) =>
      fault.name === name && this.#random.next() < fault.probability
    );
  }

  /** How many milliseconds later it is. */
  get delay(): number {
    return this.#faults.reduce((sum, fault) => {
      if (fault.name !== "delay") return sum;
      return sum + fault.ms + fault.jitter * (2 * this.#random.next() - 1);
    }, 0);
  }
}

/** See the module. */
export class FaultyDatagram implements Datagram {
  readonly addr: UdpAddr;
  readonly remoteAddr: UdpAddr | undefined;
  readonly #inner: Datagram;
  readonly #clock: Clock;
  readonly #incoming: Decider;
  readonly #outgoing: Decider;
  /** What was received and comes next, in this order. */
  readonly #received: { readonly bytes: Uint8Array; readonly from: UdpAddr }[] = [];
  /** What is sent behind the next datagram. */
  #held: Packet | undefined;
  #waiting = 0;
  /** What closing does about each datagram that waits. */
  readonly #ends = new Set<() => void>();
  #closed = false;

  /** `number` is that of the socket among the connections of its transport. */
  constructor(
    inner: Datagram,
    { up, down }: ConnFaults,
    seed: number,
    number: number,
    clock: Clock,
  ) {
    this.addr = inner.addr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#clock = clock;
    // A socket with one peer is a client's.
    const [comes, goes]: Direction[] = inner.remoteAddr === undefined
      ? ["up", "down"]
      : ["down", "up"];
    const decider = (direction: Direction) =>
      new Decider(
        direction,
        direction === "up" ? up : down,
        new Random(seed, number, direction === "up" ? 1 : 2),
      );
    this.#incoming = decider(comes);
    this.#outgoing = decider(goes);
    noteWrapper(this, inner);
  }

  get dropped(): number {
    return this.#inner.dropped;
  }

  async receive(p: Uint8Array): Promise<Received> {
    const mistake = whyNoBuffer("datagram.receive", p);
    if (mistake !== undefined) throw mistake;
    for (;;) {
      const next = this.#received.shift();
      if (next !== undefined) return deliver(next, p);
      const buffer = new Uint8Array(MAX_SIZE);
      const { size, from } = await this.#inner.receive(buffer);
      const received = { bytes: buffer.slice(0, size), from };
      if (this.#happens(this.#incoming, "loss", size)) continue;
      if (this.#happens(this.#incoming, "dup", size)) this.#received.push(received);
      if (this.#happens(this.#incoming, "reorder", size)) {
        const { size, from } = await this.#inner.receive(buffer);
        this.#received.push({ bytes: buffer.slice(0, size), from }, received);
        continue;
      }
      const { delay } = this.#incoming;
      if (delay > 0) await this.#pause(delay);
      // Whoever closed it is told so.
      return this.#closed ? await this.#inner.receive(p) : deliver(received, p);
    }
  }

  async send(p: Uint8Array, to?: Endpoint): Promise<void> {
    if (this.#happens(this.#outgoing, "loss", p.length)) return;
    const { delay } = this.#outgoing;
    const packet = { bytes: p, to };
    if (this.#happens(this.#outgoing, "reorder", p.length) && this.#held === undefined) {
      this.#held = { bytes: new Uint8Array(p), to };
      this.#later(MAX_REORDER_MS, () => this.#sendHeld());
      return;
    }
    const times = this.#happens(this.#outgoing, "dup", p.length) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      if (delay === 0) await this.#inner.send(packet.bytes, packet.to);
      else this.#sendLater({ bytes: new Uint8Array(p), to }, delay);
    }
    this.#sendHeld();
  }

  close(reason?: Error): void {
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#ends.clear();
    this.#inner.close(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #happens(decider: Decider, name: "loss" | "dup" | "reorder", size: number): boolean {
    const happens = decider.happens(name);
    if (happens) this.#tell(decider.direction, name, `of a datagram of ${size} bytes`);
    return happens;
  }

  #tell(direction: Direction, name: FaultName, detail: string): void {
    reportFault(this, direction, name, detail);
  }

  #sendLater(packet: Packet, delay: number): void {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    this.#later(delay, () => {
      this.#waiting--;
      this.#inner.send(packet.bytes, packet.to).catch(() => {});
    });
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    // Whoever sent it is not there any more to hear of an error.
    if (held !== undefined) this.#inner.send(held.bytes, held.to).catch(() => {});
  }

  /** Resolves after a time, or when the socket is closed. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#later(ms, resolve));
  }

  /** Calls `fn` after a time, or when the socket is closed. */
  #later(ms: number, fn: () => void): void {
    const cancel = this.#clock.setTimer(ms, () => {
      this.#ends.delete(end);
      fn();
    });
    const end = () => {
      cancel();
      fn();
    };
    this.#ends.add(end);
  }
}

function deliver({ bytes, from }: { bytes: Uint8Array; from: UdpAddr }, p: Uint8Array): Received {
  const size = Math.min(bytes.length, p.length);
  p.set(bytes.subarray(0, size));
  return { size, truncated: bytes.length - size, from };
}
