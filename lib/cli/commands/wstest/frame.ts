/**
 * WebSocket frames as a test writes them: also those that the protocol forbids (RFC 6455 section 5.2).
 *
 * @module
 */

/** The opcodes that have a meaning. */
export const OPCODE: {
  readonly continuation: 0;
  readonly text: 1;
  readonly binary: 2;
  readonly close: 8;
  readonly ping: 9;
  readonly pong: 10;
} = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** The reserved bits, as {@linkcode Frame.rsv} has them. */
export const RSV: { readonly one: 4; readonly two: 2; readonly three: 1 } = {
  one: 4,
  two: 2,
  three: 1,
};

/** One frame. */
export interface Frame {
  readonly opcode: number;
  /** Default: empty. */
  readonly payload?: Uint8Array;
  /** Default: true. */
  readonly fin?: boolean;
  /** The reserved bits. Default: 0. */
  readonly rsv?: number;
  /** The payload length that the header announces. Default: the right one. */
  readonly announced?: bigint;
  /** The number of bits of the length in the header. Default: as few as it can. */
  readonly lengthBits?: 7 | 16 | 64;
  /** `wrong`: a client does not mask, a server does. `zero`: the key of a client is 0. Default: a random key. */
  readonly mask?: "wrong" | "zero";
}

/** The side of the connection that writes the frame. */
export type Role = "client" | "server";

const encoder = new TextEncoder();

/** The bytes of a text in UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A text message, or its first frame. */
export function text(payload: string | Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: OPCODE.text, payload: bytesOf(payload), ...more };
}

/** A binary message, or its first frame. */
export function binary(payload: string | Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: OPCODE.binary, payload: bytesOf(payload), ...more };
}

/** A further frame of a message. */
export function continuation(payload: string | Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: OPCODE.continuation, payload: bytesOf(payload), ...more };
}

export function ping(payload: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { opcode: OPCODE.ping, payload: bytesOf(payload), ...more };
}

export function pong(payload: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { opcode: OPCODE.pong, payload: bytesOf(payload), ...more };
}

/** A Close frame. Without a code its payload is empty. */
export function close(code?: number, reason: string | Uint8Array = ""): Frame {
  if (code === undefined) return { opcode: OPCODE.close };
  const payload = [code >> 8, code & 255, ...bytesOf(reason)];
  return { opcode: OPCODE.close, payload: Uint8Array.from(payload) };
}

function bytesOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? utf8(payload) : payload;
}

/** The bytes of a frame that `role` sends. */
export function encodeFrame(frame: Frame, role: Role): Uint8Array {
  const { opcode, payload = new Uint8Array(0), fin = true, rsv = 0, mask } = frame;
  const isMasked = (role === "client") !== (mask === "wrong");
  const length = lengthField(frame.announced ?? BigInt(payload.length), frame.lengthBits);
  const head = [(fin ? 128 : 0) | rsv << 4 | opcode, (isMasked ? 128 : 0) | length[0]];
  const key = new Uint8Array(isMasked ? 4 : 0);
  if (isMasked && mask !== "zero") crypto.getRandomValues(key);
  const bytes = new Uint8Array(head.length + length.length - 1 + key.length + payload.length);
  bytes.set([...head, ...length.slice(1), ...key]);
  const start = bytes.length - payload.length;
  bytes.set(payload, start);
  if (isMasked) { for (let i = 0; i < payload.length; i++) bytes[start + i] ^= key[i & 3]; }
  return bytes;
}

/** The seven bits of the length in the second byte, and the bytes after it. */
function lengthField(length: bigint, bits?: 7 | 16 | 64): number[] {
  const fewest = length < 126n ? 7 : length < 65536n ? 16 : 64;
  const taken = bits ?? fewest;
  if (taken === 7) return [Number(length)];
  const bytes = Array.from(
    { length: taken / 8 },
    (_, i, count = taken / 8) => Number(length >> BigInt(8 * (count - 1 - i)) & 255n),
  );
  return [taken === 16 ? 126 : 127, ...bytes];
}
