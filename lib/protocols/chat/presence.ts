/**
 * The members of the same room on other servers. Each server publishes the changes among its own
 * members, and its version every 5 s. A server that has missed a change asks for all members.
 *
 * @module
 */

import { type Clock, setSweep } from "../../base/clock.ts";
import type { BusMember, BusPresence } from "./bus.ts";
import { ROSTER_PART, ROSTER_PARTS } from "./bus_message.ts";
import { keyOf } from "./clean_text.ts";
import { afterForged, isLate } from "./sequence_numbers.ts";
import type { ChatMessage } from "./room_messages.ts";

/** How often a server says that it is there, in milliseconds. */
const ALIVE_MS = 5000;
/** After such a silence a server counts as down, in milliseconds. */
const DOWN_MS = 30_000;
/** A server is asked for its members, and answers, at most once in so many milliseconds. */
const ASK_MS = 1000;
const MAX_SERVERS = 1000;
const MAX_MEMBERS = ROSTER_PART * ROSTER_PARTS;

/** A change among the names of other servers. */
export type PresenceChange = Extract<ChatMessage, { type: "joined" | "left" | "renamed" }>;

type Roster = Extract<BusPresence, { type: "roster" }>;

/** Options of {@linkcode Presence}. */
export interface PresenceOptions {
  /** The id of this server. */
  readonly id: string;
  readonly clock: Clock;
  publish(message: BusPresence): void;
  /** Names of other servers changed. */
  onChanges(changes: readonly PresenceChange[]): void;
  /** A member of this server has to give up its name: another one has had it for longer. */
  onLost(name: string): void;
}

/** A name that somebody has, and since when, in milliseconds since 1970. */
interface Claim {
  readonly name: string;
  readonly since: number;
}

/** The state of another server, as far as it is known. */
interface Server {
  readonly id: string;
  version: number;
  readonly claims: Map<string, Claim & { readonly server: string }>;
  /** When it was last heard, and last asked for its members. */
  heard: number;
  asked: number;
  /** The parts of a roster that have arrived. */
  parts: BusMember[][];
}

/** See the module. */
export class Presence {
  readonly #options: PresenceOptions;
  /** The members of this server by the keys of their names. */
  readonly #own = new Map<string, Claim>();
  readonly #servers = new Map<string, Server>();
  /** The servers that have a claim to a name, by its key. */
  readonly #claimants = new Map<string, Set<Server>>();
  /** The names of other servers that count, by their keys. */
  readonly #shown = new Map<string, string>();
  #version = 0;
  #answered = -Infinity;
  #cancel: (() => void) | undefined;
  #ended = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** The names of members of other servers. */
  names(): Iterable<string> {
    return this.#shown.values();
  }

  /** The name that somebody on another server has under a key. */
  holderOf(key: string): string | undefined {
    return this.#shown.get(key);
  }

  /** A member of this server has come. */
  join(name: string): void {
    const claim = { name, since: Date.now() };
    this.#own.set(keyOf(name), claim);
    this.#publish({ type: "joined", ...this.#change(), ...claim });
    this.#cancel ??= this.#later();
  }

  /** A member of this server has left. */
  leave(name: string): void {
    this.#own.delete(keyOf(name));
    this.#publish({ type: "left", ...this.#change(), name });
    this.#tell(this.#refresh([keyOf(name)]));
    if (this.#own.size === 0) this.#stop();
  }

  /** A member of this server has another name. */
  rename(name: string, newName: string): void {
    const [key, newKey] = [keyOf(name), keyOf(newName)];
    const since = key === newKey ? this.#own.get(key)!.since : Date.now();
    this.#own.delete(key);
    this.#own.set(newKey, { name: newName, since });
    this.#publish({ type: "renamed", ...this.#change(), name, newName, since });
    this.#tell(this.#refresh([key, newKey]));
  }

  /** This server stops: the others need not hear of each member. */
  end(): void {
    this.#publish({ type: "bye", server: this.#options.id });
    this.#ended = true;
    this.#stop();
  }

  /** The bus is up: what was published before may have been lost. */
  onUp(): void {
    this.#publish({ type: "alive", server: this.#options.id, version: this.#version });
    this.#publish({ type: "who", server: this.#options.id, of: "" });
  }

  /** Drops the servers that have been silent for too long. */
  sweep(): void {
    const limit = this.#options.clock.now() - DOWN_MS;
    for (const [id, { heard }] of this.#servers) if (heard <= limit) this.#drop(id);
  }

  /** Takes what another server says. */
  receive(message: BusPresence): void {
    const { server: id } = message;
    if (this.#ended) return;
    if (id === this.#options.id) return this.#onOwn(message);
    if (message.type === "who") return this.#answer(message.of);
    if (message.type === "bye") return this.#drop(id);
    const server = this.#serverOf(id);
    if (server === undefined) return;
    server.heard = this.#options.clock.now();
    const { version } = message;
    if (message.type === "roster") return this.#takePart(id, server, message);
    if (message.type === "alive") {
      if (version !== server.version) this.#ask(id, server);
    } else if (version === server.version + 1) {
      server.version = version;
      this.#settle(this.#apply(server, message), message.type === "renamed");
    } else if (!isLate(version, server.version)) this.#ask(id, server);
  }

  /** Takes what came in the name of this server. */
  #onOwn(message: BusPresence): void {
    if (!("version" in message)) return;
    this.#version = afterForged(this.#version, message.version);
    // With a version of its own the others notice, and ask.
    if (message.type === "roster" && this.#isForged(message)) this.#version++;
  }

  /** Whether a roster of the current version is not what this server answers. */
  #isForged({ version, part, parts, members }: Roster): boolean {
    if (version !== this.#version) return false;
    const own = this.#roster();
    const isEqual = ([name, since]: BusMember, i: number) =>
      own[part][i][0] === name && own[part][i][1] === since;
    return parts !== own.length || members.length !== own[part].length || !members.every(isEqual);
  }

  #apply(
    server: Server,
    message: Extract<BusPresence, { type: "joined" | "left" | "renamed" }>,
  ): string[] {
    const key = keyOf(message.name);
    if (message.type !== "joined") this.#disclaim(server, key);
    if (message.type === "left") return [key];
    const { since } = message;
    const name = message.type === "joined" ? message.name : message.newName;
    if (this.#count() < MAX_MEMBERS) this.#claim(server, { name, since });
    return [key, keyOf(name)];
  }

  #claim(server: Server, claim: Claim): void {
    const key = keyOf(claim.name);
    server.claims.set(key, { ...claim, server: server.id });
    const claimants = this.#claimants.get(key);
    if (claimants === undefined) this.#claimants.set(key, new Set([server]));
    else claimants.add(server);
  }

  #disclaim(server: Server, key: string): void {
    server.claims.delete(key);
    const claimants = this.#claimants.get(key);
    claimants?.delete(server);
    if (claimants?.size === 0) this.#claimants.delete(key);
  }

  #disclaimAll(server: Server): string[] {
    const keys = [...server.claims.keys()];
    for (const key of keys) this.#disclaim(server, key);
    return keys;
  }

  #count(): number {
    let count = 0;
    for (const { claims } of this.#servers.values()) count += claims.size;
    return count;
  }

  /** The members in rosters that are not complete. */
  #waiting(): number {
    let count = 0;
    for (const { parts } of this.#servers.values()) {
      for (const part of parts) count += part.length;
    }
    return count;
  }

  /** Forgets them: those that are alive are asked again. */
  #forgetParts(): void {
    for (const server of this.#servers.values()) server.parts = [];
  }

  #takePart(id: string, server: Server, message: Roster): void {
    if (isLate(message.version, server.version - 1)) return;
    if (message.part === 0) server.parts = [];
    // One is missing: the next `alive` leads to another question.
    if (message.part !== server.parts.length) return;
    if (this.#waiting() + message.members.length > MAX_MEMBERS) return this.#forgetParts();
    server.parts.push([...message.members]);
    if (server.parts.length < message.parts) return;
    const members = server.parts.flat();
    server.parts = [];
    const before = this.#disclaimAll(server);
    server.version = message.version;
    const room = MAX_MEMBERS - this.#count();
    for (const [name, since] of members.slice(0, room)) this.#claim(server, { name, since });
    this.#servers.set(id, server);
    this.#settle([...before, ...server.claims.keys()]);
  }

  /** Has members give up names, then tells what changed. */
  #settle(keys: Iterable<string>, isRename = false): void {
    const changed = [...new Set(keys)];
    const lost = new Set(changed.filter((key) => {
      const own = this.#own.get(key);
      const other = own && this.#best(key);
      return other !== undefined && isOlder(other, { ...own!, server: this.#options.id });
    }));
    const changes = this.#refresh(changed.filter((key) => !lost.has(key)));
    const [first, second] = changes;
    // Unless one of the names was, or is, that of somebody else.
    if (isRename && changes.length === 2) {
      this.#tell([{ type: "renamed", name: first.name, newName: second.name }]);
    } else this.#tell(changes);
    for (const key of lost) this.#options.onLost(this.#own.get(key)!.name);
  }

  /** Finds out which names count now, and returns what changed. */
  #refresh(keys: readonly string[]): PresenceChange[] {
    const gone: string[] = [];
    const come: string[] = [];
    for (const key of keys) {
      const before = this.#shown.get(key);
      const after = this.#own.has(key) ? undefined : this.#best(key)?.name;
      if (after === before) continue;
      if (before !== undefined) gone.push(before);
      if (after === undefined) this.#shown.delete(key);
      else {
        this.#shown.set(key, after);
        come.push(after);
      }
    }
    return [
      ...gone.map((name) => ({ type: "left" as const, name })),
      ...come.map((name) => ({ type: "joined" as const, name })),
    ];
  }

  /** The claim that counts among those of other servers. */
  #best(key: string): Claim & { server: string } | undefined {
    let best: Claim & { server: string } | undefined;
    for (const { claims } of this.#claimants.get(key) ?? []) {
      const one = claims.get(key)!;
      if (best === undefined || isOlder(one, best)) best = one;
    }
    return best;
  }

  #tell(changes: readonly PresenceChange[]): void {
    if (changes.length > 0) this.#options.onChanges(changes);
  }

  #serverOf(id: string): Server | undefined {
    const known = this.#servers.get(id);
    if (known !== undefined) return known;
    if (this.#servers.size >= MAX_SERVERS) this.sweep();
    if (this.#servers.size >= MAX_SERVERS) return undefined;
    const server: Server = {
      id,
      version: 0,
      claims: new Map(),
      heard: 0,
      asked: -Infinity,
      parts: [],
    };
    this.#servers.set(id, server);
    return server;
  }

  #drop(id: string): void {
    const server = this.#servers.get(id);
    this.#servers.delete(id);
    if (server !== undefined) this.#settle(this.#disclaimAll(server));
  }

  #ask(id: string, server: Server): void {
    const now = this.#options.clock.now();
    if (now - server.asked < ASK_MS) return;
    server.asked = now;
    this.#publish({ type: "who", server: this.#options.id, of: id });
  }

  #answer(of: string): void {
    const { id: server, clock } = this.#options;
    const version = this.#version;
    if (of === "") return this.#publish({ type: "alive", server, version });
    if (of !== server || clock.now() - this.#answered < ASK_MS) return;
    this.#answered = clock.now();
    const parts = this.#roster();
    parts.forEach((members, part) => {
      this.#publish({ type: "roster", server, version, part, parts: parts.length, members });
    });
  }

  /** The members of this server, in the parts in which they are published. */
  #roster(): BusMember[][] {
    const members = Array.from(this.#own.values(), ({ name, since }) => [name, since] as const);
    const parts = Math.max(1, Math.min(ROSTER_PARTS, Math.ceil(members.length / ROSTER_PART)));
    return Array.from(
      { length: parts },
      (_, part) => members.slice(part * ROSTER_PART, (part + 1) * ROSTER_PART),
    );
  }

  #change(): { server: string; version: number } {
    return { server: this.#options.id, version: ++this.#version };
  }

  #publish(message: BusPresence): void {
    if (!this.#ended) this.#options.publish(message);
  }

  #later(): () => void {
    const { clock } = this.#options;
    const start = clock.now();
    return setSweep(clock, ALIVE_MS, (isLate) => {
      if (isLate) this.#excuse(clock.now() - start - ALIVE_MS);
      this.#cancel = this.#later();
      this.#publish({ type: "alive", server: this.#options.id, version: this.#version });
      this.sweep();
    });
  }

  /** This server has stood still: what the others sent meanwhile has not been read yet. */
  #excuse(ms: number): void {
    for (const server of this.#servers.values()) server.heard += ms;
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

/** Whether one claim wins over another: the older one does; of two of the same age, the smaller id. */
function isOlder(a: Claim & { server: string }, b: Claim & { server: string }): boolean {
  return a.since < b.since || a.since === b.since && a.server < b.server;
}
