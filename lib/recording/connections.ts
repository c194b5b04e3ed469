/**
 * The connections of a recording, each with its steps in order.
 *
 * @module
 */

import { type Addr, type Endpoint, formatAddr, type UdpAddr } from "../base/addr.ts";
import { checkRecording } from "./arguments.ts";
import type { RecordedEvent, Recording } from "./format.ts";

/** An end of a connection. */
export type Party = "client" | "server";

/** A step of a connection. */
export interface RecordedStep {
  /** The number of the event in the recording, from 1. */
  readonly event: number;
  /** Milliseconds since the recording started. */
  readonly time: number;
  /** The kind of the step. */
  readonly kind: "data" | "fin" | "reset" | "close" | "error" | "tls" | "fault";
  /** The end that did it. Undefined for a step of neither end. */
  readonly from: Party | undefined;
  /** The bytes, of data that is kept. */
  readonly data: Uint8Array | undefined;
  /** The number of bytes. */
  readonly size: number;
  /** A note, in words. */
  readonly note: string;
}

/** One connection, or one socket for datagrams. */
export interface RecordedConnection {
  /** In the order in which they began; from 1, or from the recording's `firstConnection`. */
  readonly number: number;
  /** The number of the socket. */
  readonly socket: number;
  /** The end that was recorded. */
  readonly recorded: Party;
  /** Whether it carries datagrams. */
  readonly datagrams: boolean;
  /** The address of the client, as text. */
  readonly client: string;
  /** The address of the server, as text. */
  readonly server: string;
  /** When it was begun, in milliseconds since the recording started. */
  readonly began: number;
  /** When it was open; undefined if it never was. */
  readonly opened: number | undefined;
  /** When it ended; undefined if it had not. */
  readonly ended: number | undefined;
  /** The steps, in order. */
  readonly steps: readonly RecordedStep[];
  /** The number of the socket that a relay joined it to; undefined without a relay. */
  readonly peer: number | undefined;
}

/** One connection while it is collected. */
interface Draft {
  number: number;
  socket: number;
  recorded: Party;
  datagrams: boolean;
  client: string;
  server: string;
  began: number;
  opened: number | undefined;
  ended: number | undefined;
  steps: RecordedStep[];
  peer: number | undefined;
}

/**
 * The connections of a recording, in the order in which they began. Throws a TypeError for anything but
 * a recording.
 */
export function connectionsOf(recording: Recording): RecordedConnection[] {
  checkRecording("connectionsOf", recording);
  const { events, firstConnection } = recording;
  const connections: RecordedConnection[] = [];
  const watcher: ConnectionWatcher = {
    began: (connection) => void connections.push(connection),
    stepped: (step, { steps }) => void (steps as RecordedStep[]).push(step),
  };
  const reader = new ConnectionReader(watcher, firstConnection);
  for (const event of events) reader.add(event);
  return connections;
}

/** The callbacks of a reader of connections. */
export interface ConnectionWatcher {
  /** A connection began: an attempt to connect, or one that was accepted. */
  began(connection: RecordedConnection): void;
  /** An attempt to connect succeeded. */
  opened?(connection: RecordedConnection): void;
  /** Something happened on a connection. Its `steps` have it if the watcher puts it there. */
  stepped(step: RecordedStep, connection: RecordedConnection): void;
}

/** Reads events one by one. It keeps open connections only, and no steps. */
export class ConnectionReader {
  readonly #watcher: ConnectionWatcher;
  readonly #open = new Map<number, Draft>();
  #event = 0;
  #next: number;
  #time = 0;

  /** Numbers the connections from `first` on. */
  constructor(watcher: ConnectionWatcher, first: number = 1) {
    this.#watcher = watcher;
    this.#next = first;
  }

  /** The open connection of a socket. */
  of(socket: number): RecordedConnection | undefined {
    return this.#open.get(socket);
  }

  /** Takes the next event. */
  add(event: RecordedEvent): void {
    this.#event++;
    this.#time = event.time;
    switch (event.type) {
      case "bind":
        if (event.addr.transport === "udp") this.#begin(event.socket, "server", event.addr);
        return;
      case "connect":
        this.#begin(event.socket, "client", undefined, event.endpoint);
        return;
      case "connected":
      case "accept":
        return this.#opened(event);
      case "recv":
      case "send":
        return this.#moved(event);
      case "link":
        return this.#link(event.socket, event.peer);
      default:
        if (!("socket" in event) || event.socket === undefined) return;
        return this.#happened(event as RecordedEvent & { readonly socket: number });
    }
  }

  #begin(
    socket: number,
    recorded: Party,
    local: Addr | UdpAddr | undefined,
    remote?: Addr | Endpoint | UdpAddr,
  ): Draft {
    const [own, other] = [local, remote].map((addr) => addr === undefined ? "" : formatAddr(addr));
    const draft: Draft = {
      number: this.#next++,
      socket,
      recorded,
      datagrams: local?.transport === "udp",
      client: recorded === "client" ? own : other,
      server: recorded === "client" ? other : own,
      began: this.#time,
      opened: local === undefined ? undefined : this.#time,
      ended: undefined,
      steps: [],
      peer: undefined,
    };
    this.#open.set(socket, draft);
    this.#watcher.began(draft);
    return draft;
  }

  #opened(event: Extract<RecordedEvent, { readonly type: "connected" | "accept" }>): void {
    const { type, socket, localAddr, remoteAddr } = event;
    if (type === "accept") return void this.#begin(socket, "server", localAddr, remoteAddr);
    const draft = this.#open.get(socket) ?? this.#begin(socket, "client", undefined);
    draft.opened = this.#time;
    draft.datagrams = localAddr.transport === "udp";
    draft.client = formatAddr(localAddr);
    draft.server = formatAddr(remoteAddr);
    this.#watcher.opened?.(draft);
  }

  #moved(event: Extract<RecordedEvent, { readonly type: "recv" | "send" }>): void {
    const draft = this.#open.get(event.socket);
    if (draft === undefined) return;
    const { data, size } = event;
    const from = event.type === "send" ? draft.recorded : otherOf(draft.recorded);
    const peer = event.type === "recv" ? event.from : event.to;
    const note = peer === undefined
      ? ""
      : `${event.type === "recv" ? "from" : "to"} ${formatAddr(peer)}`;
    this.#step(draft, { kind: "data", from, data, size, note });
  }

  #link(socket: number, peer: number): void {
    const [one, other] = [this.#open.get(socket), this.#open.get(peer)];
    // Of one connection alone, the other is not there.
    if (one === undefined || other === undefined) return;
    one.peer = peer;
    other.peer = socket;
  }

  #happened(event: RecordedEvent & { readonly socket: number }): void {
    const draft = this.#open.get(event.socket);
    if (draft === undefined) return;
    const [own, other] = [draft.recorded, otherOf(draft.recorded)];
    const step = (kind: RecordedStep["kind"], from: Party | undefined, note: string) =>
      this.#step(draft, { kind, from, data: undefined, size: 0, note });
    switch (event.type) {
      case "handshake":
        return step("tls", undefined, describeTls(event));
      case "eof":
        return step("fin", other, "end of the stream");
      case "shutdown":
        return step("fin", own, "half-close");
      case "fault":
        return step("fault", undefined, `fault: ${event.fault} ${event.detail}`);
      case "error": {
        const reset = event.error.code === "ECONNRESET";
        step(reset ? "reset" : "error", reset ? other : undefined, event.error.message);
        if (draft.opened === undefined) this.#end(draft);
        return;
      }
      case "close":
        // A socket for datagrams sends nothing when it is closed.
        step(
          event.reset ? "reset" : "close",
          draft.datagrams ? undefined : own,
          event.reset ? "reset" : "close",
        );
        return this.#end(draft);
    }
  }

  #step(draft: Draft, step: Omit<RecordedStep, "event" | "time">): void {
    this.#watcher.stepped({ event: this.#event, time: this.#time, ...step }, draft);
  }

  #end(draft: Draft): void {
    draft.ended = this.#time;
    this.#open.delete(draft.socket);
  }
}

function otherOf(party: Party): Party {
  return party === "client" ? "server" : "client";
}

function describeTls(event: Extract<RecordedEvent, { readonly type: "handshake" }>): string {
  const { protocol, alpnProtocol } = event;
  return `${protocol ?? "TLS"}${alpnProtocol === undefined ? "" : `, ${alpnProtocol}`}`;
}

/** Describes the end of a connection. */
export function describeEnd({ opened, ended, steps, recorded }: RecordedConnection): string {
  const decisive = steps.find(({ kind }) => kind === "reset" || kind === "error");
  if (opened === undefined) return decisive?.note ?? "not connected";
  if (decisive?.kind === "reset") return `reset by the ${decisive.from}`;
  if (decisive !== undefined) return decisive.note;
  if (ended === undefined) return "still open";
  const first = steps.find(({ kind }) => kind === "fin" || kind === "close");
  return `closed, first by the ${first?.from ?? recorded}`;
}

/** The bytes that an end has sent. */
export function bytesFrom(party: Party, { steps }: RecordedConnection): number {
  return steps.reduce((sum, { from, size }) => from === party ? sum + size : sum, 0);
}
