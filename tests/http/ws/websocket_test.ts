// WebSockets between our server and our client, on memory and on a virtual clock.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { VirtualClock } from "../../../lib/base/virtual_clock.ts";
import { serveHttp } from "../../../lib/http/fetch/serve_http.ts";
import { serveLight } from "../../../lib/http/server/server.ts";
import { dialWebSocket, type WsDialOptions } from "../../../lib/http/ws/client.ts";
import { WsError } from "../../../lib/http/ws/error.ts";
import { prepareMessage } from "../../../lib/http/ws/prepared_message.ts";
import { websocket, type WsHandler, type WsServerOptions } from "../../../lib/http/ws/server.ts";
import type { WsConn } from "../../../lib/http/ws/conn_types.ts";
import { MemoryTransport } from "../../../lib/net/memory/transport.ts";
import type { Conn } from "../../../lib/net/transport.ts";
import { bytes, until } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";

const ECHO: WsHandler = async (ws) => {
  for await (const message of ws) await ws.write(message);
};

interface Server extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly errors: unknown[];
  readonly dial: (options?: WsDialOptions, path?: string) => Promise<WsConn>;
  readonly connect: () => Promise<Conn>;
  readonly stop: () => Promise<unknown>;
}

async function serving(handler: WsHandler, options: WsServerOptions = {}): Promise<Server> {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const handle = websocket(handler, { clock, ...options });
  const server = serveLight(listener, handle, { clock, onError: (error) => errors.push(error) });
  return {
    clock,
    errors,
    dial: (more = {}, path = "/") =>
      dialWebSocket(`ws://localhost${path}`, { transport, clock, ...more }),
    connect: () => transport.connect({ host: "localhost", port: 80 }),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: async () => void await server.stop(),
  };
}

const SIZES = [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 200_000];

for (const deflate of [false, true]) {
  test(`websocket: messages of every size come back, ${deflate ? "" : "not "}compressed`, async () => {
    await using server = await serving(ECHO, { deflate });
    await using ws = await server.dial({ deflate });
    assert.equal(ws.extensions !== "", deflate);
    for (const size of SIZES) {
      const text = "aé€😀".repeat(size / 5).slice(0, size);
      const binary = Uint8Array.from({ length: size }, (_, i) => i * 7);
      await ws.write(text);
      assert.equal(await ws.read(), text);
      await ws.write(binary);
      assert.deepEqual(new Uint8Array(await ws.read() as Uint8Array), binary);
    }
  });
}

test("websocket: many messages at once stay in order, and leave together", async () => {
  await using server = await serving(ECHO);
  await using ws = await server.dial();
  const sent = Array.from({ length: 2000 }, (_, i) => `${i} ${"x".repeat(i % 300)}`);
  const writing = Promise.all(sent.map((text) => ws.write(text)));
  for (const text of sent) assert.equal(await ws.read(), text);
  await writing;
});

test("websocket: close: both sides hear of it, with code and reason, and reading ends", async () => {
  const closes: unknown[] = [];
  await using server = await serving(async (ws) => {
    await ECHO(ws, undefined as never);
    closes.push(await ws.closed);
  });
  const ws = await server.dial();
  await ws.close(3001, "enough");
  assert.deepEqual(await ws.closed, { code: 3001, reason: "", clean: true, by: "self" });
  assert.equal(await ws.read(), null);
  await assert.rejects(ws.write("late"), { code: "EPIPE" });
  await until(() => closes.length > 0, "the server's close");
  assert.deepEqual(closes, [{ code: 3001, reason: "enough", clean: true, by: "peer" }]);
});

test("websocket: a handler that returns closes with 1000, one that throws with 1011, a stop with 1001", async () => {
  const mistake = new Error("a mistake");
  await using server = await serving(async (ws) => {
    const message = await ws.read();
    if (message === "throw") throw mistake;
  });
  const codes: number[] = [];
  for (const message of ["return", "throw"]) {
    const ws = await server.dial();
    await ws.write(message);
    assert.equal(await ws.read(), null);
    codes.push((await ws.closed).code);
  }
  const ws = await server.dial();
  const reading = ws.read();
  await server.stop();
  assert.equal(await reading, null);
  assert.deepEqual([...codes, (await ws.closed).code], [1000, 1011, 1001]);
  assert.deepEqual(server.errors, [mistake]);
});

test("websocket: an error of another WebSocket closes with 1011; one of its own is no mistake", async () => {
  await using behind = await serving((ws) => ws.write("too long"));
  let another: unknown;
  await using server = await serving(async (ws) => {
    if (await ws.read() === "own") return void await ws.read();
    const other = await behind.dial({ maxSize: 1 });
    await other.read().catch((error) => another = error);
    throw another;
  }, { maxSize: 10 });
  const codes: number[] = [];
  for (const first of ["another's", "own"]) {
    const ws = await server.dial();
    await ws.write(first);
    await ws.write("far too long");
    await ws.read().catch(() => {});
    codes.push((await ws.closed).code);
  }
  assert.deepEqual(codes, [1011, 1009]);
  assert.ok(another instanceof WsError);
  assert.deepEqual(server.errors, [another]);
});

test("websocket: closed settles whatever waits to be read, which can be read then", async () => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => release = resolve);
  const heard: unknown[] = [];
  let closed: unknown;
  await using server = await serving(async (ws) => {
    closed = await ws.closed;
    await held;
    for await (const message of ws) heard.push(message);
  });
  const ws = await server.dial();
  for (const message of ["one", "two", "three"]) await ws.write(message);
  await ws.close(3000);
  await until(() => closed !== undefined, "the close");
  release();
  await until(() => heard.length === 3, "the messages");
  assert.deepEqual(heard, ["one", "two", "three"]);
});

test("websocket: what waits to be read is thrown away by close()", async () => {
  let read: unknown;
  await using server = await serving(async (ws) => {
    await ws.read();
    await ws.close();
    read = await ws.read();
  });
  const ws = await server.dial();
  await Promise.all(["one", "two", "three"].map((message) => ws.write(message)));
  assert.equal(await ws.read(), null);
  await until(() => read !== undefined, "the read");
  assert.equal(read, null);
});

test("websocket: a peer that does not answer a Close frame is left after the timeout", async () => {
  let closed: unknown;
  await using server = await serving(async (ws) => {
    const closing = ws.close(1000, "bye");
    closed = await ws.closed;
    await closing;
  });
  using conn = await handshake(server);
  assert.deepEqual(await frame(conn), [0x88, ...[0x03, 0xe8, ...bytes("bye")]]);
  await server.clock.advance(5000);
  assert.equal(await conn.read(new Uint8Array(1)), null);
  await until(() => closed !== undefined, "the close");
  assert.deepEqual(closed, { code: 1006, reason: "", clean: false, by: "self" });
});

test("websocket: silent peers get a Ping, and are lost if they do not answer", async () => {
  let failure: unknown;
  await using server = await serving(async (ws) => {
    await ws.read().catch((error) => failure = error);
  }, { pingInterval: 1000 });
  using conn = await handshake(server);
  await server.clock.advance(1000);
  assert.deepEqual(await frame(conn), [0x89]);
  await conn.write(masked(0x8a, new Uint8Array()));
  await server.clock.advance(1000);
  await server.clock.advance(1000);
  assert.deepEqual(await frame(conn), [0x89]);
  await server.clock.advance(1000);
  await assert.rejects(conn.read(new Uint8Array(1)), { code: "ECONNRESET" });
  await until(() => failure !== undefined, "the failure");
  assert.equal((failure as { code: string }).code, "ETIMEDOUT");
});

test("websocket: Pings are answered while nobody reads, and a user's Ping hears its Pong", async () => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => release = resolve);
  await using server = await serving(async () => await held);
  const ws = await server.dial();
  await ws.write("unread");
  await Promise.all([ws.ping(), ws.ping(bytes("data"))]);
  await assert.rejects(ws.ping(new Uint8Array(126)), RangeError);
  await assert.rejects(ws.ping("text" as unknown as Uint8Array), /ping\W.*takes bytes/);
  await assert.rejects(ws.close(1000, 7 as unknown as string), /close\W.*takes a string/);
  release();
  assert.equal(await ws.read(), null);
});

test("websocket: a peer that sends more than is read is held back", async () => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => release = resolve);
  let read = 0;
  await using server = await serving(async (ws) => {
    await held;
    while (await ws.read() !== null) read++;
  });
  const ws = await server.dial();
  let sent = 0;
  const sending = (async () => {
    for (; sent < 100; sent++) await ws.write(new Uint8Array(100_000));
  })();
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(sent < 40, `${sent} messages were taken`);
  release();
  await sending;
  await ws.close();
  await until(() => read === 100, "all messages");
});

test("websocket: a large message is read and written piece by piece, beyond the limit", async () => {
  await using server = await serving(async (ws) => {
    for (let message; (message = await ws.readStream()) !== null;) {
      await ws.writeStream(message.type, message);
    }
  }, { maxSize: 1000 });
  await using ws = await server.dial();
  const text = "€".repeat(100_000);
  for (const message of [text, bytes("small")]) {
    const [back] = await Promise.all([ws.read(), ws.write(message)]);
    assert.deepEqual(Buffer.from(back as string), Buffer.from(message as string));
  }
});

test("websocket: of a message that is not wanted to its end the rest is thrown away", async () => {
  await using server = await serving(async (ws) => {
    const message = await ws.readStream();
    for await (const _piece of message!) break;
    await ws.write(await ws.read() as string);
  });
  await using ws = await server.dial();
  await ws.write(new Uint8Array(500_000));
  await ws.write("next");
  assert.equal(await ws.read(), "next");
});

test("websocket: a prepared message is the same for all, also compressed and to servers", async () => {
  const message = prepareMessage("to all");
  await using server = await serving(async (ws) => {
    await ws.write(message);
    assert.equal(await ws.read(), "to all");
  }, { deflate: true });
  for (const deflate of [false, true]) {
    const ws = await server.dial({ deflate });
    assert.equal(await ws.read(), "to all");
    await ws.write(message);
    assert.equal(await ws.read(), null);
  }
  assert.deepEqual(server.errors, []);
});

test("websocket: subprotocols: the client's first that the server speaks, or none", async () => {
  await using server = await serving(ECHO, { protocols: ["b", "a"] });
  const asked = async (protocols: string[]) => {
    await using ws = await server.dial({ protocols });
    return ws.protocol;
  };
  assert.deepEqual([await asked(["c", "a", "b"]), await asked(["c"]), await asked([])], [
    "a",
    "",
    "",
  ]);
});

test("websocket: pages of other origins are refused, unless they are allowed", async () => {
  await using server = await serving(ECHO, { allowOrigin: ["https://good.example"] });
  const connects = async (origin: string) => {
    try {
      await using ws = await server.dial({ headers: ["Origin", origin] });
      return ws.protocol === "";
    } catch (error) {
      assert.match((error as Error).message, /answered 403 Forbidden, not 101/);
      return false;
    }
  };
  const origins = [
    "http://localhost",
    "https://good.example",
    "http://evil.example",
    "http://localhost:81",
    "null",
  ];
  assert.deepEqual(await Promise.all(origins.map(connects)), [true, true, false, false, false]);
});

test("websocket: in serveHttp beside other paths", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const chat = websocket(ECHO);
  const server = serveHttp(
    listener,
    (request, info) =>
      new URL(request.url).pathname === "/ws" ? chat(request, info) : new Response("page"),
  );
  await using ws = await dialWebSocket("ws://localhost/ws", { transport });
  await ws.write("hi");
  assert.equal(await ws.read(), "hi");
  await assert.rejects(dialWebSocket("ws://localhost/", { transport }), {
    code: "BAD_STATUS",
    message: /the server answered 200 OK, not 101/,
  });
  void server.stop();
});

/** A connection on which the handshake is done, by hand. */
async function handshake(server: Server): Promise<Conn> {
  const conn = await server.connect();
  await conn.write(bytes(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  ));
  let head = "";
  const buffer = new Uint8Array(1);
  while (!head.endsWith("\r\n\r\n")) {
    await conn.read(buffer);
    head += String.fromCharCode(buffer[0]);
  }
  assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  return conn;
}

/** The next small frame that is not masked: its first byte, and its payload. */
async function frame(conn: Conn): Promise<number[]> {
  const head = new Uint8Array(2);
  for (let n = 0; n < 2;) n += await conn.read(head.subarray(n)) ?? assert.fail("the end");
  const payload = new Uint8Array(head[1]);
  for (let n = 0; n < payload.length;) n += await conn.read(payload.subarray(n)) ?? assert.fail();
  return [head[0], ...payload];
}

/** A small frame, masked with a key of zeros. */
function masked(first: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.from([first, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);
}

for (
  const [what, raw, code] of [
    ["a frame that is not masked", [0x81, 0x01, 0x61], 1002],
    ["a reserved bit", [0x91, 0x80, 0, 0, 0, 0], 1002],
    ["compression that was not agreed on", [0xc1, 0x80, 0, 0, 0, 0], 1002],
    ["a reserved opcode", [0x83, 0x80, 0, 0, 0, 0], 1002],
    ["a continuation of nothing", [0x80, 0x80, 0, 0, 0, 0], 1002],
    ["text that is not UTF-8", [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
    ["a Close frame of one byte", [0x88, 0x81, 0, 0, 0, 0, 0], 1002],
    ["a close code that is not valid", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed], 1002],
    ["a message that is too large", [0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 1009],
    [
      "a length that is not in its shortest form",
      [0x82, 0xfe, 0, 5, 0, 0, 0, 0, 1, 2, 3, 4, 5],
      1002,
    ],
  ] as const
) {
  test(`websocket: ${what} is answered with ${code}, and what came before is read`, async () => {
    const read: unknown[] = [];
    await using server = await serving(async (ws) => {
      for await (const message of ws) read.push(message);
    });
    using conn = await handshake(server);
    await conn.write(Buffer.concat([masked(0x81, bytes("before")), Uint8Array.from(raw)]));
    const [first, ...payload] = await frame(conn);
    assert.deepEqual([first, payload[0] << 8 | payload[1]], [0x88, code]);
    assert.equal(await conn.read(new Uint8Array(1)), null);
    conn.close();
    await until(() => read.length > 0, "the message before");
    assert.deepEqual([read, server.errors], [["before"], []]);
  });
}
