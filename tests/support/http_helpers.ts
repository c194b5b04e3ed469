// What tests of HTTP have in common.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import type { LightHandler } from "../../lib/http/server/light.ts";
import type { HttpOptions } from "../../lib/http/server/options.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { ServeSummary } from "../../lib/serve/serve.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { share } from "./cases.ts";
import { bytes, readAll } from "./helpers.ts";

/** A message whole, byte by byte, and cut in two or three at places spread over it. */
export function splits(message: Buffer): Buffer[][] {
  const cut = (...places: number[]) =>
    [0, ...places].map((place, i) => message.subarray(place, places[i]));
  const ways = [[message], Array.from(message, (_, i) => message.subarray(i, i + 1))];
  const step = Math.max(1, Math.floor(message.length / share(40)));
  for (let place = 0; place <= message.length; place += step) {
    ways.push(cut(place));
    ways.push(cut(Math.floor(place / 2), place));
  }
  return ways;
}

/** The shortest request. */
export const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A server that a test talks to. */
export interface TestServer extends AsyncDisposable {
  readonly connect: (localAddress?: string) => Promise<Conn>;
  /** Sends text, half-closes, and hears all, without Date. */
  readonly talk: (text: string) => Promise<string>;
  readonly clock: VirtualClock;
  readonly stop: AbortController;
  readonly served: Promise<ServeSummary>;
  /** What handlers threw. */
  readonly errors: unknown[];
}

/** A server on memory and on a virtual clock; `talk` sends text, half-closes, and hears all. */
export async function serveOn(
  handler: LightHandler,
  options: HttpOptions = {},
): Promise<TestServer> {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const stop = new AbortController();
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const served = serveLight(listener, handler, {
    signal: stop.signal,
    clock,
    onError: (error) => errors.push(error),
    ...options,
  }).finished;
  const connect = (localAddress?: string) =>
    transport.connect({ host: "localhost", port: 80, localAddress });
  const talk = async (text: string) => {
    using conn = await connect();
    await conn.write(bytes(text));
    await conn.closeWrite();
    return (await hear(conn)).text;
  };
  return {
    connect,
    talk,
    clock,
    stop,
    served,
    errors,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await clock.advance(0);
      await served;
    },
  };
}

/** Hears until the server closes; Date is left out, since it changes. */
export async function hear(conn: Conn): Promise<{ text: string }> {
  const text = new TextDecoder("latin1").decode(await readAll(conn));
  return { text: text.replaceAll(/Date: [^\r]*\r\n/g, "") };
}

/** Asserts that a Date is of now, but not before `since`, in milliseconds. It tells whole seconds. */
export function assertDate(date: string, since: number): void {
  const time = Date.parse(date);
  assert.ok(time >= Math.floor(since / 1000) * 1000, `${date} is before ${new Date(since)}`);
  assert.ok(time <= Date.now(), `${date} is to come`);
}

/** Hears one response with a Content-Length, and leaves the connection open. */
export async function hearOne(conn: Conn): Promise<string> {
  let text = "";
  const p = new Uint8Array(4096);
  for (;;) {
    const head = text.indexOf("\r\n\r\n");
    const length = Number(/Content-Length: (\d+)/.exec(text)?.[1] ?? 0);
    if (head !== -1 && text.length >= head + 4 + length) break;
    const n = await conn.read(p);
    assert.notEqual(n, null, `The server closed after ${JSON.stringify(text)}`);
    text += new TextDecoder("latin1").decode(p.subarray(0, n!));
  }
  return text.replace(/Date: [^\r]*\r\n/, "");
}

/** Answers with hello. */
export const hello: LightHandler = () => ({ status: 200, body: "hello" });
