/**
 * Delivers lines to members, and earlier lines to those that have not got them yet.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Bus, BusLine, ChatPosition } from "./bus.ts";
import { History, type KeptLine } from "./history.ts";
import type { Member } from "./member.ts";
import { isLate } from "./sequence_numbers.ts";
import { Word } from "./room_messages.ts";

/** The number of lines that a member who comes back is sent at a time. */
const CATCH_UP = 50;

/**
 * How long a member may have heard more than its server, in milliseconds. A bus that is cut off counts as
 * down earlier.
 */
const AHEAD_MS = 30_000;

const MAX_SERVERS = 1000;

/** Options of {@linkcode Delivery}. */
export interface DeliveryOptions {
  /** The id of this server. */
  readonly server: string;
  readonly bus: Bus;
  readonly clock: Clock;
  /** All members of this server. */
  members(): Iterable<Member>;
  /** Has the queues of the members be sent. */
  sendSoon(): void;
}

/** See the module. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #history: History;
  /** The number of the last line of each server. */
  readonly #numbers = new Map<string, number>();
  /** Whether what the bus had kept when the room began has arrived. */
  #isLoaded = false;
  /** Whether the bus is up. */
  #isUp = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#history = new History(options.bus.history);
  }

  /** The position of the next line. Undefined if that is not known, or lines are not kept. */
  get position(): ChatPosition | undefined {
    return this.#history.end;
  }

  /** Takes a line; `position` if it is kept. */
  onLine(said: BusLine, position: ChatPosition | undefined): void {
    if (position === undefined && !this.#isNew(said)) return;
    const { server, member, name, text } = said;
    const message = { type: "said", name, text, position } as const;
    const line = { offset: position?.offset ?? 0, server, member, message };
    const word = new Word(message);
    if (position !== undefined) this.#keep(line, position);
    for (const listener of this.#options.members()) {
      if (position === undefined) this.#hear(listener, line, word);
      else this.#hearKept(listener, line, word, position);
    }
    this.#options.sendSoon();
  }

  /** Takes the position of what is kept but not a valid line: no line is missing there. */
  skip(position: ChatPosition): void {
    this.#keep({ offset: position.offset, server: "", member: 0, message: undefined }, position);
  }

  /** Lines are missing in front of what the bus delivers next, unless it is the beginning. */
  onStart(position: ChatPosition): void {
    const { end } = this.#history;
    const isBack = isAhead(end, position);
    this.#history.start(position);
    for (const member of this.#options.members()) {
      const { seen, catchingUp } = member;
      const hasMissed = seen === undefined ? end !== undefined : !covers(seen, position);
      if ((hasMissed || isBack) && !catchingUp) this.#tellGap(member, position);
    }
  }

  /** Has a member go on after the last line that it has heard. */
  resume(member: Member, from: ChatPosition): void {
    if (this.#options.bus.history === 0) return this.#tellGap(member, undefined);
    const { end } = this.#history;
    member.seen = from;
    member.resumed = this.#options.clock.now();
    // The bus will say what is missing.
    if (end === undefined) return;
    // Another server knows more: this one has lost the bus, and may not know that yet.
    if (isLater(from, end)) this.#tellGap(member, end);
    else void this.#catchUp(member, from);
  }

  /** The bus is up, and all that it keeps has arrived. */
  onUp(): void {
    this.#isLoaded = true;
    this.#isUp = true;
    const { end } = this.#history;
    for (const member of this.#options.members()) {
      if (isAhead(member.seen, end) && !member.catchingUp) this.#tellGap(member, end);
    }
  }

  /** The bus has gone. */
  onDown(): void {
    this.#isUp = false;
  }

  /**
   * Whether a line that is not kept is behind the last one of its server. A connection to the bus that was
   * lost may still deliver what was sent on it, after what came on the next one.
   */
  #isNew({ server, number }: BusLine): boolean {
    // Its own ones come from itself, in order. A forged one does not silence it.
    if (server === this.#options.server) return true;
    const last = this.#numbers.get(server);
    if (last !== undefined && isLate(number, last)) return false;
    // The server that has said nothing for the longest time comes first.
    this.#numbers.delete(server);
    this.#numbers.set(server, number);
    if (this.#numbers.size > MAX_SERVERS) {
      this.#numbers.delete(this.#numbers.keys().next().value!);
    }
    return true;
  }

  #keep(line: KeptLine, { epoch, offset }: ChatPosition): void {
    const { end } = this.#history;
    if (end?.epoch !== epoch || end.offset !== offset - 1) {
      this.onStart({ epoch, offset: offset - 1 });
    }
    this.#history.add(line);
  }

  /** Has a member hear a line, unless it is its own and it does not hear those. */
  #hear(listener: Member, { server, member }: KeptLine, word: Word): void {
    const isOwn = server === this.#options.server && member === listener.id;
    if (!isOwn || listener.voice.hearsItself) listener.tell(word);
  }

  #hearKept(
    listener: Member,
    line: KeptLine,
    word: Word,
    { epoch, offset }: ChatPosition,
  ): void {
    if (listener.catchingUp) return;
    const before = { epoch, offset: offset - 1 };
    if (this.#isWrong(listener, before)) this.#tellGap(listener, before);
    const { seen } = listener;
    // Lines that were said before the server began are for those who come back.
    const isNews = seen?.epoch === epoch ? offset > seen.offset : this.#isLoaded;
    if (!isNews) return;
    if (listener.isBusy) void this.#catchUp(listener, before);
    else this.#hear(listener, line, word);
  }

  /**
   * Whether the position that a member came back with is not true: the lines up to there should have come
   * by now. NATS may have lost the last ones, and have begun again before them.
   */
  #isWrong({ seen, resumed }: Member, end: ChatPosition): boolean {
    return this.#isUp && isAhead(seen, end) && this.#options.clock.now() - resumed > AHEAD_MS;
  }

  /** Sends a member the kept lines after a position, as fast as it takes them. */
  async #catchUp(member: Member, from: ChatPosition): Promise<void> {
    member.catchingUp = true;
    member.seen = from;
    while (!member.hasLeft) {
      const { begin } = this.#history;
      if (begin !== undefined && !covers(member.seen, begin)) this.#tellGap(member, begin);
      const lines = this.#history.after(member.seen.offset, CATCH_UP);
      if (lines.length === 0) break;
      for (const line of lines) {
        // Made anew: the forms of all that is kept would be several times as large as the lines.
        if (line.message !== undefined) this.#hear(member, line, new Word(line.message));
        member.seen = { ...member.seen, offset: line.offset };
        if (member.isBusy) break;
      }
      await member.flush();
    }
    member.catchingUp = false;
  }

  #tellGap(member: Member, position: ChatPosition | undefined): void {
    // A later position that it has seen stays valid.
    if (position === undefined || !isLater(member.seen, position)) member.seen = position;
    member.tell(new Word({ type: "gap", position }));
    this.#options.sendSoon();
  }
}

/** Whether a client that has seen the lines up to one position needs none in front of another. */
function covers(seen: ChatPosition, begin: ChatPosition): boolean {
  return seen.epoch === begin.epoch && seen.offset >= begin.offset;
}

/** Whether a position is behind another one of the same epoch. */
function isAhead(one: ChatPosition | undefined, other: ChatPosition | undefined): boolean {
  return one !== undefined && one.epoch === other?.epoch && one.offset > other.offset;
}

/** Whether a position is of a later epoch than another. */
function isLater(one: ChatPosition | undefined, other: ChatPosition): boolean {
  return one !== undefined && one.epoch > other.epoch;
}
