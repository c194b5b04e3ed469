/**
 * One client of a chat: its name, and the queue of what is to be sent to it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Clock } from "../../base/clock.ts";
import { DONE } from "../../net/conn_base.ts";
import { SocketError } from "../../base/errors.ts";
import type { ChatPosition } from "./bus.ts";
import type { Form, Voice } from "./lines_or_messages.ts";
import type { Word } from "./room_messages.ts";

/** The time that a client that leaves gets to read what waits for it, in milliseconds. */
const LINGER_MS = 5000;

/** See the module. */
export class Member {
  /** Its number on this server. */
  readonly id: number;
  name: string;
  /** The position up to which it has all kept lines. Undefined if it gets new lines only. */
  seen: ChatPosition | undefined;
  /** When it came back with a position, by the clock of the room. */
  resumed = 0;
  /** Whether it still gets lines that it has missed; new ones come after them. */
  catchingUp = false;
  /** Whether it is no longer in the room. */
  hasLeft = false;
  /** The last line that it said, while it is not known to have arrived. */
  saying: Promise<void> | undefined;
  readonly voice: Voice;
  readonly #maxQueue: number;
  readonly #clock: Clock;
  #queue: Form[] = [];
  /** The bytes of #queue, and of the write that is under way. */
  #waiting = 0;
  #sending: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(id: number, name: string, voice: Voice, maxQueue: number, clock: Clock) {
    this.id = id;
    this.name = name;
    this.voice = voice;
    this.#maxQueue = maxQueue;
    this.#clock = clock;
  }

  /** Whether {@linkcode end} was called. */
  get ending(): boolean {
    return this.#ending !== undefined;
  }

  /** Whether its queue is more than half full: the kept lines that it has missed are to wait. */
  get isBusy(): boolean {
    return this.#waiting > this.#maxQueue / 2;
  }

  /** Puts a word in the queue; see {@linkcode push}. */
  tell(word: Word): void {
    this.push(this.voice.formOf(word));
  }

  /**
   * Puts something in the queue; drops the client if that is full, since it reads too slowly. Nothing
   * comes after the last word.
   */
  push(form: Form): void {
    if (this.ending) return;
    this.#waiting += sizeOf(form);
    if (this.#waiting <= this.#maxQueue) this.#queue.push(form);
    else this.#drop();
  }

  /** Sends what is in the queue, and what is put there meanwhile. */
  flush(): Promise<void> {
    if (this.#queue.length > 0) this.#sending ??= this.#send();
    return this.#sending ?? DONE;
  }

  /** Sends what is in the queue, and closes; resets if that takes too long. */
  end(goingAway = false): Promise<void> {
    return this.#ending ??= this.#end(goingAway);
  }

  async #end(goingAway: boolean): Promise<void> {
    const cancel = this.#clock.setTimer(LINGER_MS, () => this.#drop());
    await this.flush();
    await this.voice.close(goingAway);
    cancel();
  }

  async #send(): Promise<void> {
    try {
      do {
        const batch = this.#queue;
        this.#queue = [];
        await this.voice.send(batch);
        for (const form of batch) this.#waiting -= sizeOf(form);
      } while (this.#queue.length > 0);
    } catch (error) {
      // Reading may not notice by itself.
      this.voice.fail(error as Error);
    }
    this.#sending = undefined;
  }

  #drop(): void {
    this.#queue = [];
    this.voice.reset(
      new SocketError("ETIMEDOUT", "write", {
        addr: this.voice.addr,
        why: `it reads too slowly, ${this.#waiting} bytes wait for it`,
      }),
    );
  }
}

function sizeOf(form: Form): number {
  return typeof form === "string" ? Buffer.byteLength(form) : form.length;
}
