/**
 * Recordings for Wireshark and its kind: pcapng with packets that were made up to carry what was
 * recorded.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Addr, Endpoint, TcpAddr, UdpAddr } from "../../base/addr.ts";
import { checkRecording } from "../arguments.ts";
import type { RecordedEvent, Recording, RecordingHead } from "../format.ts";
import { parseScopedIP } from "../../base/ip.ts";
import { formatSize } from "../../base/size.ts";
import {
  decryptionSecrets,
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  nameResolution,
  sectionHeader,
} from "./blocks.ts";
import { Ends, sameFamily } from "./endpoints.ts";
import { type End, udpPacket } from "./packets.ts";
import { type FlowPacket, TcpFlow } from "./tcp_flow.ts";
import { WireSockets } from "./tls_wire.ts";

type EventOf<T extends RecordedEvent["type"]> = Extract<RecordedEvent, { readonly type: T }>;

/** An attempt to connect that has not ended. */
interface Attempt {
  readonly endpoint: Endpoint | Addr;
  readonly comment: string | undefined;
}

/** Errors of an attempt to connect that the other side answered. */
const ANSWERED = ["ECONNREFUSED", "ECONNRESET"];

/** Why packets are not what was on the wire. */
const COMMENT =
  "The packets are synthesised: the recording has what programs sent and received, with its times, " +
  "and nothing of the segments, acknowledgements and retransmissions that carried it.";

/**
 * Makes pcapng of a recording, event by event: `start()`, then `add()` for each event, then `end()`.
 * The blocks that they return go into the file in this order.
 */
export class PcapngEncoder {
  readonly #started: bigint;
  readonly #program: string;
  readonly #ends = new Ends();
  readonly #flows = new Map<number, TcpFlow>();
  /** The sockets whose bytes another socket of the recording has, too, by their ends. */
  readonly #owners = new Map<string, number>();
  readonly #keys = new Map<number, string>();
  readonly #wire = new WireSockets();
  readonly #attempts = new Map<number, Attempt>();
  readonly #datagrams = new Map<number, { local: End; remote: End | undefined }>();
  /** The addresses of the last look-up, for "attempt 2 of 3". */
  #candidates: { left: readonly TcpAddr[]; tried: number } = { left: [], tried: 0 };
  #last = 0;
  #dropped = 0;

  /** `head` is that of the recording. */
  constructor(head: RecordingHead) {
    this.#started = BigInt(Date.parse(head.started)) * 1000n;
    this.#program = `${head.program} (${head.runtime})`;
  }

  /** The blocks that a file begins with. */
  start(): Uint8Array {
    const header = sectionHeader(this.#program, COMMENT);
    return Buffer.concat([header, interfaceDescription("plainsocket")]);
  }

  /** The blocks of an event; none for most that move no bytes. */
  add(event: RecordedEvent): Uint8Array {
    this.#last = event.time;
    const blocks = this.#wire.pass(event, this.#blocksOf(event));
    return blocks.length === 1 ? blocks[0] : Buffer.concat(blocks);
  }

  /** The blocks that a file ends with. `dropped` events are counted as packets that were not kept. */
  end(dropped = 0): Uint8Array {
    const statistics = interfaceStatistics(this.#timeOf(this.#last), this.#dropped + dropped);
    return Buffer.concat([...this.#wire.rest(), statistics]);
  }

  #timeOf(time: number): bigint {
    return this.#started + BigInt(Math.max(0, Math.round(time * 1000)));
  }

  #blocksOf(event: RecordedEvent): Buffer[] {
    switch (event.type) {
      case "resolve":
        return this.#resolved(event);
      case "bind":
        if (event.addr.transport === "udp") this.#bindDatagram(event.socket, event.addr, undefined);
        return [];
      case "connect":
        this.#attempts.set(event.socket, this.#attempt(event.endpoint));
        return [];
      case "connected":
      case "accept":
        return this.#opened(event);
      case "handshake":
        return this.#step(event, (flow) => flow.remark(this.#describeTls(event)));
      case "wire":
        return this.#onWire(event);
      case "keylog":
        return [decryptionSecrets(`${event.line}\n`)];
      case "recv":
      case "send":
        return this.#wire.has(event.socket) ? [] : this.#moved(event);
      case "eof":
        return this.#step(event, (flow) => flow.finish(true));
      case "shutdown":
        // With TLS on the wire, close_notify comes before FIN.
        if (this.#wire.has(event.socket)) return [];
        return this.#step(event, (flow) => flow.finish(false));
      case "close":
        return this.#closed(event);
      case "error":
        return this.#failed(event);
      case "link":
        return this.#step(event, (flow) => flow.remark(`joined to socket ${event.peer}`));
      case "fault":
        return event.socket === undefined ? [] : this.#step(
          { time: event.time, socket: event.socket },
          (flow) => flow.remark(`fault: ${event.fault} ${event.detail}`),
        );
      default:
        return [];
    }
  }

  #resolved({ endpoint, addrs }: EventOf<"resolve">): Buffer[] {
    this.#candidates = { left: addrs, tried: 0 };
    const addresses = addrs.flatMap(({ host }) => {
      const bytes = parseScopedIP(host);
      return bytes === undefined ? [] : [Uint8Array.from(bytes)];
    });
    const isName = parseScopedIP(endpoint.host) === undefined;
    return isName && addresses.length > 0 ? [nameResolution(addresses, endpoint.host)] : [];
  }

  #attempt(endpoint: Endpoint | Addr): Attempt {
    const { left } = this.#candidates;
    const isOne = "host" in endpoint && left.some(({ host }) => host === endpoint.host);
    if (!isOne || left.length < 2) return { endpoint, comment: undefined };
    return { endpoint, comment: `attempt ${++this.#candidates.tried} of ${left.length}` };
  }

  #opened(event: EventOf<"connected" | "accept">): Buffer[] {
    const { time, socket, localAddr, remoteAddr } = event;
    const attempt = this.#attempts.get(socket);
    this.#attempts.delete(socket);
    if (localAddr.transport === "udp") {
      this.#bindDatagram(socket, localAddr, remoteAddr as UdpAddr);
      return [];
    }
    const names: Buffer[] = [];
    const remote = this.#end(remoteAddr, socket, names);
    const local = sameFamily(this.#end(localAddr, socket, names), remote);
    // Both ends of a connection may be in one recording: its bytes are to be there once.
    const key = [local, remote].map(({ address, port }) => `${address.join(".")} ${port}`)
      .sort().join(" ");
    if (this.#owners.has(key)) return names;
    this.#owners.set(key, socket);
    this.#keys.set(socket, key);
    const flow = new TcpFlow(local, remote, socket);
    this.#flows.set(socket, flow);
    return [...names, ...this.#packets(time, flow.open(event.type === "accept", attempt?.comment))];
  }

  #moved(event: EventOf<"recv" | "send">): Buffer[] {
    const inbound = event.type === "recv";
    const datagram = this.#datagrams.get(event.socket);
    if (datagram === undefined) {
      return this.#step(event, (flow) => flow.data(inbound, event.data, event.size));
    }
    const peer = event.type === "recv" ? event.from : event.to;
    const names: Buffer[] = [];
    const remote = peer === undefined ? datagram.remote : this.#end(peer, event.socket, names);
    if (remote === undefined) return [];
    const local = sameFamily(datagram.local, remote);
    const [from, to] = inbound ? [remote, local] : [local, remote];
    const data = event.data ?? new Uint8Array(0);
    const packet = udpPacket(from, to, data, event.size);
    return [...names, ...this.#packets(event.time, [{ ...packet, inbound, comment: undefined }])];
  }

  #onWire(event: EventOf<"wire">): Buffer[] {
    this.#wire.add(event.socket);
    const { direction, data, size } = event;
    return this.#step(event, (flow) => flow.data(direction === "recv", data, size));
  }

  #describeTls({ socket, protocol, alpnProtocol }: EventOf<"handshake">): string {
    const alpn = alpnProtocol === undefined ? "" : ` with ${alpnProtocol}`;
    const next = this.#wire.has(socket) ? "" : " What follows is the plaintext.";
    return `TLS handshake done: ${protocol ?? "TLS"}${alpn}.${next}`;
  }

  #closed(event: EventOf<"close">): Buffer[] {
    const { socket, reset } = event;
    const blocks = this.#step(
      event,
      (flow) => reset ? flow.reset(false, "reset by this side") : flow.finish(false),
    );
    this.#flows.delete(socket);
    this.#datagrams.delete(socket);
    const key = this.#keys.get(socket);
    if (key !== undefined) this.#owners.delete(key);
    this.#keys.delete(socket);
    return blocks;
  }

  #failed({ time, socket, op, error }: EventOf<"error">): Buffer[] {
    if (socket === undefined) return [];
    const attempt = this.#attempts.get(socket);
    if (op === "connect" && attempt !== undefined) {
      this.#attempts.delete(socket);
      const names: Buffer[] = [];
      const remote = this.#end(attempt.endpoint, socket, names);
      const port = 1024 + socket % 64_000;
      const local = sameFamily({ address: new Uint8Array(0), port }, remote);
      const comment = [attempt.comment, error.message].filter(Boolean).join(": ");
      const flow = new TcpFlow(local, remote, socket);
      const packets = flow.refused(ANSWERED.includes(error.code), comment);
      return [...names, ...this.#packets(time, packets)];
    }
    const step = { time, socket };
    return error.code === "ECONNRESET" || error.code === "EPIPE"
      ? this.#step(step, (flow) => flow.reset(true, "reset by peer"))
      : this.#step(step, (flow) => flow.remark(error.message));
  }

  #bindDatagram(socket: number, local: UdpAddr, remote: UdpAddr | undefined): void {
    const end = (addr: UdpAddr) => this.#ends.endOf(addr, socket).end;
    this.#datagrams.set(socket, { local: end(local), remote: remote && end(remote) });
  }

  #end(addr: Addr | UdpAddr | Endpoint, socket: number, names: Buffer[]): End {
    const { end, newName } = this.#ends.endOf(addr, socket);
    if (newName !== undefined) names.push(nameResolution([end.address], newName));
    return end;
  }

  /** The blocks of a step of a connection; none if it is not known. */
  #step(
    { time, socket }: { readonly time: number; readonly socket: number },
    packetsOf: (flow: TcpFlow) => FlowPacket[],
  ): Buffer[] {
    const flow = this.#flows.get(socket);
    return flow === undefined ? [] : this.#packets(time, packetsOf(flow));
  }

  #packets(time: number, packets: readonly FlowPacket[]): Buffer[] {
    return packets.map((packet) => enhancedPacket({ ...packet, time: this.#timeOf(time) }));
  }
}

/**
 * The most bytes of a file besides the data that was recorded: 6 million packets, or 400 GB of data that
 * was left out and has packets all the same.
 */
const MAX_OVERHEAD = 512 * 1024 * 1024;

/** Makes a pcapng file of a recording. Throws a RangeError for more than 6 million packets. */
export function toPcapng(recording: Recording): Uint8Array {
  checkRecording("toPcapng", recording);
  return pcapngWithin(MAX_OVERHEAD, recording);
}

/** Makes it with so many bytes at most besides the data. */
export function pcapngWithin(most: number, { head, events }: Recording): Uint8Array {
  const encoder = new PcapngEncoder(head);
  const blocks = [encoder.start()];
  let overhead = 0;
  for (const event of events) {
    const block = encoder.add(event);
    blocks.push(block);
    overhead += block.length - ("data" in event ? event.data?.length ?? 0 : 0);
    if (overhead > most) {
      throw new RangeError(
        `the packets take at most ${formatSize(most)} besides the recorded data`,
      );
    }
  }
  return Buffer.concat([...blocks, encoder.end()]);
}
