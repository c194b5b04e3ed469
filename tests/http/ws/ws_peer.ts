// The other end of a WebSocket, by hand: frames are made and taken apart here as the RFC has them, byte
// by byte, with nothing of the engine.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { systemClock } from "../../../lib/base/clock.ts";
import { WebSocketConn } from "../../../lib/http/ws/conn.ts";
import type { WsRole } from "../../../lib/http/ws/frame.ts";
import { type WsOptions, wsSettings } from "../../../lib/http/ws/options.ts";
import type { WsConn } from "../../../lib/http/ws/conn_types.ts";
import { MemoryTransport } from "../../../lib/net/memory/transport.ts";
import type { Conn } from "../../../lib/net/transport.ts";
import { pair } from "../../support/helpers.ts";

/** A frame. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  /** Default: true. */
  readonly fin?: boolean;
  /** The three reserved bits, the first one being 4. Default: 0. */
  readonly rsv?: number;
  /** How many bytes the length takes beside the 7 bits: 0, 2 or 8. Default: as few as can be. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** Default: what a good peer does. */
  readonly masked?: boolean;
}

export const TEXT = 1;
export const BINARY = 2;
export const CONTINUATION = 0;
export const CLOSING = 8;
export const PING = 9;
export const PONG = 10;

const KEY = [0x37, 0xfa, 0x21, 0x3d];

/** The bytes of a frame. */
export function encoded(frame: Frame, masked: boolean): Buffer {
  const { opcode, payload, fin = true, rsv = 0 } = frame;
  const size = payload.length;
  const lengthBytes = frame.lengthBytes ?? (size < 126 ? 0 : size < 65_536 ? 2 : 8);
  const length = Buffer.alloc(lengthBytes);
  if (lengthBytes === 2) length.writeUInt16BE(size);
  if (lengthBytes === 8) length.writeBigUInt64BE(BigInt(size));
  const short = lengthBytes === 0 ? size : lengthBytes === 2 ? 126 : 127;
  const mask = frame.masked ?? masked;
  return Buffer.concat([
    Uint8Array.of((fin ? 128 : 0) + rsv * 16 + opcode, (mask ? 128 : 0) + short),
    length,
    mask ? Uint8Array.from(KEY) : new Uint8Array(),
    mask ? payload.map((byte, i) => byte ^ KEY[i % 4]) : payload,
  ]);
}

/** The payload of a Close frame. */
export function closing(code: number, reason: string | Uint8Array = ""): Uint8Array {
  return Buffer.concat([Uint8Array.of(code >> 8, code & 255), Buffer.from(reason as string)]);
}

/** A frame that was received. */
export interface Received {
  readonly first: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly key: string;
  readonly payload: Buffer;
  /** The bytes of the frame before its payload. */
  readonly head: Buffer;
}

/** The other end of a connection. */
export class Peer {
  readonly conn: Conn;
  readonly #masks: boolean;

  /** `role` is this end's. */
  constructor(conn: Conn, role: WsRole) {
    this.conn = conn;
    this.#masks = role === "client";
  }

  /** The bytes of frames, one behind the other. */
  bytesOf(...frames: readonly Frame[]): Buffer {
    return Buffer.concat(frames.map((frame) => encoded(frame, this.#masks)));
  }

  /** Sends frames in one write. */
  async send(...frames: readonly Frame[]): Promise<void> {
    await this.conn.write(this.bytesOf(...frames));
  }

  async #exactly(n: number): Promise<Buffer> {
    const all = Buffer.alloc(n);
    for (let at = 0; at < n;) {
      const got = await this.conn.read(all.subarray(at));
      assert.notEqual(got, null, "The connection ended inside a frame");
      at += got!;
    }
    return all;
  }

  /** The next frame; null at the end of the stream. */
  async frame(): Promise<Received | null> {
    const one = Buffer.alloc(1);
    if (await this.conn.read(one) === null) return null;
    const second = await this.#exactly(1);
    const short = second[0] & 127;
    const more = await this.#exactly(short < 126 ? 0 : short === 126 ? 2 : 8);
    const length = short < 126
      ? short
      : short === 126
      ? more.readUInt16BE()
      : Number(more.readBigUInt64BE());
    const masked = second[0] >= 128;
    const key = await this.#exactly(masked ? 4 : 0);
    const payload = await this.#exactly(length);
    if (masked) { for (let i = 0; i < length; i++) payload[i] ^= key[i % 4]; }
    return {
      first: one[0],
      opcode: one[0] & 15,
      masked,
      key: key.toString("hex"),
      payload,
      head: Buffer.concat([one, second, more, key]),
    };
  }

  /** The code of the Close frame that comes next. */
  async closeCode(): Promise<number> {
    const frame = await this.frame();
    assert.equal(frame?.opcode, CLOSING, "The next frame is a Close frame");
    return frame!.payload.length === 0 ? 1005 : frame!.payload.readUInt16BE();
  }
}

/** An engine, and its peer by hand. */
export interface Engine extends Disposable {
  readonly ws: WsConn;
  readonly peer: Peer;
}

/** What an engine agrees on beside its options. */
export interface Agreed extends WsOptions {
  /** Whether messages may be compressed. */
  readonly deflate?: boolean;
}

/** An engine in this role on a connection in memory. */
export async function engine(role: WsRole, options: Agreed = {}): Promise<Engine> {
  const transport = new MemoryTransport();
  const { client, server, listener } = await pair(transport);
  const [own, other] = role === "server" ? [server, client] : [client, server];
  const deflate = options.deflate ? { windowBits: 15 } : undefined;
  const ws = new WebSocketConn(
    own,
    { role, protocol: "", extensions: "", deflate },
    wsSettings({ pingInterval: 0, clock: systemClock, ...options }),
  );
  return {
    ws,
    peer: new Peer(other, role === "server" ? "client" : "server"),
    [Symbol.dispose]() {
      other.close();
      ws.abort();
      listener.close();
    },
  };
}
