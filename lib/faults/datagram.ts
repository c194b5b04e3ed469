/**
 * A socket for datagrams on which some are lost, come twice, later, or in another order.
 *
 * @module
 */

import type { Endpoint, UdpAddr } from "../base/addr.ts";
import { whyNoBuffer, whyNoBytes } from "../base/arguments.ts";
import type { Clock } from "../base/clock.ts";
import { type Deferred, deferred } from "../base/wait.ts";
import { SocketError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { Datagram, Received } from "../net/datagram.ts";
import { noteWrapper, reportFault } from "../observe/observed_sockets.ts";
import { DatagramFlow, type DatagramFlowEvents } from "./datagram_flow.ts";
import type { Direction } from "./plan.ts";
import type { ConnFaults } from "./select_faults.ts";

/** The largest datagram, in bytes. */
const MAX_SIZE = 65_535;

/** The number of datagrams that may wait to be received; more are lost, as in a system. */
const MAX_READY = 1024;

/** A datagram that has come. */
interface Arrived {
  readonly bytes: Uint8Array;
  readonly from: UdpAddr;
}

/** See the module. */
export class FaultyDatagram implements Datagram {
  readonly addr: UdpAddr;
  readonly remoteAddr: UdpAddr | undefined;
  readonly #inner: Datagram;
  readonly #faultsFor: (peer: Endpoint) => ConnFaults;
  readonly #comes: Direction;
  readonly #goes: Direction;
  readonly #incoming: DatagramFlow<Arrived>;
  readonly #outgoing: DatagramFlow<
    { readonly bytes: Uint8Array; readonly to: Endpoint | undefined }
  >;
  readonly #ready: Arrived[] = [];
  #receiving: Deferred<void> | undefined;
  /** Whether datagrams are taken from the inner socket. */
  #taking = false;
  /** The error of the inner socket. */
  #failure: unknown;
  /** Why a delayed datagram was not sent. The next operation throws it. */
  #unsent: unknown;
  #closed = false;
  #dropped = 0;

  /**
   * `faultsFor` returns the faults with a peer; `number` is that of the socket in its transport.
   */
  constructor(
    inner: Datagram,
    faultsFor: (peer: Endpoint) => ConnFaults,
    seed: number,
    number: number,
    clock: Clock,
  ) {
    this.addr = inner.addr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#faultsFor = faultsFor;
    // A socket with one peer is a client's.
    const isServer = inner.remoteAddr === undefined;
    [this.#comes, this.#goes] = isServer ? ["up", "down"] : ["down", "up"];
    const random = (direction: Direction) => new Random(seed, number, direction === "up" ? 1 : 2);
    this.#incoming = new DatagramFlow(random(this.#comes), clock, this.#reportsOf(this.#comes));
    this.#outgoing = new DatagramFlow(random(this.#goes), clock, this.#reportsOf(this.#goes));
    noteWrapper(this, inner);
  }

  get dropped(): number {
    return this.#inner.dropped + this.#dropped + this.#incoming.dropped;
  }

  async receive(p: Uint8Array): Promise<Received> {
    const mistake = whyNoBuffer("datagram.receive", p);
    if (mistake !== undefined) throw mistake;
    this.#throwUnsent();
    if (this.#receiving !== undefined) {
      throw new SocketError("EBUSY", "receive", { addr: this.addr });
    }
    if (this.#ready.length === 0 && this.#failure === undefined) {
      const receiving = this.#receiving = deferred();
      if (!this.#taking) void this.#takeAll();
      await receiving.promise;
    }
    const next = this.#ready.shift();
    if (next !== undefined) return deliver(next, p);
    const failure = this.#failure;
    this.#failure = undefined;
    throw failure;
  }

  async send(p: Uint8Array, to?: Endpoint): Promise<void> {
    const mistake = whyNoBytes("datagram.send", p);
    if (mistake !== undefined) throw mistake;
    this.#throwUnsent();
    const peer = to ?? this.remoteAddr;
    const faults = peer === undefined ? [] : this.#faultsFor(peer)[this.#goes];
    const sent: Promise<void>[] = [];
    this.#outgoing.put({ bytes: p, to }, faults, ({ bytes, to }) => {
      const sending = this.#inner.send(bytes, to);
      // The next operation reports errors of later sends, as with errors of the network.
      if (bytes === p) sent.push(sending);
      else sending.catch((error) => this.#unsent ??= error);
    });
    await Promise.all(sent);
  }

  close(reason?: Error): void {
    this.#closed = true;
    // Datagrams that are held back are sent now. Incoming ones have no receiver.
    this.#outgoing.flush();
    this.#incoming.clear();
    this.#ready.length = 0;
    this.#inner.close(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes what comes, until the socket fails or is closed. */
  async #takeAll(): Promise<void> {
    this.#taking = true;
    const buffer = new Uint8Array(MAX_SIZE);
    try {
      for (;;) {
        const { size, from } = await this.#inner.receive(buffer);
        const arrived = { bytes: buffer.slice(0, size), from };
        const faults = this.#faultsFor(from)[this.#comes];
        this.#incoming.put(arrived, faults, (arrived) => this.#arrive(arrived));
      }
    } catch (error) {
      this.#failure = error;
      this.#wake();
    } finally {
      this.#taking = false;
    }
  }

  #arrive(arrived: Arrived): void {
    if (this.#ready.length < MAX_READY) this.#ready.push(arrived);
    else this.#dropped++;
    this.#wake();
  }

  #wake(): void {
    const receiving = this.#receiving;
    this.#receiving = undefined;
    receiving?.resolve();
  }

  #throwUnsent(): void {
    const error = this.#unsent;
    this.#unsent = undefined;
    if (error !== undefined && !this.#closed) throw error;
  }

  #reportsOf(direction: Direction): DatagramFlowEvents {
    return { onFault: (name, detail) => reportFault(this, direction, name, detail) };
  }
}

function deliver({ bytes, from }: Arrived, p: Uint8Array): Received {
  const size = Math.min(bytes.length, p.length);
  p.set(bytes.subarray(0, size));
  return { size, truncated: bytes.length - size, from };
}
