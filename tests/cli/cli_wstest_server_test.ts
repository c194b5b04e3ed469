// `server.ts wstest`: our own client and others are tested, and a client that does nothing fails.

import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import { dial } from "../../lib/dial.ts";
import { requestHttp } from "../../lib/http/mod.ts";
import { dialWebSocket } from "../../lib/http/ws/mod.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { Program } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";
import { assertFailed, runClient, runServer, startServer } from "../support/scripts.ts";

/** What is used of ws, which has no types of its own. */
interface WsSocket extends EventEmitter {
  send(data: unknown, options: { readonly binary: boolean }): void;
}

interface Ws {
  readonly WebSocket: new (url: string) => WsSocket;
  readonly WebSocketServer: new (options: { host: string; port: number }) => EventEmitter & {
    address(): { readonly port: number };
    close(done: () => void): void;
  };
}

const { WebSocket, WebSocketServer }: Ws = await import("ws" as string);

/** Has a socket of ws send back what comes. */
function echoing(ws: WsSocket): void {
  ws.on("message", (data: unknown, binary: boolean) => ws.send(data, { binary }));
  ws.on("error", () => {});
}

const textAt = async (port: number, path: string) => {
  const url = new URL(`http://localhost:${port}${path}`);
  return await (await requestHttp(systemTransport, { url })).text();
};

/** Sends back what comes, on a connection for each case, some at a time. */
async function echoAll(port: number, deflate: boolean): Promise<void> {
  const count = Number(await textAt(port, "/count"));
  const numbers = Array.from({ length: count }, (_, i) => i + 1).values();
  const work = async () => {
    for (const n of numbers) {
      try {
        await using ws = await dialWebSocket(`ws://localhost:${port}/?case=${n}`, { deflate });
        for await (const message of ws) await ws.write(message);
      } catch {
        // Most cases end so.
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

test("server wstest: our own client fails no case", async () => {
  await using server = await startServer(["wstest", "-q", "--timeout", "30"]);
  await echoAll(server.port, true);
  const { code, stdout } = await server.program.stop();
  const report = stdout.toString();
  assert.doesNotMatch(report, /FAILED/);
  assert.match(report, /\n {3}All +\d+ passed/);
  assert.equal(code, 0);
});

test("server wstest: a client that offers no extension is not tested with it", async () => {
  await using server = await startServer(["wstest", "-q", "--only", "8"]);
  await echoAll(server.port, false);
  const { counts } = JSON.parse(await textAt(server.port, "/report.json"));
  assert.deepEqual(counts, { pass: 0, "non-strict": 0, fail: 0, skipped: 24 });
});

test("server wstest: python3-websockets fails nothing about messages", async () => {
  await using server = await startServer(["wstest", "-q", "--only", "3", "--timeout", "60"]);
  const loop = `
import asyncio, urllib.request, websockets

async def main():
    base = "localhost:${server.port}"
    count = int(urllib.request.urlopen(f"http://{base}/count").read())
    for n in range(1, count + 1):
        try:
            async with websockets.connect(f"ws://{base}/?case={n}") as ws:
                async for message in ws:
                    await ws.send(message)
        except Exception:
            pass

asyncio.run(main())
`;
  await using client = new Program(["/usr/bin/python3", "-c", loop]);
  const { code, stderr } = await client.exit();
  assert.deepEqual([code, stderr], [0, ""]);
  const { counts } = JSON.parse(await textAt(server.port, "/report.json"));
  assert.equal(counts.fail, 0);
  assert.equal(counts.pass + counts["non-strict"], 22);
}, ["python3-websockets"]);

/** Opens a WebSocket by hand, and resolves to what comes until the end. */
async function silentClient(port: number, target: string): Promise<string> {
  using conn = await dial(systemTransport, { host: "127.0.0.1", port });
  const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  await conn.write(new TextEncoder().encode(request));
  let all = "";
  const buffer = new Uint8Array(4096);
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    all += String.fromCharCode(...buffer.subarray(0, n));
  }
  return all;
}

test("server wstest: a client that does nothing fails, and the exit code is 1", async () => {
  await using server = await startServer(["wstest", "--timeout", "0.3", "--only", "4.1"]);
  const { port } = server;
  const head = await silentClient(port, "/?case=4.1-1");
  assert.match(head, /^HTTP\/1\.1 101 .*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/s);
  assert.ok(head.endsWith("\r\n\r\n\x89\x00"), "an empty Ping without a mask");
  assert.match(
    await textAt(port, "/report"),
    /FAILED 4\.1-1 {2}a Ping without a payload: a Pong does /,
  );
  const { code, stdout, stderr } = await server.program.stop();
  assert.equal(code, 1);
  assert.match(stdout.toString(), /\n4 {2}Control frames {2}0 passed, 1 failed\n/);
  assert.match(stderr, /^4\.1-1 a Ping without a payload: fail: a Pong does not come back$/m);
  assert.match(stderr, /^no connection has had 7 cases$/m);
});

test("server wstest: it speaks as Autobahn's does, and without a case it goes from one to the next", async () => {
  await using server = await startServer(["wstest", "-q", "--timeout", "0.2", "--only", "4.1"]);
  const { port } = server;
  assert.ok((await silentClient(port, "/getCaseCount")).endsWith("\x81\x018\x88\x02\x03\xe8"));
  assert.ok((await silentClient(port, "/updateReports?agent=a")).endsWith("\x88\x02\x03\xe8"));
  assert.ok((await silentClient(port, "/runCase?case=2&agent=a")).endsWith("\x89\x05hello"));
  assert.ok((await silentClient(port, "/")).endsWith("\x89\x00"));
  assert.ok((await silentClient(port, "/")).endsWith("\x89\x05hello"));
  assert.match(await silentClient(port, "/?case=9"), /^HTTP\/1\.1 404 /);
  assert.match(await textAt(port, "/"), /^This is for WebSockets; see also \/count and \/report\./);
});

test("server wstest: wrong use is one line", async () => {
  assertFailed(await runServer(["wstest", "9001"]), 2, /say --port 9001/);
  assertFailed(await runServer(["wstest", "--timeout", "0"]), 2, /--timeout takes more than 0/);
  assertFailed(await runServer(["wstest", "--only", "1.9"]), 2, /No case is named '1\.9'/);
});

test("client and server wstest: ws (npm) fails nothing about messages, Ping and Close, on either side", async () => {
  const listening = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  listening.on("connection", echoing);
  await once(listening, "listening");
  const only = ["--only", "3", "--only", "4", "--only", "6", "--timeout", "60"];
  const { port } = listening.address();
  const judged = await runClient(["wstest", `ws://127.0.0.1:${port}/`, ...only]);
  await new Promise<void>((resolve) => listening.close(resolve));
  assert.match(judged.stdout.toString(), /All +87 passed\n$/);
  assert.equal(judged.code, 0);

  await using server = await startServer(["wstest", "-q", ...only]);
  for (let n = 1; n <= Number(await textAt(server.port, "/count")); n++) {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/?case=${n}`);
    echoing(ws);
    // Not once(), which rejects at an error: most cases have one.
    await new Promise((resolve) => ws.once("close", resolve));
  }
  assert.match(await textAt(server.port, "/report"), /All +87 passed\n$/);
});
