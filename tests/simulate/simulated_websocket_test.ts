// WebSockets with networks that are slow, lossy and cut: 200 seeds for each contract.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { dialWebSocket } from "../../lib/http/ws/client.ts";
import { prepareMessage } from "../../lib/http/ws/prepared_message.ts";
import { websocket, type WsHandler } from "../../lib/http/ws/server.ts";
import type { WsClose, WsConn } from "../../lib/http/ws/conn_types.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import type { World } from "../../lib/simulate/simulate.ts";
import { disturb, holds, randomBytes, range } from "./simulated_worlds.ts";

const SEEDS = 200;

/** Serves WebSocket on the host `server` until all of it has ended. */
async function serving(world: World, handler: WsHandler): Promise<() => Promise<void>> {
  const { clock } = world;
  const listener = await world.host("server").listen({ host: "", port: 80 });
  const errors: unknown[] = [];
  const handle = websocket(handler, { clock, deflate: world.random.integer(2) === 0 });
  const server = serveLight(listener, handle, { clock, onError: (error) => errors.push(error) });
  return async () => {
    await server.stop();
    assert.deepEqual(errors, []);
  };
}

function dial(world: World): Promise<WsConn> {
  const { clock } = world;
  const deflate = world.random.integer(2) === 0;
  const options = { transport: world.host("client"), clock, deflate, connectTimeout: 0 };
  return dialWebSocket("ws://server/", { ...options, handshakeTimeout: 0 });
}

/** Sends messages of all kinds, some at once and some after a while. Returns them in hexadecimal. */
async function sendAll(world: World, ws: WsConn): Promise<string[]> {
  const { random } = world;
  const sent: string[] = [];
  for (const _ of range(1 + random.integer(8))) {
    const bytes = randomBytes(world, random.integer(6) === 0 ? 70_000 : 300);
    const text = bytes.toString("base64");
    sent.push(Buffer.from(text).toString("hex"));
    const kind = random.integer(4);
    if (kind === 0) void ws.write(prepareMessage(text)).catch(() => {});
    else if (kind === 1) void ws.write(Buffer.from(text)).catch(() => {});
    else if (kind === 2) void ws.write(text).catch(() => {});
    else {
      const pieces = async function* () {
        yield Buffer.from(text).subarray(0, 10);
        await world.sleep(random.integer(20));
        yield Buffer.from(text).subarray(10);
      };
      void ws.writeStream("text", pieces()).catch(() => {});
    }
    if (random.integer(3) === 0) await world.sleep(random.integer(100));
  }
  return sent;
}

const asHex = (message: string | Uint8Array) => Buffer.from(message as string).toString("hex");

holds(
  "a WebSocket gives all messages in order, whole and once, and closes in good order",
  async (world) => {
    const closes: WsClose[] = [];
    const stop = await serving(world, async (ws) => {
      for await (const message of ws) {
        if (world.random.integer(4) === 0) await world.sleep(world.random.integer(80));
        await ws.write(message);
      }
      closes.push(await ws.closed);
    });
    disturb(world, "client", "server");
    const ws = await dial(world);
    const sent = await sendAll(world, ws);
    const got: string[] = [];
    while (got.length < sent.length) got.push(asHex((await ws.read())!));
    assert.deepEqual(got, sent);
    await ws.close(3000, "done");
    assert.deepEqual(await ws.closed, { code: 3000, reason: "", clean: true, by: "self" });
    await stop();
    assert.deepEqual(closes, [{ code: 3000, reason: "done", clean: true, by: "peer" }]);
  },
  SEEDS,
);

holds(
  "of a WebSocket that a side closes in between, what is read is the beginning of what was sent",
  async (world) => {
    const { random } = world;
    const got: string[] = [];
    let close: Promise<WsClose> | undefined;
    const stop = await serving(world, async (ws) => {
      close = ws.closed;
      const most = random.integer(6);
      while (got.length < most) {
        const message = await ws.read();
        if (message === null) break;
        got.push(asHex(message));
      }
    });
    const ws = await dial(world);
    const sent = await sendAll(world, ws);
    await ws.close(1001, "leaving");
    assert.equal(await ws.read(), null);
    const closed = await ws.closed;
    assert.ok([1000, 1001].includes(closed.code), `${closed.code}`);
    await stop();
    assert.deepEqual(got, sent.slice(0, got.length));
    assert.equal((await close)?.clean, true);
  },
  SEEDS,
);

holds(
  "of a peer that is gone for good, both sides hear within the time for Pings",
  async (world) => {
    const ended: WsClose[] = [];
    const stop = await serving(world, async (ws) => {
      await ws.read().catch(() => {});
      ended.push(await ws.closed);
    });
    const ws = await dial(world);
    const reading = ws.read();
    reading.catch(() => {});
    await world.sleep(world.random.integer(2000));
    const cut = world.clock.now();
    world.partition("client", "server");
    const close = await ws.closed;
    assert.equal(close.code, 1006);
    await assert.rejects(reading, { name: "SocketError" });
    // A Ping after 30 s of silence, or of up to 60 s where the round was missed; and 30 s for its Pong.
    assert.ok(world.clock.now() - cut <= 91_000, `${world.clock.now() - cut} ms`);
    await stop();
    assert.deepEqual(ended.map(({ code }) => code), [1006]);
  },
  SEEDS,
);
