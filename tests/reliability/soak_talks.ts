// What clients say to each of the servers under load, and what they must get. Each byte is compared.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Conn } from "../../lib/net/transport.ts";
import type { Program } from "../support/peers.ts";
import type { ServerScript } from "../support/scripts.ts";
import { makeSite } from "../support/site_helpers.ts";
import { Room } from "./soak_chat.ts";
import { ask, connect, hear, startServing, startSubject, type Subject } from "./subject.ts";

/** A client and its connection. */
export interface Talk {
  /** Says something, another thing each turn, and waits for what must come. Rejects if it does not. */
  exchange(turn: number): Promise<void>;
  close(): void;
}

/** A server that runs. */
export interface Served extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
  /** Connects a client. No two have the same `id` at a time. */
  readonly open: (id: number) => Promise<Talk>;
}

/** A server, and how clients talk to it. */
export interface Service {
  readonly name: string;
  /** The descriptors that it needs for a connection. */
  readonly descriptors: number;
  /** Its part of the connections, beside other servers. */
  readonly weight: number;
  /** The most connections: each line of a chat goes to all members. */
  readonly most: number;
  /** The time after which an idle connection says something, in milliseconds. */
  readonly patience: number;
  readonly start: (subject: Subject) => Promise<Served>;
}

const LIMITS = ["--max-connections", "100000"];
const SELDOM_IDLE = ["--idle-timeout", "7200"];
const QUIET = ["--host", "127.0.0.1", "-q"];

const MOST_BYTES = 16 * 1024;
const SOURCE: Buffer = randomBytes(1 << 20);

/** A part of the source that no other client has in its turn. Most are small, that of turn 1 is not. */
function partOf(id: number, turn: number): readonly [start: number, end: number] {
  const start = (id * 7919 + turn * 104_729) % (SOURCE.length - MOST_BYTES);
  const size = turn % 16 === 1 ? MOST_BYTES : 16 + (id + turn) % 500;
  return [start, start + size];
}

/** Sends something, and takes its echo. */
class Echoed implements Talk {
  readonly #conn: Conn;
  readonly #id: number;

  constructor(conn: Conn, id: number) {
    this.#conn = conn;
    this.#id = id;
  }

  async exchange(turn: number): Promise<void> {
    const message = SOURCE.subarray(...partOf(this.#id, turn));
    const buffer = new Uint8Array(message.length);
    const sending = this.#conn.write(message);
    for (let length = 0; length < buffer.length;) {
      const n = await this.#conn.read(buffer.subarray(length));
      if (n === null) throw new Error("The server has closed the connection");
      length += n;
    }
    await sending;
    assert.ok(message.equals(buffer), "A wrong byte came back");
  }

  close(): void {
    this.#conn.close();
  }
}

/**
 * The server keeps a connection for 30 s without a request. On a busy machine a client that has waited for
 * so long may be too late without knowing it.
 */
const LATE_MS = 5000;

/** The server keeps a connection for 1,000 requests. */
const MOST_REQUESTS = 900;

/** Asks for ranges and for a whole file, on a connection that is kept. */
class Asked implements Talk {
  readonly #server: ServerScript;
  readonly #id: number;
  #conn: Conn;
  #requests = 0;
  /** When the last request was sent. */
  #asked = 0;

  constructor(server: ServerScript, id: number, conn: Conn) {
    this.#server = server;
    this.#id = id;
    this.#conn = conn;
  }

  async exchange(turn: number): Promise<void> {
    if (this.#requests === MOST_REQUESTS) await this.#reconnect();
    const [start, end] = turn % 4 === 3 ? [0, SOURCE.length / 16] : partOf(this.#id, turn);
    const [line, expected, fields] = turn % 4 === 3
      ? ["GET /small", 200, []] as const
      : ["GET /large", 206, [`Range: bytes=${start}-${end - 1}`]] as const;
    const isLate = this.#requests > 0 && performance.now() - this.#asked > LATE_MS;
    const request = async () => {
      this.#asked = performance.now();
      await ask(this.#conn, line, ...fields);
      return await hear(this.#conn);
    };
    let response = await request().catch(() => undefined);
    // As browsers do.
    if (!response?.status && isLate) {
      await this.#reconnect();
      response = await request();
    }
    assert.ok(response?.status === expected, `The status is ${response?.status || "missing"}`);
    assert.ok(SOURCE.subarray(start, end).equals(response.body), "A wrong byte came back");
    this.#requests++;
  }

  close(): void {
    this.#conn.close();
  }

  async #reconnect(): Promise<void> {
    this.#conn.close();
    this.#conn = await connect(this.#server);
    this.#requests = 0;
  }
}

async function startWeb(subject: Subject): Promise<Served> {
  const files = { large: SOURCE, small: SOURCE.subarray(0, SOURCE.length / 16) };
  const site = await makeSite(files);
  const server = await startSubject(subject, ["web", ...QUIET, ...LIMITS, site.root]);
  return {
    program: server.program,
    port: server.port,
    open: async (id) => new Asked(server, id, await connect(server)),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

async function startEcho(subject: Subject): Promise<Served> {
  const args = ["echo", ...QUIET, ...LIMITS, ...SELDOM_IDLE];
  const server = await startSubject(subject, args);
  return {
    program: server.program,
    port: server.port,
    open: async (id) => new Echoed(await connect(server), id),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A relay to an echo server. */
async function startRelay(subject: Subject): Promise<Served> {
  const target = await startServing(subject, ["echo", ...QUIET, ...LIMITS, ...SELDOM_IDLE]);
  const to = ["--to", `127.0.0.1:${target.port}`];
  const server = await startSubject(subject, ["relay", ...to, ...QUIET, ...LIMITS, ...SELDOM_IDLE]);
  return {
    program: server.program,
    port: server.port,
    open: async (id) => new Echoed(await connect(server), id),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

async function startChat(subject: Subject): Promise<Served> {
  const server = await startSubject(subject, ["chat", ...QUIET, ...LIMITS]);
  const room = new Room();
  return {
    program: server.program,
    port: server.port,
    open: async (id) => await room.enter(await connect(server), id),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** All of them, by name. */
export const SERVICES: readonly Service[] = [
  {
    ...{ name: "echo", descriptors: 1, weight: 8, most: Infinity, patience: Infinity },
    start: startEcho,
  },
  {
    // The second one is that of a file.
    ...{ name: "web", descriptors: 2, weight: 8, most: Infinity, patience: 20_000 },
    start: startWeb,
  },
  {
    ...{ name: "relay", descriptors: 2, weight: 8, most: Infinity, patience: Infinity },
    start: startRelay,
  },
  {
    ...{ name: "chat", descriptors: 1, weight: 1, most: 440, patience: Infinity },
    start: startChat,
  },
];
