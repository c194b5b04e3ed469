/**
 * A chat: the clients of one port talk to each other, in lines.
 *
 * @module
 */

import {
  checkOptions,
  CLOCK,
  FUNCTION,
  integer,
  type Kinds,
  SIGNAL,
} from "../../base/arguments.ts";
import { setImmediate } from "node:timers";
import { LineSplitter } from "./lines.ts";
import { Member } from "./member.ts";
import { TelnetCommands } from "./telnet.ts";
import { cleanText, isName, keyOf } from "./text.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { lines } from "../../frames/delimiter.ts";
import type { Framing } from "../../frames/framing.ts";
import type { Handler } from "../../serve/serve.ts";
import type { Addr } from "../../base/addr.ts";
import type { Conn } from "../../net/transport.ts";

/**
 * The most bytes that are received at once. Short lines grow by the names before them: so that one
 * client cannot fill the queues of the others in a turn of the event loop, it is small.
 */
const RECV_SIZE = 1024;

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

const OPTIONS: Kinds<ChatOptions> = {
  signal: SIGNAL,
  maxLine: integer(1),
  maxQueue: integer(1),
  onEvent: FUNCTION,
  clock: CLOCK,
};

/** Somebody came, went, or is called something else. */
export type ChatEvent =
  | { readonly type: "join"; readonly name: string; readonly client: Addr }
  | { readonly type: "leave"; readonly name: string; readonly client: Addr }
  | { readonly type: "rename"; readonly name: string; readonly newName: string };

/**
 * Makes a handler for {@linkcode serve} with which clients talk to each other.
 *
 * - A line (UTF-8, LF or CRLF) goes to all others, with the name of who said it: `guest1: hello`.
 *   Lines of the server begin with `* `: who is there, who comes, and who leaves.
 * - A client is called `guest1`, `guest2` and so on, until it says `/nick NAME`.
 * - Control characters arrive escaped, so that nobody can steer the terminal of another.
 * - Telnet's commands (RFC 854) are no text: its options are refused, and Ctrl-C there is answered
 *   (RFC 860), so that the client goes on showing what comes.
 * - A line over `maxLine` is told to its sender and goes to nobody; what is behind it does.
 * - Nobody waits for anybody: what a client has not taken waits for it, up to `maxQueue`. Who reads
 *   too slowly for that is dropped with a reset, and its handler rejects with ETIMEDOUT.
 * - A client that says `/quit` has left, and what it sent behind that is not read.
 * - A client that half-closes has left, and gets what still waits for it.
 *
 * @example
 * ```ts
 * import { serve } from "@plainsocket/plainsocket";
 * import { chat } from "@plainsocket/plainsocket/chat";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * const listener = await transport.listen({ port: 7 });
 * const stop = new AbortController();
 * const server = serve(listener, chat({ signal: stop.signal }), { signal: stop.signal });
 *
 * using conn = await transport.connect({ host: "localhost", port: 7 });
 * const buffer = new Uint8Array(1024);
 * const n = await conn.read(buffer);
 * assert.match(new TextDecoder().decode(buffer.subarray(0, n!)), /^\* You are guest1/);
 *
 * stop.abort();
 * await server.finished;
 * ```
 */
export function chat(options: ChatOptions = {}): Handler {
  checkOptions("chat", options, OPTIONS, "{ signal }");
  const room = new Room(options);
  return (conn) => room.converse(conn);
}

/** All who are there. */
class Room {
  /** The members by the key of their names: names with the same key count as the same. */
  readonly #members = new Map<string, Member>();
  readonly #signal: AbortSignal | undefined;
  readonly #framing: Framing;
  readonly #maxQueue: number;
  readonly #onEvent: (event: ChatEvent) => void;
  readonly #clock: Clock;
  readonly #encoder = new TextEncoder();
  #guests = 0;
  /** There are lines to send in this turn of the event loop; resolved when that has begun. */
  #turn: Promise<void> | undefined;

  constructor(options: ChatOptions) {
    this.#signal = options.signal;
    this.#framing = lines({ maxSize: options.maxLine ?? 1000 });
    this.#maxQueue = options.maxQueue ?? 256 * 1024;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#clock = options.clock ?? systemClock;
    // One for all: a listener for each member would be more than Node expects of a signal.
    this.#signal?.addEventListener("abort", () => {
      for (const member of this.#members.values()) this.#dismiss(member, STOPPING);
    }, { once: true });
  }

  /** The handler. */
  async converse(conn: Conn): Promise<void> {
    const member = this.#join(conn);
    if (this.#signal?.aborted) this.#dismiss(member, STOPPING);
    try {
      await this.#listen(member);
    } catch (error) {
      if (!member.ending) throw error;
    } finally {
      this.#leave(member);
    }
    await member.end();
  }

  /** Says a last word to one, and ends its conversation. */
  #dismiss(member: Member, word: string): void {
    this.#tell(member, word);
    void member.end();
  }

  async #listen(member: Member): Promise<void> {
    const buffer = new Uint8Array(RECV_SIZE);
    const splitter = new LineSplitter(this.#framing, {
      onLine: (line) => this.#onLine(member, line),
      onTooLong: () =>
        this.#tell(member, `A line has at most ${this.#framing.maxSize} bytes: nobody got yours.`),
    });
    const telnet = new TelnetCommands((answer) => {
      member.push(answer);
      this.#sendSoon();
    });
    for (let n; (n = await member.conn.read(buffer)) !== null;) {
      splitter.push(telnet.textOf(buffer.subarray(0, n)));
      // One who has much to say lets all others speak, and all read.
      await this.#turn;
    }
    splitter.end();
  }

  #onLine(member: Member, line: Uint8Array): void {
    // What comes behind /quit.
    if (member.ending) return;
    const text = cleanText(line);
    if (text.startsWith("/")) this.#onCommand(member, text);
    else if (text !== "") this.#sayToOthers(member, `${member.name}: ${text}`);
  }

  #onCommand(member: Member, text: string): void {
    const [command, name, ...more] = text.trimEnd().split(/\s+/);
    if (command === "/nick" && name !== undefined && more.length === 0) this.#rename(member, name);
    else if (command === "/quit") this.#dismiss(member, "Goodbye!");
    else this.#tell(member, "There are two commands: /nick NAME and /quit");
  }

  #rename(member: Member, newName: string): void {
    const { name } = member;
    const holder = this.#members.get(keyOf(newName));
    if (!isName(newName)) {
      return this.#tell(member, "A name has 1 to 20 letters, digits, '-' and '_'.");
    }
    if (holder !== undefined && holder !== member) {
      return this.#tell(member, `There is a ${holder.name} already.`);
    }
    this.#members.delete(keyOf(name));
    this.#members.set(keyOf(newName), member);
    member.name = newName;
    this.#tell(member, `You are ${newName} now.`);
    this.#sayToOthers(member, `* ${name} is ${newName} now.`);
    this.#onEvent({ type: "rename", name, newName });
  }

  #join(conn: Conn): Member {
    let name: string;
    do name = `guest${++this.#guests}`; while (this.#members.has(name));
    const member = new Member(name, conn, this.#maxQueue, this.#clock);
    const others = [...this.#members.values()].map(({ name }) => name).join(", ");
    this.#members.set(keyOf(name), member);
    this.#tell(member, `You are ${name}; '/nick NAME' changes that.`);
    this.#tell(member, others === "" ? "Nobody else is here." : `Here are also: ${others}`);
    this.#sayToOthers(member, `* ${name} is here.`);
    this.#onEvent({ type: "join", name, client: conn.remoteAddr });
    return member;
  }

  #leave(member: Member): void {
    const { name, conn } = member;
    this.#members.delete(keyOf(name));
    this.#sayToOthers(member, `* ${name} has left.`);
    this.#onEvent({ type: "leave", name, client: conn.remoteAddr });
  }

  /** Says something to one, in the name of the server. */
  #tell(member: Member, text: string): void {
    member.push(this.#encoder.encode(`* ${text}\n`));
    this.#sendSoon();
  }

  #sayToOthers(member: Member, text: string): void {
    if (this.#members.size === 0) return;
    const line = this.#encoder.encode(`${text}\n`);
    for (const other of this.#members.values()) if (other !== member) other.push(line);
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
