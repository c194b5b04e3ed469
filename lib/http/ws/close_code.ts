/**
 * The codes with which a WebSocket is closed (RFC 6455 section 7.4).
 *
 * @module
 */

import { Buffer, isUtf8 } from "node:buffer";
import { checkArgument, TEXT } from "../../base/arguments.ts";
import { WsError } from "./error.ts";

/** The codes that the engine sends itself, or reports. */
export const CLOSE = {
  /** The purpose is fulfilled. */
  normal: 1000,
  /** The server stops, or the page is left. */
  goingAway: 1001,
  /** The peer broke the protocol. */
  protocol: 1002,
  /** A kind of data that is not taken. */
  unsupported: 1003,
  /** Reported where a Close frame had no code; never sent. */
  none: 1005,
  /** Reported where there was no Close frame; never sent. */
  lost: 1006,
  /** Data that its type does not allow: text that is not UTF-8. */
  data: 1007,
  /** A rule of the server was broken. */
  policy: 1008,
  /** A message that is too large. */
  tooLarge: 1009,
  /** The server did not agree on an extension that the client needs. */
  extension: 1010,
  /** The server cannot go on. */
  internal: 1011,
} as const;

/** The most bytes of a reason, in UTF-8: a control frame has 125, and the code takes 2. */
export const MAX_REASON = 123;

/** Whether a code may stand in a Close frame: those of the RFC and its registry, 3000 to 4999. */
export function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** Whether a code is one that programs close with: 1000, and 3000 to 4999. */
export function isUserCode(code: unknown): code is number {
  return code === CLOSE.normal || isCloseCode(code as number) && (code as number) >= 3000;
}

/** Throws what is wrong with a code and a reason that a caller closes with. */
export function checkClose(code: number, reason: string): void {
  if (!isCloseCode(code)) {
    const instead = "write 1000, or a code from 3000 to 4999";
    throw new RangeError(`A WebSocket cannot be closed with the code ${code}: ${instead}`);
  }
  checkArgument("close", reason, TEXT);
  if (Buffer.byteLength(reason) > MAX_REASON) {
    throw new RangeError(`The reason for closing has at most ${MAX_REASON} bytes`);
  }
}

/** The content of a Close frame. */
export interface CloseReason {
  /** 1005 if the frame has none. */
  readonly code: number;
  readonly reason: string;
}

/** Reads the payload of a Close frame. Throws a {@linkcode WsError}. */
export function parseClose(payload: Uint8Array): CloseReason {
  if (payload.length === 0) return { code: CLOSE.none, reason: "" };
  if (payload.length === 1) {
    throw new WsError(CLOSE.protocol, "the payload of its Close frame has one byte");
  }
  const code = payload[0] << 8 | payload[1];
  if (!isCloseCode(code)) {
    throw new WsError(CLOSE.protocol, `its Close frame has the code ${code}, which is not valid`);
  }
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) {
    throw new WsError(CLOSE.data, "the reason in its Close frame is not UTF-8");
  }
  return { code, reason: Buffer.from(reason).toString() };
}

/** Cuts a reason that is too long between characters. */
export function cutReason(reason: string): string {
  const text = Buffer.from(reason);
  if (text.length <= MAX_REASON) return reason;
  let end = MAX_REASON;
  while ((text[end] & 0xc0) === 0x80) end--;
  return text.toString("utf8", 0, end);
}

/** Makes the payload of a Close frame. A reason that is too long is cut between characters. */
export function closePayload(code: number | undefined, reason: string): Uint8Array {
  if (code === undefined || code === CLOSE.none) return new Uint8Array(0);
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(cutReason(reason))]);
}
