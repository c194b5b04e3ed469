/**
 * A message for many: encoded once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { BYTES, checkArgument, isBytes, type Kind } from "../../base/arguments.ts";
import type { WsMessage } from "./assembler.ts";
import { MAX_HEADER, OPCODE, putHeader } from "./frame.ts";

/** The kinds of a message. */
export const MESSAGE: Kind = {
  ...BYTES,
  takes: "a string, or bytes in a Uint8Array",
  is: (value) => typeof value === "string" || isBytes(value),
};

/** See {@linkcode prepareMessage}. */
export class PreparedMessage {
  /** The message. */
  readonly message: WsMessage;
  /** Its frame, as servers send it. */
  readonly frame: Uint8Array;

  /** Encodes a message. */
  constructor(message: WsMessage) {
    const text = typeof message === "string";
    const payload = text ? Buffer.from(message) : message;
    const frame = Buffer.alloc(payload.length + MAX_HEADER);
    const flags = { fin: true, compressed: false };
    const opcode = text ? OPCODE.text : OPCODE.binary;
    const start = putHeader(frame, 0, opcode, flags, payload.length, false);
    frame.set(payload, start);
    this.message = text ? message : new Uint8Array(message);
    this.frame = frame.subarray(0, start + payload.length);
  }
}

/**
 * Encodes a message once, to be sent to many by `write()`.
 *
 * @example A room, in which no more than 100 messages wait for a member that reads slowly
 * ```ts
 * import { prepareMessage, type WsConn } from "@plainsocket/plainsocket/websocket";
 *
 * const waiting = new Map<WsConn, number>();
 * function broadcast(text: string): void {
 *   const message = prepareMessage(text);
 *   for (const [ws, count] of waiting) {
 *     if (count === 100) ws.abort();
 *     waiting.set(ws, count + 1);
 *     ws.write(message).then(
 *       () => waiting.set(ws, waiting.get(ws)! - 1),
 *       () => waiting.delete(ws),
 *     );
 *   }
 * }
 * broadcast("hello, all");
 * ```
 */
export function prepareMessage(message: WsMessage): PreparedMessage {
  checkArgument("prepareMessage", message, MESSAGE);
  return new PreparedMessage(message);
}
