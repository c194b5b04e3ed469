// A client of messages for a chat room, without a WebSocket: its messages are handed over directly.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type {
  ChatMessage,
  ChatPosition,
  ChatRoom,
  MessageConn,
} from "../../lib/protocols/chat/mod.ts";
import { until } from "../support/helpers.ts";

const clientAddr = { transport: "tcp", host: "127.0.0.1", port: 9 } as const;

/** A client of messages; `stuck` has it take none of what it is sent. */
export class Browser implements MessageConn {
  readonly remoteAddr: TcpAddr = clientAddr;
  readonly heard: ChatMessage[] = [];
  /** How the room has closed it. */
  closed: [code: number | undefined, reason: string | undefined] | "reset" | undefined;
  readonly stuck: boolean;
  #said: (string | Uint8Array | null)[] = [];
  #wake = deferred<void>();

  constructor(stuck = false) {
    this.stuck = stuck;
  }

  say(message: string | Uint8Array | null): void {
    this.#said.push(message);
    this.#wake.resolve();
  }

  async read(): Promise<string | Uint8Array | null> {
    while (this.#said.length === 0) {
      await this.#wake.promise;
      if (this.closed === "reset") throw new SocketError("ECONNABORTED", "read", {});
      if (this.closed !== undefined) return null;
      this.#wake = deferred();
    }
    return this.#said.shift()!;
  }

  write(text: string): Promise<void> {
    if (this.stuck) return new Promise(() => {});
    this.heard.push(JSON.parse(text));
    return Promise.resolve();
  }

  close(code?: number, reason?: string): Promise<void> {
    this.closed ??= [code, reason];
    this.#wake.resolve();
    return Promise.resolve();
  }

  abort(): void {
    this.closed ??= "reset";
    this.#wake.resolve();
  }

  /** Waits for the next message. */
  async next(): Promise<ChatMessage> {
    await until(() => this.heard.length > 0, "a message");
    return this.heard.shift()!;
  }
}

/** Lets a browser in, which hears that it is. */
export async function enter(
  room: ChatRoom,
  browser: Browser = new Browser(),
  from?: ChatPosition,
): Promise<{ browser: Browser; left: Promise<void>; welcome: ChatMessage | undefined }> {
  const left = room.join(browser, from);
  // Some tests look at it only later.
  left.catch(() => {});
  const welcome = browser.stuck ? undefined : await browser.next();
  if (welcome !== undefined) assert.equal(welcome.type, "welcome");
  return { browser, left, welcome };
}
