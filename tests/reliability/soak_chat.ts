// The members of a chat under load: each hears each line of all others, whole and in order.

import assert from "node:assert/strict";
import { type Deferred, deferred } from "../../lib/base/wait.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes } from "../support/helpers.ts";
import type { Talk } from "./soak_talks.ts";

/** What a member says in a turn: nobody else says the same. */
function textOf(id: number, turn: number): string {
  return `${id} ${turn} ${"abcdefghijklmnopqrstuvwxyz".repeat(4).slice(0, (id + turn) % 100)}`;
}

/** A line that was said. */
interface Said {
  /** Who has not heard it yet. */
  readonly missing: Set<Member>;
  readonly heard: Deferred<void>;
}

/** Who is there, and what they have yet to hear. */
export class Room {
  readonly #members = new Set<Member>();
  readonly #said = new Map<string, Said>();
  #failure: Error | undefined;

  /** Comes in; resolves when the server has said hello. */
  async enter(conn: Conn, id: number): Promise<Talk> {
    const member = new Member(this, conn, id);
    try {
      await member.welcomed;
    } catch (error) {
      member.close();
      throw error;
    }
    this.#members.add(member);
    return member;
  }

  /** Resolves when all who are there now, but for `speaker`, have heard this line. */
  untilHeard(line: string, speaker: Member): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const missing = new Set(this.#members);
    missing.delete(speaker);
    const heard = deferred<void>();
    this.#said.set(line, { missing, heard });
    this.#settle(line);
    return heard.promise;
  }

  hears(member: Member, line: string): void {
    this.#said.get(line)?.missing.delete(member);
    this.#settle(line);
  }

  leaves(member: Member): void {
    this.#members.delete(member);
    for (const line of [...this.#said.keys()]) this.hears(member, line);
  }

  /** A member has met what must not be. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { heard } of this.#said.values()) heard.reject(error);
    this.#said.clear();
  }

  #settle(line: string): void {
    const said = this.#said.get(line);
    if (said === undefined || said.missing.size > 0) return;
    this.#said.delete(line);
    said.heard.resolve();
  }
}

class Member implements Talk {
  readonly welcomed: Promise<void>;
  readonly #room: Room;
  readonly #conn: Conn;
  readonly #id: number;
  readonly #welcome = deferred<void>();
  /** The last turn that was heard of each. */
  readonly #turns = new Map<number, number>();
  #left = false;

  constructor(room: Room, conn: Conn, id: number) {
    this.#room = room;
    this.#conn = conn;
    this.#id = id;
    this.welcomed = this.#welcome.promise;
    this.#listen().catch((error) => {
      this.#welcome.reject(error);
      if (!this.#left) room.fail(error);
    });
  }

  async exchange(turn: number): Promise<void> {
    const line = textOf(this.#id, turn);
    const heard = this.#room.untilHeard(line, this);
    await Promise.all([heard, this.#conn.write(bytes(`${line}\n`))]);
  }

  close(): void {
    this.#left = true;
    this.#room.leaves(this);
    this.#conn.close();
  }

  async #listen(): Promise<void> {
    const buffer = new Uint8Array(4096);
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const n = await this.#conn.read(buffer);
      if (n === null) throw new Error("The server has closed the connection");
      const lines = (rest + decoder.decode(buffer.subarray(0, n), { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#hear(line);
    }
  }

  #hear(line: string): void {
    // Who comes and goes.
    if (line.startsWith("* ")) return this.#welcome.resolve();
    const [, said, id, turn] = /^guest\d+: ((\d+) (\d+) \w*)$/.exec(line) ?? [];
    const isRight = said === textOf(Number(id), Number(turn));
    assert.ok(isRight, `A wrong line was heard: ${JSON.stringify(line)}`);
    const last = this.#turns.get(Number(id));
    const isNext = last === undefined || Number(turn) === last + 1;
    assert.ok(isNext, `Line ${turn} of ${id} came after line ${last}`);
    this.#turns.set(Number(id), Number(turn));
    this.#room.hears(this, said);
  }
}
