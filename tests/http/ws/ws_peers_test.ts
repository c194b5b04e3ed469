// WebSockets with those of others: ws, python3-websockets, websocketd, the runtime's own client, and
// nginx and HAProxy in between, and tshark beside them.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { dialWebSocket } from "../../../lib/http/ws/client.ts";
import { websocket } from "../../../lib/http/ws/server.ts";
import type { WsClose, WsConn } from "../../../lib/http/ws/conn_types.ts";
import { serveLight } from "../../../lib/http/server/server.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { toPcapng } from "../../../lib/recording/pcapng/pcapng.ts";
import { readRecording } from "../../../lib/recording/read.ts";
import { record } from "../../../lib/recording/record.ts";
import { freePort, OWN_HOST, until } from "../../support/helpers.ts";
import { startHaproxy } from "../../support/haproxy.ts";
import { startNginx } from "../../support/nginx.ts";
import { Program } from "../../support/peers.ts";
import { test } from "../../support/runner.deno.ts";
import { withCapture } from "../../support/tshark.ts";

/** What is used of ws, which has no types of its own. */
interface Ws {
  readonly WebSocket: new (url: string, protocols: string[], options: unknown) => OtherWebSocket;
  readonly WebSocketServer: new (options: unknown) => OtherServer;
}

interface OtherWebSocket extends EventEmitter {
  readonly protocol: string;
  send(message: string | Uint8Array, options?: { binary: boolean }): void;
  ping(data: string): void;
  close(code: number, reason: string): void;
}

interface OtherServer extends EventEmitter {
  address(): AddressInfo;
  close(done: () => void): void;
}

const { WebSocket: WsWebSocket, WebSocketServer }: Ws = await import("ws" as string);

const TEXTS = ["hello", "κόσμε 😀", "x".repeat(126), "long ".repeat(40_000)];
const BYTES = Uint8Array.from({ length: 70_000 }, (_, i) => i * 7 + (i >> 8));

/** What an echo server sends back, and how it closes. */
async function converse(ws: WsConn): Promise<void> {
  for (const text of TEXTS) {
    await ws.write(text);
    assert.equal(await ws.read(), text);
  }
  await ws.write(BYTES);
  assert.deepEqual(new Uint8Array(await ws.read() as Uint8Array), BYTES);
  await ws.ping();
  await ws.writeStream(
    "text",
    (async function* () {
      for (const piece of ["in ", "three ", "pieces"]) yield Buffer.from(piece);
    })(),
  );
  assert.equal(await ws.read(), "in three pieces");
  await ws.close(3000, "enough");
  const { code, clean } = await ws.closed;
  assert.deepEqual([code, clean], [3000, true]);
}

interface Server extends AsyncDisposable {
  readonly port: number;
  readonly closes: WsClose[];
}

/** Our echo server. */
async function serving(): Promise<Server> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const closes: WsClose[] = [];
  const handler = websocket(async (ws) => {
    for await (const message of ws) await ws.write(message);
    closes.push(await ws.closed);
  }, { deflate: true, protocols: ["echo"] });
  const server = serveLight(listener, handler);
  return {
    port: listener.addr.port,
    closes,
    [Symbol.asyncDispose]: async () => void await server.stop(),
  };
}

for (const deflate of [false, true]) {
  const how = deflate ? "with compression" : "without compression";
  test(`websocket: our client with a server of ws, ${how}`, async () => {
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      perMessageDeflate: deflate && { threshold: 0 },
      handleProtocols: (protocols: Set<string>) => [...protocols].at(-1)!,
    });
    await once(server, "listening");
    server.on("connection", (socket: OtherWebSocket) => {
      socket.on(
        "message",
        (data: Uint8Array, isBinary: boolean) => socket.send(data, { binary: isBinary }),
      );
    });
    try {
      const { port } = server.address();
      const url = `ws://127.0.0.1:${port}/`;
      await using ws = await dialWebSocket(url, { deflate, protocols: ["a", "b"] });
      assert.deepEqual([ws.protocol, ws.extensions !== ""], ["b", deflate]);
      await converse(ws);
    } finally {
      await new Promise<void>((resolve) => server.close(resolve));
    }
  });

  test(`websocket: our server with a client of ws, ${how}`, async () => {
    await using server = await serving();
    const socket = new WsWebSocket(`ws://127.0.0.1:${server.port}/`, ["echo"], {
      perMessageDeflate: deflate && { threshold: 0 },
    });
    await once(socket, "open");
    assert.equal(socket.protocol, "echo");
    for (const message of [...TEXTS, "", Buffer.from(BYTES)]) {
      socket.send(message);
      const [data, isBinary] = await once(socket, "message");
      assert.deepEqual([Buffer.from(data), isBinary], [
        Buffer.from(message as string),
        typeof message !== "string",
      ]);
    }
    socket.ping("a");
    assert.equal(String((await once(socket, "pong"))[0]), "a");
    socket.close(3000, "enough");
    assert.equal((await once(socket, "close"))[0], 3000);
    await until(() => server.closes.length > 0, "the close");
    const expected = { code: 3000, reason: "enough", clean: true, by: "peer" };
    assert.deepEqual(server.closes, [expected]);
  });
}

if (typeof WebSocket === "function") {
  test("websocket: our server with the runtime's own client", async () => {
    await using server = await serving();
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, ["other", "echo"]);
    socket.binaryType = "arraybuffer";
    const next = (type: "open" | "message" | "close") =>
      new Promise<unknown>((resolve) =>
        socket.addEventListener(type, (event) => resolve(event), { once: true })
      );
    await next("open");
    assert.equal(socket.protocol, "echo");
    for (const message of [...TEXTS, BYTES]) {
      socket.send(message);
      const { data } = await next("message") as MessageEvent;
      if (typeof message === "string") assert.equal(data, message);
      else assert.deepEqual(new Uint8Array(data), message);
    }
    socket.close(3000, "enough");
    const { code, wasClean } = await next("close") as unknown as {
      code: number;
      wasClean: boolean;
    };
    assert.deepEqual([code, wasClean], [3000, true]);
    await until(() => server.closes.length > 0, "the close");
    const expected = { code: 3000, reason: "enough", clean: true, by: "peer" };
    assert.deepEqual(server.closes, [expected]);
  });
}

/** Debian's Python, which has Debian's libraries. */
function debianPython(program: string, ...args: string[]): Program {
  return new Program(["/usr/bin/python3", "-c", program, ...args]);
}

test("websocket: our client with a server of python3-websockets", async () => {
  await using python = debianPython(`
import asyncio, websockets
async def echo(ws):
    async for message in ws: await ws.send(message)
async def main():
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
`);
  const [, port] = await python.stdout.until(/(\d+)\n/);
  for (const deflate of [false, true]) {
    const ws = await dialWebSocket(`ws://127.0.0.1:${port}/`, { deflate });
    assert.equal(ws.extensions !== "", deflate);
    await converse(ws);
  }
}, ["python3-websockets"]);

test("websocket: our server with a client of python3-websockets", async () => {
  await using server = await serving();
  await using python = debianPython(
    `
import asyncio, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], subprotocols=["echo"]) as ws:
        for message in ["hello", "κόσμε", "", "x" * 200_000, bytes(70_000)]:
            await ws.send(message)
            assert await ws.recv() == message
        await ws.send(["in ", "three ", "pieces"])
        assert await ws.recv() == "in three pieces"
        await (await ws.ping())
        print(ws.subprotocol, [type(e).__name__ for e in ws.extensions])
        await ws.close(3000, "enough")
        print("closed", ws.close_code)
asyncio.run(main())
`,
    `ws://127.0.0.1:${server.port}/`,
  );
  await python.stdout.until(/^echo \['PerMessageDeflate'\]\nclosed 3000\n/);
  await until(() => server.closes.length > 0, "the close");
  assert.equal(server.closes[0].reason, "enough");
}, ["python3-websockets"]);

test("websocket: our client with websocketd, whose messages are lines of a program", async () => {
  const port = await freePort();
  await using program = new Program([
    ...["websocketd", `--address=${OWN_HOST}`, `--port=${port}`, "cat"],
  ]);
  await program.stdout.until(/Starting WebSocket server/);
  const url = `ws://${OWN_HOST}:${port}/`;
  // It says so a moment before it listens.
  const attempt = () => dialWebSocket(url).catch(() => undefined);
  let ws = await attempt();
  while (ws === undefined) ws = await attempt();
  for (const text of ["hello", "κόσμε", "x".repeat(5000)]) {
    await ws.write(text);
    assert.equal(await ws.read(), text);
  }
  await ws.close();
  assert.equal((await ws.closed).clean, true);
}, ["websocketd"]);

test("websocket: nginx between our client and our server", async () => {
  await using server = await serving();
  await using nginx = await startNginx(server.port);
  const url = `${nginx.url.replace("http:", "ws:")}/upgrade/`;
  await converse(await dialWebSocket(url, { deflate: true }));
  await until(() => server.closes.length > 0, "the close");
  assert.equal(server.closes[0].reason, "enough");
}, ["nginx"]);

test("websocket: HAProxy between our client and our server", async () => {
  await using server = await serving();
  await using haproxy = await startHaproxy(`
listen ours
  mode http
  bind PORT(ours)
  server s 127.0.0.1:${server.port}
`);
  const url = `ws://${OWN_HOST}:${haproxy.ports.ours}/`;
  await converse(await dialWebSocket(url, { deflate: true }));
  await until(() => server.closes.length > 0, "the close");
  assert.equal(server.closes[0].reason, "enough", haproxy.program.stderr.text);
}, ["haproxy"]);

test("websocket: tshark reads the messages in the packets of a recording", async () => {
  await using server = await serving();
  let recorded = "";
  const transport = record(systemTransport, (lines) => recorded += lines, { redaction: "none" });
  const ws = await dialWebSocket(`ws://127.0.0.1:${server.port}/`, { transport });
  for (const message of ["hello", "κόσμε", "x".repeat(300), new Uint8Array([1, 2, 255])]) {
    await ws.write(message);
    await ws.read();
  }
  await ws.close(1000, "enough");
  await withCapture(toPcapng(await readRecording(recorded)), async (capture) => {
    assert.deepEqual((await capture.look()).complaints, []);
    const decoded = await capture.run("-Y", "websocket", "-V");
    const count = (pattern: RegExp) => decoded.match(pattern)?.length;
    assert.equal(count(/Opcode: Text \(1\)/g), 6, decoded);
    assert.equal(count(/Opcode: Binary \(2\)/g), 2);
    assert.equal(count(/Opcode: Connection Close \(8\)/g), 2);
    // Masked or not, each has its text.
    assert.equal(count(/^ +hello(?:\\n)?$/gm), 2, decoded);
  });
}, ["tshark"]);
