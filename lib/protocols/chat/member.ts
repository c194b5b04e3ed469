/**
 * One client of a chat: what it is called, and what waits to be sent to it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Clock } from "../../base/clock.ts";
import { DONE } from "../../net/conn_base.ts";
import { SocketError } from "../../base/errors.ts";
import type { Conn } from "../../net/transport.ts";

/** How long a client that leaves gets to read what waits for it. */
const LINGER_MS = 5000;

/** See the module. */
export class Member {
  name: string;
  readonly conn: Conn;
  readonly #maxQueue: number;
  readonly #clock: Clock;
  #lines: Uint8Array[] = [];
  /** The bytes of #lines, and of the write that is under way. */
  #waiting = 0;
  #sending: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(name: string, conn: Conn, maxQueue: number, clock: Clock) {
    this.name = name;
    this.conn = conn;
    this.#maxQueue = maxQueue;
    this.#clock = clock;
  }

  /** Whether {@linkcode end} was called. */
  get ending(): boolean {
    return this.#ending !== undefined;
  }

  /** Puts a line in the queue; drops the client if that is full, since it reads too slowly. */
  push(line: Uint8Array): void {
    this.#waiting += line.length;
    if (this.#waiting <= this.#maxQueue) this.#lines.push(line);
    else this.#drop();
  }

  /** Sends what is in the queue, and what is put there meanwhile. */
  flush(): Promise<void> {
    if (this.#lines.length > 0) this.#sending ??= this.#send();
    return this.#sending ?? DONE;
  }

  /** Sends what is in the queue, and closes; resets if that takes too long. */
  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    const cancel = this.#clock.setTimer(LINGER_MS, () => this.#drop());
    await this.flush();
    cancel();
    this.conn.close();
  }

  async #send(): Promise<void> {
    try {
      do {
        const batch = Buffer.concat(this.#lines);
        this.#lines = [];
        await this.conn.write(batch);
        this.#waiting -= batch.length;
      } while (this.#lines.length > 0);
    } catch (error) {
      // Reading may not notice by itself.
      this.conn.close(error as Error);
    }
    this.#sending = undefined;
  }

  #drop(): void {
    this.#lines = [];
    this.conn.reset(
      new SocketError("ETIMEDOUT", "write", {
        addr: this.conn.remoteAddr,
        why: `it reads too slowly, ${this.#waiting} bytes wait for it`,
      }),
    );
  }
}
