/**
 * One connection as the page shows it: what its events add up to.
 *
 * @module
 */

import { formatSize } from "../../base/size.ts";
import type { RecordedEvent } from "../../recording/format.ts";
import { History, type HistoryBounds } from "./history.ts";

/** The role of this side: it connected, it accepted, or it has a socket for datagrams. */
export type Role = "connect" | "accept" | "datagram";

/** The state of a socket, as `ss` and the RFC of TCP name it. */
export type SocketState =
  | "SYN-SENT"
  | "ESTAB"
  | "CLOSE-WAIT"
  | "FIN-WAIT"
  | "LAST-ACK"
  | "UNCONN"
  | "CLOSED";

/** An end of a connection, as the program sees it. */
export type End = "this side" | "the peer";

/** The state of a connection. */
export type Outcome = "open" | "closed" | "reset" | "failed" | "lost";

/** The view of a connection for the page. Times are in milliseconds since the start. */
export interface ConnectionView {
  readonly number: number;
  readonly role: Role;
  readonly local: string;
  readonly remote: string;
  /** The name that was resolved to `remote`, if it was a name. */
  readonly name: string | undefined;
  readonly state: SocketState;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly began: number;
  readonly opened: number | undefined;
  readonly ended: number | undefined;
  /** The number of the connection that it is joined to. */
  readonly peer: number | undefined;
  /** The number of the race that it takes part in. */
  readonly race: number | undefined;
  /** `TLSv1.3, http/1.1`. */
  readonly tls: string | undefined;
  readonly faults: number;
  readonly outcome: Outcome;
  /** The end of it, in a few words. */
  readonly end: string;
  /** Why, in sentences: who closed, and what may be lost. */
  readonly why: string;
  readonly events: number;
  /** The number of events that are not kept. */
  readonly leftOut: number;
}

/** The start of a {@linkcode WatchedConnection}. */
export interface ConnectionStart {
  readonly number: number;
  /** The number of the socket in the events. */
  readonly socket: number;
  readonly role: Role;
  readonly time: number;
  readonly local?: string;
  readonly remote?: string;
}

/** See the module. */
export class WatchedConnection {
  readonly number: number;
  readonly socket: number;
  readonly history: History;
  /** The count of changes of the whole picture when this one changed last. */
  version = 0;
  local: string;
  remote: string;
  name: string | undefined;
  peer: WatchedConnection | undefined;
  race: number | undefined;
  readonly #role: Role;
  readonly #began: number;
  #opened: number | undefined;
  #ended: number | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  #tls: string | undefined;
  #faults = 0;
  /** The end that sent FIN, or closed, first; and whether the other did, too. */
  #finFirst: End | undefined;
  #finOfPeer = false;
  #finOfThis = false;
  #resetBy: End | undefined;
  #error: { readonly code: string; readonly message: string } | undefined;

  constructor(
    { number, socket, role, time, local = "", remote = "" }: ConnectionStart,
    bounds: HistoryBounds,
  ) {
    this.number = number;
    this.socket = socket;
    this.history = new History(bounds);
    this.local = local;
    this.remote = remote;
    this.#role = role;
    this.#began = time;
    if (role !== "connect") this.#opened = time;
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** It is connected. */
  open(time: number, local: string, remote: string): void {
    this.#opened = time;
    this.local = local;
    this.remote = remote;
  }

  /** Adds what an event says. */
  add(event: RecordedEvent): void {
    switch (event.type) {
      case "recv":
        this.#bytesIn += event.size;
        return;
      case "send":
        this.#bytesOut += event.size;
        return;
      case "handshake":
        this.#tls = [event.protocol ?? "TLS", event.alpnProtocol].filter(Boolean).join(", ");
        return;
      case "fault":
        this.#faults++;
        return;
      case "eof":
        this.#finOfPeer = true;
        this.#finFirst ??= "the peer";
        return;
      case "shutdown":
        this.#finOfThis = true;
        this.#finFirst ??= "this side";
        return;
      case "error":
        return this.#failed(event.error, event.time);
      case "close":
        if (event.reset) this.#resetBy ??= "this side";
        this.#finFirst ??= "this side";
        this.#ended = event.time;
    }
  }

  /** Returns the view for the page. */
  view(): ConnectionView {
    const { number, local, remote, name, peer, race, history } = this;
    const outcome = this.#outcome();
    return {
      number,
      role: this.#role,
      local,
      remote,
      name,
      state: this.#state(),
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      began: this.#began,
      opened: this.#opened,
      ended: this.#ended,
      peer: peer?.number,
      race,
      tls: this.#tls,
      faults: this.#faults,
      outcome,
      end: this.#end(outcome),
      why: this.#why(outcome),
      events: history.count,
      leftOut: history.count - history.kept,
    };
  }

  #failed(error: { readonly code: string; readonly message: string }, time: number): void {
    if (error.code === "ECONNRESET") this.#resetBy ??= "the peer";
    this.#error ??= error;
    if (this.#opened === undefined) this.#ended ??= time;
  }

  #outcome(): Outcome {
    if (this.#ended !== undefined && this.#opened === undefined) {
      return this.#error?.code === "ECANCELED" && this.race !== undefined ? "lost" : "failed";
    }
    if (this.#resetBy !== undefined) return "reset";
    if (this.#ended === undefined) return "open";
    return this.#error === undefined ? "closed" : "failed";
  }

  #state(): SocketState {
    if (this.#ended !== undefined || this.#resetBy !== undefined) return "CLOSED";
    if (this.#role === "datagram") return this.remote === "" ? "UNCONN" : "ESTAB";
    if (this.#opened === undefined) return "SYN-SENT";
    if (this.#finOfPeer) return this.#finOfThis ? "LAST-ACK" : "CLOSE-WAIT";
    return this.#finOfThis ? "FIN-WAIT" : "ESTAB";
  }

  #end(outcome: Outcome): string {
    switch (outcome) {
      case "open":
        return "";
      case "closed":
        return `closed by ${this.#finFirst}`;
      case "reset":
        return `reset by ${this.#resetBy}`;
      case "lost":
        return "lost the race";
      case "failed":
        return this.#error!.code;
    }
  }

  #why(outcome: Outcome): string {
    const bytes = `This side sent ${formatSize(this.#bytesOut)} and received ${
      formatSize(this.#bytesIn)
    }.`;
    const faults = this.#faults === 0 ? "" : " A fault was applied here on purpose.";
    return `${this.#reason(outcome)} ${this.#opened === undefined ? "" : bytes}`.trim() + faults;
  }

  #reason(outcome: Outcome): string {
    switch (outcome) {
      case "open":
        return this.#openReason();
      case "closed":
        return this.#closedReason();
      case "reset":
        return this.#resetBy === "the peer"
          ? "The peer reset the connection (RST). It may not have read all that this side sent."
          : "This side reset the connection (RST; Deno can only send FIN). What the peer " +
            "had not read yet may be lost.";
      case "lost":
        return "Another address of the name connected first, so this attempt was given up.";
      case "failed":
        return this.#error!.message;
    }
  }

  #openReason(): string {
    if (this.#role === "datagram") return "The socket is open.";
    if (this.#opened === undefined) return "The peer has not answered yet.";
    if (this.#finOfPeer && this.#finOfThis) return "Both sides have ended their streams (FIN).";
    if (this.#finOfPeer) return "The peer has ended its stream (FIN). This side can still send.";
    if (this.#finOfThis) return "This side has ended its stream (FIN). The peer can still send.";
    return "The connection is open in both directions.";
  }

  #closedReason(): string {
    if (this.#role === "datagram") return "This side closed the socket.";
    if (this.#finFirst === "the peer") {
      return "The peer ended its stream first (FIN), and this side closed. Both streams ended in order.";
    }
    if (this.#finOfPeer) {
      return "This side ended its stream first (FIN), and the peer followed. Both streams ended in order.";
    }
    return "This side closed before the peer ended its stream. What the peer sent after that is lost.";
  }
}
