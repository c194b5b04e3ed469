/**
 * The bounded picture of all connections that events add up to.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import type { RecordedEvent } from "../../recording/format.ts";
import { WatchedConnection } from "./connection.ts";
import { type Race, Races } from "./dial_race.ts";
import { Totals } from "./totals.ts";

/** The bounds of a picture. */
export interface PictureBounds {
  /** The most connections. Those that ended first make room. */
  readonly connections: number;
  /** The most events of one connection: the first 100, and the last ones. */
  readonly events: number;
  /** The most characters of the lines of one connection. */
  readonly characters: number;
  /** The most characters of all lines. */
  readonly allCharacters: number;
}

/** The bounds that apply unless others are asked for. */
export const PICTURE_BOUNDS: PictureBounds = {
  connections: 2000,
  events: 1000,
  characters: 512 * 1024,
  allCharacters: 32 * 1024 * 1024,
};

/** The most errors without a connection that are kept. */
const MOST_PROBLEMS = 5;

/** An error of no connection: a name that was not found, an address in use. */
export interface Problem {
  readonly time: number;
  readonly message: string;
}

/** See the module. */
export class Picture {
  readonly totals: Totals = new Totals();
  readonly problems: Problem[] = [];
  /** Counts the changes. */
  version = 0;
  /** The time of the last event, in milliseconds since the start. */
  now = 0;
  readonly #bounds: PictureBounds;
  readonly #connections = new Map<number, WatchedConnection>();
  readonly #bySocket = new Map<number, WatchedConnection>();
  readonly #listeners = new Map<number, string>();
  readonly #races = new Races();
  #count = 0;
  #characters = 0;

  constructor(bounds: PictureBounds = PICTURE_BOUNDS) {
    this.#bounds = bounds;
  }

  /** The connections, in the order in which they began. */
  get connections(): Iterable<WatchedConnection> {
    return this.#connections.values();
  }

  /** The addresses that are listened on. */
  get listening(): string[] {
    return [...this.#listeners.values()];
  }

  /** A connection by its number. */
  get(number: number): WatchedConnection | undefined {
    return this.#connections.get(number);
  }

  /** The race with this number. */
  race(number: number): Race | undefined {
    return this.#races.get(number);
  }

  /**
   * Returns the connections that belong together: itself, the one that it is joined to, and the
   * races of both.
   */
  related(connection: WatchedConnection): WatchedConnection[] {
    const found = new Set<WatchedConnection>();
    for (const one of [connection, connection.peer]) {
      if (one === undefined) continue;
      found.add(one);
      const race = one.race === undefined ? undefined : this.#races.get(one.race);
      for (const number of race?.members ?? []) {
        const member = this.#connections.get(number);
        if (member !== undefined) found.add(member);
      }
    }
    return [...found];
  }

  /** Adds an event, and its lines in a recording. TLS on the wire, and its secrets, are not shown. */
  add(event: RecordedEvent, lines: string): void {
    if (event.type === "wire" || event.type === "keylog") return;
    this.version++;
    this.now = Math.max(this.now, event.time);
    this.totals.counts.events++;
    switch (event.type) {
      case "resolve":
        return this.#races.add(event, lines);
      case "listen":
        return void this.#listeners.set(event.socket, formatAddr(event.addr));
      case "bind":
        if (event.addr.transport === "udp") this.#bind(event, lines);
        return;
      case "connect":
        return this.#connect(event, lines);
      case "accept":
        return this.#accept(event, lines);
      default:
        return this.#happened(event, lines);
    }
  }

  #bind(event: Extract<RecordedEvent, { readonly type: "bind" }>, lines: string): void {
    this.#begin(event, "datagram", lines, formatAddr(event.addr));
  }

  #connect(event: Extract<RecordedEvent, { readonly type: "connect" }>, lines: string): void {
    const remote = formatAddr(event.endpoint);
    const connection = this.#begin(event, "connect", lines, "", remote);
    const race = this.#races.join(remote, connection.number);
    if (race === undefined) return;
    connection.race = race.number;
    if (race.name !== remote) connection.name = race.name;
  }

  #accept(event: Extract<RecordedEvent, { readonly type: "accept" }>, lines: string): void {
    const { localAddr, remoteAddr } = event;
    this.#begin(event, "accept", lines, formatAddr(localAddr), formatAddr(remoteAddr));
  }

  #begin(
    { socket, time }: { readonly socket: number; readonly time: number },
    role: "connect" | "accept" | "datagram",
    lines: string,
    local = "",
    remote = "",
  ): WatchedConnection {
    this.#makeRoom();
    const number = ++this.#count;
    const start = { number, socket, role, time, local, remote };
    const connection = new WatchedConnection(start, this.#bounds);
    this.#connections.set(number, connection);
    this.#bySocket.set(socket, connection);
    this.totals.begin(time);
    this.#keep(connection, lines);
    return connection;
  }

  #happened(event: RecordedEvent, lines: string): void {
    const { time } = event;
    if (event.type === "recv") this.totals.move(time, "bytesIn", event.size);
    if (event.type === "send") this.totals.move(time, "bytesOut", event.size);
    if (event.type === "error" && !isGivenUp(event.error.code)) this.totals.fail(time);
    const socket = "socket" in event ? event.socket : undefined;
    const connection = socket === undefined ? undefined : this.#bySocket.get(socket);
    if (connection === undefined) return this.#elsewhere(event);
    if (event.type === "connected") {
      connection.open(time, formatAddr(event.localAddr), formatAddr(event.remoteAddr));
      if (connection.race !== undefined) this.#races.end(connection.race);
    } else if (event.type === "link") this.#link(connection, this.#bySocket.get(event.peer));
    connection.add(event);
    this.#keep(connection, lines);
    if (connection.isOpen) return;
    this.#bySocket.delete(socket!);
    this.totals.end(time);
  }

  /** Counts an event of no connection: of a listener, or of no socket. */
  #elsewhere(event: RecordedEvent): void {
    if (event.type === "close") this.#listeners.delete(event.socket);
    if (event.type !== "error") return;
    this.problems.push({ time: event.time, message: event.error.message });
    if (this.problems.length > MOST_PROBLEMS) this.problems.shift();
  }

  #link(one: WatchedConnection, other: WatchedConnection | undefined): void {
    if (other === undefined) return;
    one.peer = other;
    other.peer = one;
    other.version = this.version;
  }

  #keep(connection: WatchedConnection, lines: string): void {
    connection.version = this.version;
    const { history } = connection;
    const [kept, characters] = [history.kept, history.characters];
    history.add(lines);
    this.totals.counts.droppedEvents += kept + 1 - history.kept;
    this.#characters += history.characters - characters;
    if (this.#characters > this.#bounds.allCharacters) this.#leaveOut();
  }

  /** Forgets the events of the oldest connections, those that have ended first, down to three quarters. */
  #leaveOut(): void {
    const most = this.#bounds.allCharacters * 3 / 4;
    const all = [...this.#connections.values()];
    for (const one of [...all.filter(({ isOpen }) => !isOpen), ...all]) {
      if (this.#characters <= most) return;
      this.#forget(one);
      one.version = this.version;
    }
  }

  #makeRoom(): void {
    if (this.#connections.size < this.#bounds.connections) return;
    const found = this.#firstEnded();
    if (found.isOpen) {
      this.#bySocket.delete(found.socket);
      this.totals.counts.open--;
    }
    this.#forget(found);
    this.#connections.delete(found.number);
    this.totals.counts.droppedConnections++;
  }

  /** The oldest connection that has ended; if none has, the oldest. */
  #firstEnded(): WatchedConnection {
    let oldest: WatchedConnection | undefined;
    for (const connection of this.#connections.values()) {
      if (!connection.isOpen) return connection;
      oldest ??= connection;
    }
    return oldest!;
  }

  #forget({ history }: WatchedConnection): void {
    this.totals.counts.droppedEvents += history.kept;
    this.#characters -= history.characters;
    history.clear();
  }
}

/** Whether the program gave it up itself, such as the loser of a race. That is not a failure. */
function isGivenUp(code: string): boolean {
  return code === "ECANCELED" || code === "ECLOSED";
}
