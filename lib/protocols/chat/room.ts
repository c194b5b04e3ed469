/**
 * The room of a chat: who is there, what they are called, and who hears what.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Addr } from "../../base/addr.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { lines } from "../../frames/delimiter.ts";
import type { Framing } from "../../frames/framing.ts";
import { Member } from "./member.ts";
import { cleanText, isName, keyOf } from "./text.ts";
import type { Voice } from "./voice.ts";
import { type ChatMessage, Word } from "./words.ts";

/** Told to all when the server stops. */
const STOPPING = "The server stops. Goodbye!";

/** What {@linkcode chat} takes. */
export interface ChatOptions {
  /** Aborting it tells everybody that the server stops, and ends all conversations. */
  readonly signal?: AbortSignal;
  /** The most bytes of a line, its end not counted. Default: 1000. */
  readonly maxLine?: number;
  /** The most bytes that may wait for a client, over which it is dropped. Default: 256 KiB. */
  readonly maxQueue?: number;
  /** Is told who comes and goes. */
  readonly onEvent?: (event: ChatEvent) => void;
  /** What time it is. Default: the system's. */
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
  /** Where a line ends, and how long it may be. */
  readonly framing: Framing;
  readonly #maxQueue: number;
  readonly #onEvent: (event: ChatEvent) => void;
  readonly #clock: Clock;
  #guests = 0;
  /** There are lines to send in this turn of the event loop; resolved when that has begun. */
  #turn: Promise<void> | undefined;

  constructor(options: ChatOptions) {
    this.#signal = options.signal;
    this.framing = lines({ maxSize: options.maxLine ?? 1000 });
    this.#maxQueue = options.maxQueue ?? 256 * 1024;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#clock = options.clock ?? systemClock;
    // One for all: a listener for each member would be more than Node expects of a signal.
    this.#signal?.addEventListener("abort", () => {
      for (const member of this.#members.values()) this.#dismiss(member, STOPPING, true);
    }, { once: true });
  }

  /** Has a client take part until it leaves. Rejects if its connection is lost. */
  async converse(voice: Voice): Promise<void> {
    const member = this.#join(voice);
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
        turn: () => this.#turn,
      });
    } catch (error) {
      if (!member.ending) throw error;
    } finally {
      this.#leave(member);
    }
    await member.end();
  }

  /** Says a last word to one, and ends its conversation. */
  #dismiss(member: Member, word: string, goingAway: boolean): void {
    this.#notice(member, word);
    void member.end(goingAway);
  }

  #onLine(member: Member, line: string): void {
    // What comes behind /quit.
    if (member.ending) return;
    const text = cleanText(line);
    if (text.startsWith("/")) this.#onCommand(member, text);
    else if (text !== "") this.#say(member, text);
  }

  #onCommand(member: Member, text: string): void {
    const [command, name, ...more] = text.trimEnd().split(/\s+/);
    if (command === "/nick" && name !== undefined && more.length === 0) this.#rename(member, name);
    else if (command === "/quit") this.#dismiss(member, "Goodbye!", false);
    else this.#notice(member, "There are two commands: /nick NAME and /quit");
  }

  #say(member: Member, text: string): void {
    const word = new Word({ type: "said", name: member.name, text });
    if (member.voice.hearsItself) member.tell(word);
    this.#tellOthers(member, word);
  }

  #rename(member: Member, newName: string): void {
    const { name } = member;
    const holder = this.#members.get(keyOf(newName));
    if (!isName(newName)) {
      return this.#notice(member, "A name has 1 to 20 letters, digits, '-' and '_'.");
    }
    if (holder !== undefined && holder !== member) {
      return this.#notice(member, `There is a ${holder.name} already.`);
    }
    this.#members.delete(keyOf(name));
    this.#members.set(keyOf(newName), member);
    member.name = newName;
    this.#tell(member, { type: "you", name: newName });
    this.#tellOthers(member, new Word({ type: "renamed", name, newName }));
    this.#onEvent({ type: "rename", name, newName });
  }

  #join(voice: Voice): Member {
    let name: string;
    do name = `guest${++this.#guests}`; while (this.#members.has(name));
    const member = new Member(name, voice, this.#maxQueue, this.#clock);
    const others = [...this.#members.values()].map(({ name }) => name);
    this.#members.set(keyOf(name), member);
    this.#tell(member, { type: "welcome", name, others });
    this.#tellOthers(member, new Word({ type: "joined", name }));
    this.#onEvent({ type: "join", name, client: voice.addr });
    return member;
  }

  #leave(member: Member): void {
    const { name, voice } = member;
    this.#members.delete(keyOf(name));
    this.#tellOthers(member, new Word({ type: "left", name }));
    this.#onEvent({ type: "leave", name, client: voice.addr });
  }

  /** Says something to one, in the name of the server. */
  #notice(member: Member, text: string): void {
    this.#tell(member, { type: "notice", text });
  }

  #tell(member: Member, message: ChatMessage): void {
    member.tell(new Word(message));
    this.#sendSoon();
  }

  #tellOthers(member: Member, word: Word): void {
    if (this.#members.size === 0) return;
    for (const other of this.#members.values()) if (other !== member) other.tell(word);
    this.#sendSoon();
  }

  /** All that is said in a turn of the event loop goes to each member in one write. */
  #sendSoon(): void {
    this.#turn ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#turn = undefined;
        for (const member of this.#members.values()) void member.flush();
        resolve();
      })
    );
  }
}
