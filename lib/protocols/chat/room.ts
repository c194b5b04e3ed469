/**
 * The room of a chat: who is there, what they are called, and who hears what.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import { type Clock, inNextTurn, systemClock } from "../../base/clock.ts";
import { lines } from "../../frames/delimiter.ts";
import type { Framing } from "../../frames/framing.ts";
import type { Bus, BusState, ChatPosition } from "./bus.ts";
import { checkedMessage } from "./bus_message.ts";
import { Delivery } from "./delivery.ts";
import { Member } from "./member.ts";
import { memoryBus } from "./memory_bus.ts";
import { afterForged } from "./sequence_numbers.ts";
import { Presence, type PresenceChange } from "./presence.ts";
import { cleanText, isName, keyOf } from "./clean_text.ts";
import type { Voice } from "./lines_or_messages.ts";
import { type ChatMessage, Word } from "./room_messages.ts";

/** Told to all when the server stops. */
const STOPPING = "The server stops. Goodbye!";

/** The notice to all members when the bus is down. */
const AWAY = "The other servers are out of reach: only those on this one hear you.";
/** The notice to all members when the bus is back. */
const BACK = "The other servers can be reached again.";
/** The most names that are listed. The others are counted. */
const MAX_NAMES = 1000;
/** The most changes that get a message each; more at once share one. */
const MAX_CHANGES = 20;
/** Options of {@linkcode chat}. */
export interface ChatOptions {
  /** Aborting it sends everybody a last line, and ends all connections. */
  readonly signal?: AbortSignal;
  /** The most bytes of a line, its end not counted; 4096 at most. Default: 1000. */
  readonly maxLine?: number;
  /** The most bytes that may wait for a client, over which it is dropped. Default: 256 KiB. */
  readonly maxQueue?: number;
  /** Called when a member comes, goes or has another name. */
  readonly onEvent?: (event: ChatEvent) => void;
  /**
   * The bus that carries the room to other servers. It stays open; `signal` ends the room's part in
   * it. Default: one of its own, so that the room has one server and keeps no lines.
   */
  readonly bus?: Bus;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

/** Somebody came, went, or is called something else. */
export type ChatEvent =
  | { readonly type: "join"; readonly name: string; readonly client: Addr }
  | { readonly type: "leave"; readonly name: string; readonly client: Addr }
  | { readonly type: "rename"; readonly name: string; readonly newName: string };

/** All who are there. */
export class Room {
  /** The members by the key of their names: names with the same key count as the same. */
  readonly #members = new Map<string, Member>();
  readonly #signal: AbortSignal | undefined;
  /** The framing of lines, with the most bytes of one. */
  readonly framing: Framing;
  readonly clock: Clock;
  readonly #maxQueue: number;
  readonly #onEvent: (event: ChatEvent) => void;
  /** The server's id on the bus. */
  readonly #id: string = Math.random().toString(36).slice(2).padEnd(8, "0");
  readonly #bus: Bus;
  readonly #delivery: Delivery;
  /** Undefined if there are no other servers. */
  readonly #presence: Presence | undefined;
  #guests = 0;
  /** The number of the last line that a member of this server has said. */
  #lines = 0;
  /** There are lines to send in this turn of the event loop; resolved when that has begun. */
  #turn: Promise<void> | undefined;

  constructor(options: ChatOptions) {
    this.#signal = options.signal;
    this.framing = lines({ maxSize: options.maxLine ?? 1000 });
    this.#maxQueue = options.maxQueue ?? 256 * 1024;
    this.#onEvent = options.onEvent ?? (() => {});
    this.clock = options.clock ?? systemClock;
    this.#bus = options.bus ?? memoryBus();
    this.#delivery = new Delivery({
      server: this.#id,
      bus: this.#bus,
      clock: this.clock,
      members: () => this.#members.values(),
      sendSoon: () => this.#sendSoon(),
    });
    this.#presence = options.bus && this.#makePresence();
    const unsubscribe = this.#bus.subscribe({
      onMessage: (message, position) => this.#onMessage(message, position),
      onStart: (position) => this.#delivery.onStart(position),
      onState: (state) => this.#onState(state),
    });
    const end = () => {
      this.#presence?.end();
      unsubscribe();
      for (const member of this.#members.values()) this.#dismiss(member, STOPPING, true);
    };
    // One for all: a listener for each member would be more than Node expects of a signal.
    if (this.#signal?.aborted) end();
    else this.#signal?.addEventListener("abort", end, { once: true });
  }

  #makePresence(): Presence {
    return new Presence({
      id: this.#id,
      clock: this.clock,
      publish: (message) => void this.#bus.publish(message),
      onChanges: (changes) => this.#onChanges(changes),
      onLost: (name) => this.#onLost(name),
    });
  }

  /**
   * Has a client take part until it leaves; it gets the lines after `from`. Rejects if its connection
   * is lost.
   */
  async converse(voice: Voice, from?: ChatPosition): Promise<void> {
    const member = this.#join(voice, from);
    if (this.#signal?.aborted) this.#dismiss(member, STOPPING, true);
    try {
      await voice.listen({
        onLine: (text) => this.#onLine(member, text),
        onTooLong: () =>
          this.#notice(
            member,
            `A line has at most ${this.framing.maxSize} bytes: nobody got yours.`,
          ),
        onAnswer: (answer) => {
          member.push(answer);
          this.#sendSoon();
        },
        turn: () => member.saying ?? this.#turn,
      });
    } catch (error) {
      if (!member.ending) throw error;
    } finally {
      this.#leave(member);
    }
    await member.end();
  }

  /** Sends a member a last line, and ends its connection. */
  #dismiss(member: Member, word: string, goingAway: boolean): void {
    this.#notice(member, word);
    void member.end(goingAway);
  }

  #onLine(member: Member, line: string): void {
    // Lines after /quit are dropped.
    if (member.ending) return;
    const text = cleanText(line);
    if (text.startsWith("/")) this.#onCommand(member, text);
    else if (text !== "") this.#say(member, text);
  }

  #onCommand(member: Member, text: string): void {
    const [command, ...rest] = text.trimEnd().split(/\s+/);
    if (command === "/nick" && rest.length > 0) this.#rename(member, rest.join(" "));
    else if (command === "/quit") this.#dismiss(member, "Goodbye!", false);
    else this.#notice(member, "There are two commands: /nick NAME and /quit");
  }

  #say(member: Member, text: string): void {
    const { id, name } = member;
    const published = this.#bus.publish({
      type: "said",
      server: this.#id,
      member: id,
      number: ++this.#lines,
      name,
      text,
    });
    if (published === undefined) return;
    const start = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const saying = published.then((result) => {
      if (result === "refused") {
        this.#notice(member, `Nobody got this, since it could not be kept: ${start}`);
      }
    }, () => {
      this.#notice(member, `It is not known whether the others got this: ${start}`);
    }).finally(() => {
      if (member.saying === saying) member.saying = undefined;
    });
    member.saying = saying;
  }

  #onMessage(value: unknown, position: ChatPosition | undefined): void {
    const message = checkedMessage(value);
    if (message?.type === "said") {
      if (message.server === this.#id) this.#lines = afterForged(this.#lines, message.number);
      this.#delivery.onLine(message, position);
    } else if (position !== undefined) this.#delivery.skip(position);
    else if (message !== undefined) this.#presence?.receive(message);
  }

  #onState(state: BusState): void {
    if (state === "up") {
      this.#delivery.onUp();
      this.#presence?.onUp();
    } else this.#delivery.onDown();
    this.#tellAll({ type: "notice", text: state === "up" ? BACK : AWAY });
  }

  #rename(member: Member, newName: string): void {
    const key = keyOf(newName);
    const holder = this.#members.get(key);
    const taken = holder === member ? undefined : holder?.name ?? this.#presence?.holderOf(key);
    if (!isName(newName)) {
      return this.#notice(member, "A name has 1 to 20 letters, digits, '-' and '_'.");
    }
    if (taken !== undefined) return this.#notice(member, `There is a ${taken} already.`);
    this.#call(member, newName);
  }

  /** Gives a member a name that is free. */
  #call(member: Member, newName: string): void {
    const { name } = member;
    this.#members.delete(keyOf(name));
    this.#members.set(keyOf(newName), member);
    member.name = newName;
    this.#tell(member, { type: "you", name: newName });
    this.#tellOthers(member, new Word({ type: "renamed", name, newName }));
    this.#onEvent({ type: "rename", name, newName });
    this.#presence?.rename(name, newName);
  }

  /** Somebody on another server has had a name for longer than the member here. */
  #onLost(name: string): void {
    const member = this.#members.get(keyOf(name));
    if (member === undefined) return;
    this.#notice(member, `On another server there was a ${name} before.`);
    this.#call(member, this.#freeName());
  }

  /**
   * A name that nobody has. Servers that cannot reach each other do not take the same one: it has a part
   * that is this server's own.
   */
  #freeName(): string {
    const ending = this.#bus.isLocal ? "" : `-${this.#id.slice(0, 4)}`;
    for (;;) {
      const name = `guest${++this.#guests}${ending}`;
      const key = keyOf(name);
      if (!this.#members.has(key) && this.#presence?.holderOf(key) === undefined) return name;
    }
  }

  #join(voice: Voice, from: ChatPosition | undefined): Member {
    this.#presence?.sweep();
    const name = this.#freeName();
    const member = new Member(this.#guests, name, voice, this.#maxQueue, this.clock);
    const { names: others, more } = this.#names();
    this.#members.set(keyOf(name), member);
    this.#tell(member, {
      type: "welcome",
      name,
      others,
      more,
      position: from ?? this.#delivery.position,
    });
    if (this.#bus.state === "down") this.#notice(member, AWAY);
    if (from !== undefined) this.#delivery.resume(member, from);
    this.#tellOthers(member, new Word({ type: "joined", name }));
    this.#onEvent({ type: "join", name, client: voice.addr });
    this.#presence?.join(name);
    return member;
  }

  #leave(member: Member): void {
    const { name, voice } = member;
    member.hasLeft = true;
    this.#members.delete(keyOf(name));
    this.#tellOthers(member, new Word({ type: "left", name }));
    this.#onEvent({ type: "leave", name, client: voice.addr });
    this.#presence?.leave(name);
  }

  /** All who are here, on whatever server. */
  #names(): { names: string[]; more: number | undefined } {
    const all = Array.from(this.#members.values(), ({ name }) => name);
    all.push(...this.#presence?.names() ?? []);
    const more = all.length - MAX_NAMES;
    return { names: all.slice(0, MAX_NAMES), more: more > 0 ? more : undefined };
  }

  /** Names of other servers changed. */
  #onChanges(changes: readonly PresenceChange[]): void {
    if (changes.length > MAX_CHANGES) this.#tellAll({ type: "people", ...this.#names() });
    else for (const change of changes) this.#tellAll(change);
  }

  /** Says something to one, in the name of the server. */
  #notice(member: Member, text: string): void {
    this.#tell(member, { type: "notice", text });
  }

  #tell(member: Member, message: ChatMessage): void {
    member.tell(new Word(message));
    this.#sendSoon();
  }

  #tellAll(message: ChatMessage): void {
    this.#tellOthers(undefined, new Word(message));
  }

  #tellOthers(member: Member | undefined, word: Word): void {
    if (this.#members.size === 0) return;
    for (const other of this.#members.values()) if (other !== member) other.tell(word);
    this.#sendSoon();
  }

  /** All that is said in a turn of the event loop goes to each member in one write. */
  #sendSoon(): void {
    this.#turn ??= new Promise((resolve) =>
      inNextTurn(() => {
        this.#turn = undefined;
        for (const member of this.#members.values()) void member.flush();
        resolve();
      })
    );
  }
}
