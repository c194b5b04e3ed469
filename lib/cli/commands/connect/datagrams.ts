/**
 * `connect --udp`: datagrams in place of a stream.
 *
 * @module
 */

import { preferred, type UdpAddr, udpAddr } from "../../../base/addr.ts";
import type { Datagram } from "../../../net/datagram.ts";
import type { DialLimits } from "../../../dial.ts";
import { SocketError } from "../../../base/errors.ts";
import {
  join,
  type Joinable,
  type JoinOptions,
  type JoinOutcome,
} from "../../../protocols/join.ts";
import type { Transport } from "../../../net/transport.ts";
import { inTime } from "../../../base/wait.ts";
import type { DatagramPeer } from "./destinations.ts";

/** The largest datagram over IPv4; over IPv6 it could be 20 bytes more. */
const LARGEST = 65_507;

/**
 * Makes a UDP socket for one peer, or for all who answer a broadcast. The limits are for looking up the
 * name.
 */
export function openDatagrams(
  transport: Transport,
  { host, port, broadcast }: DatagramPeer,
  limits: DialLimits,
): Promise<DatagramEnds> {
  const remote = { host, port };
  return inTime(limits, async (signal) => {
    if (!broadcast) {
      const socket = await transport.listenDatagram({ remote, signal });
      return new DatagramEnds(socket, socket.remoteAddr!);
    }
    const { host: address } = preferred(await transport.resolve({ ...remote, signal }));
    const socket = await transport.listenDatagram({ host: "0.0.0.0", broadcast });
    return new DatagramEnds(socket, udpAddr(address, port));
  });
}

/** A UDP socket with one peer, as `join` sees it. Neither side has an end that the other could see. */
export class DatagramEnds implements Joinable {
  readonly remoteAddr: UdpAddr;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #socket: Datagram;
  #sentAll = false;

  constructor(socket: Datagram, remoteAddr: UdpAddr) {
    this.#socket = socket;
    this.remoteAddr = remoteAddr;
  }

  /** The next datagram that is not empty. */
  async read(p: Uint8Array): Promise<number> {
    for (;;) {
      const { size } = await this.#socket.receive(p);
      this.bytesRead += size;
      if (size > 0) return size;
    }
  }

  /** Sends `p` as one datagram, or as several if it is too large for one. */
  async write(p: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < p.length; at += LARGEST) {
        const datagram = p.subarray(at, at + LARGEST);
        await this.#socket.send(datagram, this.remoteAddr);
        this.bytesWritten += datagram.length;
      }
    } catch (error) {
      // A read that waits for an answer fails, too.
      this.#socket.close(error as SocketError);
      throw error;
    }
  }

  closeWrite(): Promise<void> {
    this.#sentAll = true;
    return Promise.resolve();
  }

  close(reason?: Error): void {
    this.#socket.close(reason);
  }

  reset(reason?: Error): void {
    this.#socket.close(reason);
  }

  /** As `join`; but when all is sent and something has come, the idle timeout is the peer's end. */
  async join(options: JoinOptions): Promise<JoinOutcome> {
    try {
      return await join(this, options);
    } catch (error) {
      const silent = error instanceof SocketError && error.code === "ETIMEDOUT";
      if (!silent || !this.#sentAll || this.bytesRead === 0) throw error;
      return { sourceEnded: true, peerEnded: true };
    }
  }
}
