/**
 * Reads the frames that the other side sends, and holds them to the rules.
 *
 * @module
 */

import { OPCODE, type Role } from "./frame.ts";
import type { Sent } from "./case.ts";
import { Gathered } from "../../../base/gathered_bytes.ts";
import type { Inflater } from "./inflater.ts";

/** A Close that has come. */
export interface ReceivedClose {
  /** Undefined if the frame has no code. */
  readonly code: number | undefined;
  readonly reason: string;
}

/** A frame that is there as a whole. */
interface Received {
  readonly first: number;
  readonly payload: Uint8Array;
}

/** The most bytes and messages, with Pings and Pongs, that are taken in one case. */
const [MOST_BYTES, MOST_EVENTS] = [8 * 1024 * 1024, 10_000];

/** The rules that the other side's frames can break, in the words of a report. */
class Broken extends Error {}

/** See the module. */
export class FrameReader {
  /** The messages that have come, without Close. */
  readonly events: Sent[] = [];
  /** The Close that has come. Nothing after it is read. */
  close: ReceivedClose | undefined;
  /** The error of the input. Nothing after it is read. */
  wrong: string | undefined;
  /** Whether nothing is read any more. */
  get done(): boolean {
    return this.close !== undefined || this.wrong !== undefined;
  }
  readonly #from: Role;
  readonly #inflater: Inflater | undefined;
  /** Unread bytes are between `#at` and `#end`. */
  #buffer: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #taken = 0;
  #message:
    | { readonly type: "text" | "binary"; readonly deflated: boolean; data: Gathered }
    | undefined;

  /** `from` is who sends the frames. */
  constructor(from: Role, inflater: Inflater | undefined) {
    this.#from = from;
    this.#inflater = inflater;
  }

  /** Takes bytes that have come. Never rejects. */
  async push(bytes: Uint8Array): Promise<void> {
    if (this.done) return;
    this.#append(bytes);
    try {
      this.#taken += bytes.length;
      if (this.#taken > MOST_BYTES) throw new Broken("it sends more than 8 MiB");
      for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
        await this.#heed(frame);
        if (this.events.length > MOST_EVENTS) {
          throw new Broken("it sends more than 10,000 messages");
        }
        if (this.close !== undefined && this.#at < this.#end) {
          throw new Broken("it sends more behind its Close");
        }
        if (this.done) return;
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.wrong = error.message;
    }
  }

  #append(bytes: Uint8Array): void {
    const left = this.#buffer.subarray(this.#at, this.#end);
    const needed = left.length + bytes.length;
    if (needed > this.#buffer.length) {
      this.#buffer = new Uint8Array(Math.max(needed, 2 * left.length));
      this.#buffer.set(left);
    } else if (this.#at > 0) this.#buffer.set(left);
    this.#buffer.set(bytes, left.length);
    this.#at = 0;
    this.#end = needed;
  }

  /** Takes the next frame, if it is there. */
  #next(): Received | undefined {
    const unread = this.#buffer.subarray(this.#at, this.#end);
    if (unread.length < 2) return undefined;
    const [first, second] = unread;
    const isMasked = (second & 128) !== 0;
    if (isMasked && this.#from === "server") throw new Broken("its frame is masked");
    if (!isMasked && this.#from === "client") throw new Broken("its frame is not masked");
    const short = second & 127;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = 2 + extended + (isMasked ? 4 : 0);
    if (unread.length < start) return undefined;
    const length = lengthOf(short, unread.subarray(2, 2 + extended));
    if (unread.length < start + length) return undefined;
    const payload = unread.slice(start, start + length);
    const key = unread.subarray(start - 4, start);
    if (isMasked) { for (let i = 0; i < length; i++) payload[i] ^= key[i & 3]; }
    this.#at += start + length;
    return { first, payload };
  }

  async #heed({ first, payload }: Received): Promise<void> {
    const opcode = first & 15;
    const fin = (first & 128) !== 0;
    const rsv = first >> 4 & 7;
    const mayDeflate = this.#inflater !== undefined &&
      (opcode === OPCODE.text || opcode === OPCODE.binary);
    if (rsv !== 0 && !(rsv === 4 && mayDeflate)) {
      throw new Broken("its frame has a reserved bit set");
    }
    if (opcode >= 8) return this.#heedControl(opcode, fin, payload);
    if (opcode > 2) throw new Broken(`its frame has the reserved opcode ${opcode}`);
    if ((opcode === 0) !== (this.#message !== undefined)) {
      throw new Broken(
        opcode === 0 ? "its fragment continues nothing" : "its fragment does not continue",
      );
    }
    this.#message ??= {
      type: opcode === OPCODE.text ? "text" : "binary",
      deflated: rsv === 4,
      data: new Gathered(),
    };
    this.#message.data.add(payload);
    if (!fin) return;
    const { type, deflated, data } = this.#message;
    this.#message = undefined;
    const whole = deflated ? await this.#inflate(data.whole()) : data.whole();
    if (type === "text") decoded(whole);
    this.events.push({ type, data: whole });
  }

  async #inflate(data: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#inflater!.message(data, MOST_BYTES);
    } catch (error) {
      throw new Broken(`its message does not inflate: ${(error as Error).message}`);
    }
  }

  #heedControl(opcode: number, fin: boolean, payload: Uint8Array): void {
    if (!fin) throw new Broken("its control frame is fragmented");
    if (payload.length > 125) throw new Broken("its control frame has more than 125 bytes");
    if (opcode === OPCODE.ping) this.events.push({ type: "ping", data: payload });
    else if (opcode === OPCODE.pong) this.events.push({ type: "pong", data: payload });
    else if (opcode === OPCODE.close) this.close = closeOf(payload);
    else throw new Broken(`its frame has the reserved opcode ${opcode}`);
  }
}

/** Returns the length of a payload: the seven bits, or the extended length (RFC 6455 section 5.2). */
function lengthOf(short: number, extended: Uint8Array): number {
  if (extended.length === 0) return short;
  const length = extended.reduce((sum, byte) => sum * 256 + byte, 0);
  if (length < (extended.length === 2 ? 126 : 65536)) {
    throw new Broken(`its frame has the length ${length} in more bytes than needed`);
  }
  if (length > MOST_BYTES) throw new Broken(`its frame announces ${length} bytes`);
  return length;
}

function closeOf(payload: Uint8Array): ReceivedClose {
  if (payload.length === 0) return { code: undefined, reason: "" };
  if (payload.length === 1) throw new Broken("its Close has half a code");
  const code = payload[0] << 8 | payload[1];
  if (!isSendable(code)) throw new Broken(`its Close has the code ${code}, which must not be sent`);
  return { code, reason: decoded(payload.subarray(2)) };
}

/** Whether a Close may have this code (RFC 6455 section 7.4). */
function isSendable(code: number): boolean {
  return code >= 1000 && ![1004, 1005, 1006, 1015].includes(code);
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Broken("its text is not UTF-8");
  }
}
