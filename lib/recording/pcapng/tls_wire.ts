/**
 * Connections with the bytes of TLS on the wire. Their packets wait for the secrets: tshark reads a
 * file once, and decrypts what comes after them.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { RecordedEvent } from "../format.ts";

/** The most bytes that wait for the secrets of a connection. A handshake is much shorter. */
const MAX_HELD = 256 * 1024;

interface Held {
  blocks: Buffer[];
  size: number;
}

/** See the module. */
export class WireSockets {
  readonly #sockets = new Set<number>();
  /** The packets of those that still shake hands. */
  readonly #held = new Map<number, Held>();

  /** Whether a connection has what was on the wire: its plaintext is left out then. */
  has(socket: number): boolean {
    return this.#sockets.has(socket);
  }

  /** Notes that a connection has what was on the wire. */
  add(socket: number): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    this.#held.set(socket, { blocks: [], size: 0 });
  }

  /** The blocks that can be written now: those of `event`, or none, or those that waited, too. */
  pass(event: RecordedEvent, blocks: Buffer[]): Buffer[] {
    const socket = "socket" in event ? event.socket : undefined;
    if (socket === undefined) return blocks;
    if (event.type === "close") this.#sockets.delete(socket);
    const held = this.#held.get(socket);
    if (held === undefined || event.type === "keylog") return blocks;
    held.blocks.push(...blocks);
    held.size += blocks.reduce((sum, { length }) => sum + length, 0);
    const waits = !["handshake", "error", "close"].includes(event.type) && held.size <= MAX_HELD;
    if (waits) return [];
    this.#held.delete(socket);
    return held.blocks;
  }

  /** The blocks that still wait, at the end of the file. */
  rest(): Buffer[] {
    const blocks = [...this.#held.values()].flatMap(({ blocks }) => blocks);
    this.#held.clear();
    return blocks;
  }
}
