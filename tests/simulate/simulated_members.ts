// Members of a simulated chat, which remember what they have heard, and come back where they were.

import { deferred } from "../../lib/base/wait.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type {
  ChatMessage,
  ChatPosition,
  ChatRoom,
  MessageConn,
} from "../../lib/protocols/chat/mod.ts";
import type { World } from "../../lib/simulate/simulate.ts";

/** A line as a member has heard it. */
export interface HeardLine {
  readonly text: string;
  /** The number of the connection on which it came. */
  readonly session: number;
  /** Where it is kept. Undefined if it is not. */
  readonly place: string | undefined;
}

/** One connection of a member to a room. */
class Session implements MessageConn {
  readonly remoteAddr = { transport: "tcp", host: "10.9.9.9", port: 9 } as const;
  readonly #onText: (text: string) => Promise<void>;
  readonly #said: string[] = [];
  #wake = deferred<void>();
  #ended: "cut" | "closed" | undefined;

  constructor(onText: (text: string) => Promise<void>) {
    this.#onText = onText;
  }

  say(text: string): void {
    this.#said.push(text);
    this.#wake.resolve();
  }

  async read(): Promise<string | null> {
    while (this.#said.length === 0 && this.#ended === undefined) {
      await this.#wake.promise;
      this.#wake = deferred();
    }
    if (this.#ended === "cut") throw new SocketError("ECONNRESET", "read", {});
    return this.#said.shift() ?? null;
  }

  async write(text: string): Promise<void> {
    if (this.#ended === undefined) await this.#onText(text);
  }

  close(): Promise<void> {
    this.#end("closed");
    return Promise.resolve();
  }

  abort(): void {
    this.#end("cut");
  }

  #end(how: "cut" | "closed"): void {
    this.#ended ??= how;
    this.#wake.resolve();
  }
}

/** See the file. */
export class SimulatedMember {
  readonly id: number;
  readonly heard: HeardLine[] = [];
  /** What it said, with the session. */
  readonly said: { readonly text: string; readonly session: number }[] = [];
  /** The lines of which it was told that their fate is unknown. */
  readonly unknown: Set<string> = new Set();
  /** Who is there, as it was told. */
  people: Set<string> = new Set();
  name = "";
  position: ChatPosition | undefined;
  gaps = 0;
  /** What it heard that cannot be. */
  readonly wrong: string[] = [];
  /** The number of the present connection. */
  session = 0;
  /** Told last of the other servers. */
  away = false;
  /** Whether it reads slowly. */
  readonly #slow: boolean;
  readonly #world: World;
  /** The last offset of each epoch that it heard, or was told of. */
  readonly #last = new Map<string, number>();
  #conn: Session | undefined;

  constructor(id: number, world: World) {
    this.id = id;
    this.#world = world;
    this.#slow = world.random.integer(4) === 0;
  }

  get isThere(): boolean {
    return this.#conn !== undefined;
  }

  /** Comes in, where it was. */
  enter(room: ChatRoom): void {
    const session = ++this.session;
    const conn = this.#conn = new Session(async (text) => {
      // What was on its way when the connection was lost never arrives.
      if (this.#conn === conn) this.#hear(JSON.parse(text), session);
      if (this.#slow) await this.#world.sleep(this.#world.random.integer(50));
    });
    const gone = () => {
      if (this.#conn === conn) this.#conn = undefined;
    };
    room.join(conn, this.position).then(gone, gone);
  }

  /** Loses its connection. */
  cut(): void {
    this.#conn?.abort();
    this.#conn = undefined;
  }

  say(): void {
    const text = `${this.id}:${this.said.length}`;
    this.said.push({ text, session: this.session });
    this.#conn!.say(text);
  }

  rename(name: string): void {
    this.#conn!.say(`/nick ${name}`);
  }

  #hear(message: ChatMessage, session: number): void {
    switch (message.type) {
      case "welcome":
        this.name = message.name;
        this.people = new Set([message.name, ...message.others]);
        this.position = message.position ?? this.position;
        if (message.position !== undefined) this.#place(message.position);
        this.away = false;
        break;
      case "you":
        this.people.delete(this.name);
        this.people.add(this.name = message.name);
        break;
      case "said":
        return this.#hearLine(message, session);
      case "joined":
        this.people.add(message.name);
        break;
      case "left":
        this.people.delete(message.name);
        break;
      case "renamed":
        this.people.delete(message.name);
        this.people.add(message.newName);
        break;
      case "people":
        this.people = new Set(message.names);
        break;
      case "gap":
        this.position = message.position;
        this.gaps++;
        if (message.position !== undefined) this.#place(message.position);
        break;
      case "notice":
        return this.#heed(message.text);
    }
  }

  #hearLine({ text, position }: Extract<ChatMessage, { type: "said" }>, session: number): void {
    const place = position && `${position.epoch} ${position.offset}`;
    if (position !== undefined) {
      this.#checkNext(position, text);
      this.position = position;
      this.#place(position);
    }
    this.heard.push({ text, session, place });
  }

  #place({ epoch, offset }: ChatPosition): void {
    this.#last.set(epoch, offset);
  }

  /** It has the line before, unless it began later or was told of a gap. */
  #checkNext({ epoch, offset }: ChatPosition, text: string): void {
    if (this.position === undefined) return;
    // A server that has lost the bus may still be in an earlier epoch, and then come to a later one.
    const last = this.#last.get(epoch);
    if (offset !== (last ?? NaN) + 1) {
      this.wrong.push(`${this.id} heard ${text} at ${epoch} ${offset} behind ${last}`);
    }
  }

  #heed(text: string): void {
    if (text.startsWith("The other servers")) this.away = text.includes("out of reach");
    const [, lost] = text.match(/^It is not known whether the others got this: (.*)$/) ?? [];
    if (lost !== undefined) this.unknown.add(lost);
  }
}
