// A WebSocket server that sends back what it gets, strict by default, and wrong in one way if asked.
// It shares no code with the library's own, nor with the judge that it tests.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { serve } from "../../lib/serve/serve.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";

/** What it can do wrong. */
export type Flaw =
  | "takes any version"
  | "takes any key"
  | "takes reserved bits"
  | "takes reserved opcodes"
  | "takes frames without a mask"
  | "takes long lengths"
  | "mixes messages"
  | "takes large control frames"
  | "takes fragmented control frames"
  | "answers Ping after the message"
  | "answers no Ping"
  | "checks no UTF-8"
  | "checks UTF-8 at the end"
  | "closes with 1011"
  | "takes any close code"
  | "answers no Close"
  | "goes on after Close"
  | "leaves TCP open"
  | "masks its frames"
  | "inflates anything"
  | "takes any offer"
  | "floods";

/** A server that listens. */
export interface WsEcho extends AsyncDisposable {
  readonly url: string;
}

/** Starts it on a free port. */
export async function wsEcho(...flaws: readonly Flaw[]): Promise<WsEcho> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const onError = () => {};
  const server = serve(listener, (conn) => new Echo(conn, new Set(flaws)).run(), { onError });
  return {
    url: `ws://127.0.0.1:${listener.addr.port}/`,
    [Symbol.asyncDispose]: async () => void await server.stop({ drainTimeout: 1 }),
  };
}

/** Ends a connection with a close code. */
class Failure extends Error {
  constructor(readonly code: number) {
    super(`close with ${code}`);
  }
}

/** Ends a connection. */
class Ended extends Error {}

interface Message {
  readonly opcode: number;
  readonly deflated: boolean;
  readonly decoder: InstanceType<typeof TextDecoder> | undefined;
  pieces: Uint8Array[];
  size: number;
}

const MOST = 2 * 1024 * 1024;
/** Pings without a payload. */
const FLOOD = Uint8Array.from({ length: 2 * 20_000 }, (_, i) => i % 2 === 0 ? 0x89 : 0);
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

class Echo {
  readonly #buffer = new Uint8Array(16_384);
  #rest: Uint8Array = new Uint8Array(0);
  #deflates = false;
  #message: Message | undefined;
  #pongs: Uint8Array[] = [];
  #closed = false;

  constructor(readonly conn: Conn, readonly flaws: ReadonlySet<Flaw>) {}

  async run(): Promise<void> {
    try {
      if (!await this.#shakeHands()) return await this.#end();
      for (;;) await this.#frame();
    } catch (error) {
      if (error instanceof Ended) return;
      if (!(error instanceof Failure)) throw error;
      const code = this.flaws.has("closes with 1011") ? 1011 : error.code;
      await this.#send(8, Uint8Array.of(code >> 8, code & 255));
      await this.#end();
    }
  }

  /** Half-closes and reads on, so that no reset overtakes what was sent. */
  async #end(): Promise<void> {
    if (this.flaws.has("leaves TCP open")) await new Promise(() => {});
    await this.conn.closeWrite();
    while (await this.conn.read(this.#buffer) !== null);
  }

  /** Takes up to `most` bytes, at least one, which are there until the next call. */
  async #some(most: number): Promise<Uint8Array> {
    if (this.#rest.length === 0) {
      const n = await this.conn.read(this.#buffer);
      if (n === null) throw new Ended();
      this.#rest = this.#buffer.subarray(0, n);
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async #bytes(count: number): Promise<Uint8Array> {
    const all = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const some = await this.#some(count - at);
      all.set(some, at);
      at += some.length;
    }
    return all;
  }

  /** Reads up to the empty line. */
  async #head(): Promise<string> {
    let all = Buffer.alloc(0);
    let end = -1;
    while (end < 0) {
      if (all.length > 16384) throw new Ended();
      all = Buffer.concat([all, await this.#some(Infinity)]);
      end = all.indexOf("\r\n\r\n");
    }
    this.#rest = new Uint8Array(all.subarray(end + 4));
    return all.toString("latin1", 0, end);
  }

  async #shakeHands(): Promise<boolean> {
    const head = await this.#head();
    const [line, ...lines] = head.split("\r\n").filter((line) => line !== "");
    const fields = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const answer = (text: string) => this.conn.write(new TextEncoder().encode(text));
    const refuse = async (status: string, more = "") => {
      await answer(`HTTP/1.1 ${status}\r\n${more}Content-Length: 0\r\nConnection: close\r\n\r\n`);
      return false;
    };
    const key = fields.get("sec-websocket-key") ?? "";
    const has = (name: string, item: string) =>
      (fields.get(name) ?? "").toLowerCase().split(",").some((one) => one.trim() === item);
    if (!/^GET \S+ HTTP\/1\.1$/.test(line) || !fields.has("host")) return refuse("400 Bad Request");
    if (!has("upgrade", "websocket") || !has("connection", "upgrade")) {
      return refuse("426 Upgrade Required");
    }
    if (fields.get("sec-websocket-version") !== "13" && !this.flaws.has("takes any version")) {
      return refuse("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n");
    }
    if (!/^[A-Za-z0-9+/]{22}==$/.test(key) && !this.flaws.has("takes any key")) {
      return refuse("400 Bad Request");
    }
    const accept = createHash("sha1").update(key + GUID).digest("base64");
    const extension = this.#extension(fields.get("sec-websocket-extensions") ?? "");
    this.#deflates = extension !== undefined;
    const taken = extension === undefined ? "" : `Sec-WebSocket-Extensions: ${extension}\r\n`;
    await answer(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n${taken}\r\n`,
    );
    return true;
  }

  /** Answers the first offer that can be taken. It always compresses each message by itself. */
  #extension(offers: string): string | undefined {
    const flag = "(?:client|server)_no_context_takeover";
    const known = new RegExp(`^permessage-deflate(; (?:${flag}|client_max_window_bits))*$`);
    return offers.split(",").map((one) => one.trim()).filter((one) => {
      const names = one.split("; ");
      const isRight = known.test(one) && new Set(names).size === names.length;
      return isRight || this.flaws.has("takes any offer") && one.startsWith("permessage-deflate");
    }).map(() => "permessage-deflate; server_no_context_takeover; client_no_context_takeover")[0];
  }

  /** Throws unless what is wrong is taken. */
  #unless(flaw: Flaw | undefined, isWrong: boolean, code = 1002): void {
    if (isWrong && (flaw === undefined || !this.flaws.has(flaw))) throw new Failure(code);
  }

  async #frame(): Promise<void> {
    const [first, second] = await this.#bytes(2);
    const opcode = first & 15;
    const fin = (first & 128) !== 0;
    const rsv = first >> 4 & 7;
    const mayDeflate = this.#deflates && (opcode === 1 || opcode === 2);
    this.#unless("takes reserved bits", (rsv & (mayDeflate ? 3 : 7)) !== 0);
    this.#unless("takes reserved opcodes", opcode > 2 && opcode < 8 || opcode > 10);
    this.#unless("takes frames without a mask", (second & 128) === 0);
    const isControl = opcode >= 8;
    this.#unless("takes fragmented control frames", isControl && !fin);
    this.#unless("takes large control frames", isControl && (second & 127) > 125);
    const length = await this.#length(second & 127);
    const key = (second & 128) === 0 ? new Uint8Array(4) : await this.#bytes(4);
    if (isControl) return await this.#control(opcode, unmasked(await this.#bytes(length), key, 0));
    if (opcode > 2) return void await this.#bytes(length);
    this.#unless(undefined, opcode === 0 && this.#message === undefined);
    this.#unless("mixes messages", opcode !== 0 && this.#message !== undefined);
    if (opcode !== 0) this.#message = this.#begin(opcode, mayDeflate && (rsv & 4) !== 0);
    await this.#payload(this.#message!, length, key, fin);
    if (fin) await this.#answer();
  }

  #begin(opcode: number, deflated: boolean): Message {
    const late = ["checks no UTF-8", "checks UTF-8 at the end"] as const;
    const checks = opcode === 1 && !deflated && !late.some((flaw) => this.flaws.has(flaw));
    const decoder = checks ? new TextDecoder("utf-8", { fatal: true }) : undefined;
    return { opcode, deflated, decoder, pieces: [], size: 0 };
  }

  async #length(short: number): Promise<number> {
    if (short < 126) return short;
    const bytes = await this.#bytes(short === 126 ? 2 : 8);
    const length = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    this.#unless("takes long lengths", length < (short === 126 ? 126 : 65536));
    this.#unless(undefined, length > MOST, 1009);
    return length;
  }

  async #payload(message: Message, length: number, key: Uint8Array, fin: boolean): Promise<void> {
    for (let at = 0; at < length;) {
      const piece = unmasked(await this.#some(length - at), key, at);
      at += piece.length;
      message.size += piece.length;
      this.#unless(undefined, message.size > MOST, 1009);
      message.pieces.push(piece);
      this.#decode(message, piece, true);
    }
    if (fin) this.#decode(message, new Uint8Array(0), false);
  }

  #decode({ decoder }: Message, piece: Uint8Array, stream: boolean): void {
    try {
      decoder?.decode(piece, { stream });
    } catch {
      throw new Failure(1007);
    }
  }

  async #answer(): Promise<void> {
    const { opcode, deflated, pieces, decoder } = this.#message!;
    this.#message = undefined;
    let data = joined(pieces);
    if (deflated) data = this.#inflated(data);
    if (opcode === 1 && decoder === undefined && !this.flaws.has("checks no UTF-8")) {
      this.#decode(
        { decoder: new TextDecoder("utf-8", { fatal: true }) } as Message,
        data,
        false,
      );
    }
    await this.#send(opcode, data, deflated);
    for (const pong of this.#pongs.splice(0)) await this.#send(10, pong);
  }

  #inflated(data: Uint8Array): Uint8Array {
    try {
      const whole = joined([data, Uint8Array.of(0, 0, 255, 255)]);
      return inflateRawSync(whole, {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MOST,
      });
    } catch (error) {
      const { code } = error as { code?: string };
      if (this.flaws.has("inflates anything")) return new Uint8Array(0);
      throw new Failure(code === "ERR_BUFFER_TOO_LARGE" ? 1009 : 1007);
    }
  }

  async #control(opcode: number, payload: Uint8Array): Promise<void> {
    if (opcode === 9) {
      if (this.flaws.has("floods")) { for (;;) await this.conn.write(FLOOD); }
      if (this.flaws.has("answers no Ping")) return;
      if (this.flaws.has("answers Ping after the message") && this.#message !== undefined) {
        this.#pongs.push(payload);
      } else await this.#send(10, payload);
    }
    if (opcode !== 8) return;
    if (this.#closed) return;
    const anyCode = this.flaws.has("takes any close code");
    if (!anyCode) this.#checkClose(payload);
    this.#closed = this.flaws.has("goes on after Close");
    if (!this.flaws.has("answers no Close")) {
      await this.#send(8, payload.length >= 2 ? payload.subarray(0, 2) : new Uint8Array(0));
    }
    if (this.#closed) return;
    await this.#end();
    throw new Ended();
  }

  #checkClose(payload: Uint8Array): void {
    if (payload.length === 0) return;
    const code = payload.length === 1 ? 0 : payload[0] << 8 | payload[1];
    const isKnown = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
    this.#unless(undefined, !isKnown && !(code >= 3000 && code < 5000));
    if (this.flaws.has("checks no UTF-8")) return;
    this.#decode(
      { decoder: new TextDecoder("utf-8", { fatal: true }) } as Message,
      payload.subarray(2),
      false,
    );
  }

  async #send(opcode: number, payload: Uint8Array, deflated = false): Promise<void> {
    const data = deflated
      ? deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
      : payload;
    const { length } = data;
    const mask = this.flaws.has("masks its frames") ? 128 : 0;
    const head = [128 | (deflated ? 64 : 0) | opcode];
    if (length < 126) head.push(mask | length);
    else if (length < 65536) head.push(mask | 126, length >> 8, length & 255);
    else head.push(mask | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((bits) => length >> bits & 255));
    if (mask !== 0) head.push(0, 0, 0, 0);
    await this.conn.write(joined([Uint8Array.from(head), data]));
  }
}

function unmasked(bytes: Uint8Array, key: Uint8Array, at: number): Uint8Array {
  const plain = new Uint8Array(bytes);
  for (let i = 0; i < plain.length; i++) plain[i] ^= key[at + i & 3];
  return plain;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
