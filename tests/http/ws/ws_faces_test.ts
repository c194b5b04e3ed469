// WebSockets for code that knows another face of them: browsers' events and streams, and Hono's helper.

import assert from "node:assert/strict";
import { Hono } from "hono";
import { serveHttp } from "../../../lib/http/fetch/serve_http.ts";
import { VirtualClock } from "../../../lib/base/virtual_clock.ts";
import { dialWebSocket } from "../../../lib/http/ws/client.ts";
import { WsError } from "../../../lib/http/ws/error.ts";
import { upgradeWebSocket } from "../../../lib/http/ws/hono.ts";
import {
  asWebSocketStream,
  type WsStream,
  type WsStreamOpen,
} from "../../../lib/http/ws/web_socket_stream.ts";
import { asWebSocket, type EventWebSocket } from "../../../lib/http/ws/event_web_socket.ts";
import { MemoryTransport } from "../../../lib/net/memory/transport.ts";
import { bytes, until } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";
import { BINARY, CLOSING, closing, engine, TEXT } from "./ws_peer.ts";

/** Notes each event of a WebSocket, as text. */
function noted(ws: EventWebSocket): string[] {
  const seen: string[] = [];
  const state = () => ["connecting", "open", "closing", "closed"][ws.readyState];
  ws.onopen = () => seen.push(`open (${state()})`);
  ws.onmessage = ({ data }) => seen.push(`message ${data}`);
  ws.onerror = ({ message }) => seen.push(`error: ${message}`);
  ws.onclose = ({ code, reason, wasClean }) =>
    seen.push(`close ${code} '${reason}' ${wasClean} (${state()})`);
  return seen;
}

test("asWebSocket: open, messages and close are events, in order", async () => {
  using end = await engine("server");
  const ws = asWebSocket(end.ws, "ws://a/");
  const seen = noted(ws);
  let listened = 0;
  ws.addEventListener("message", () => listened++);
  ws.binaryType = "arraybuffer";
  await end.peer.send({ opcode: TEXT, payload: bytes("hello") });
  await end.peer.send({ opcode: BINARY, payload: bytes("bytes") });
  await end.peer.send({ opcode: CLOSING, payload: closing(3000, "bye") });
  assert.equal(await end.peer.closeCode(), 3000);
  await until(() => ws.readyState === 3, "the close");
  assert.deepEqual(seen, [
    "open (open)",
    "message hello",
    "message [object ArrayBuffer]",
    "close 3000 'bye' true (closed)",
  ]);
  assert.deepEqual([listened, ws.url, ws.protocol], [2, "ws://a/", ""]);
});

test("asWebSocket: strings, buffers, views and blobs are sent in order, and counted until they have left", async () => {
  using end = await engine("server");
  const ws = asWebSocket(end.ws);
  assert.throws(() => ws.send("early"), { name: "InvalidStateError" });
  await new Promise((resolve) => ws.onopen = resolve);
  const view = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
  ws.send("é");
  ws.send(new Uint8Array([4, 5]).buffer);
  ws.send(new Blob(["blob"]));
  ws.send(view);
  view.fill(9);
  assert.equal(ws.bufferedAmount, 2 + 2 + 4 + 2);
  const seen: string[] = [];
  for (let i = 0; i < 4; i++) {
    const frame = (await end.peer.frame())!;
    seen.push(`${frame.first} ${frame.payload.toString("hex")}`);
  }
  assert.deepEqual(seen, ["129 c3a9", "130 0405", "130 626c6f62", "130 0102"]);
  await until(() => ws.bufferedAmount === 0, "all to have left");
  ws.close();
  ws.send("late");
  assert.equal(ws.bufferedAmount, 4);
});

test("asWebSocket: what was sent before close() leaves before it, blobs and what is behind them, too", async () => {
  using end = await engine("client");
  const ws = asWebSocket(end.ws);
  await until(() => ws.readyState === 1, "the open WebSocket");
  ws.send(new Blob(["one"]));
  ws.send(new Blob(["two"]));
  ws.send("three");
  ws.close(3000);
  const seen: string[] = [];
  for (let frame; (frame = await end.peer.frame()) !== null;) {
    seen.push(`${frame.opcode} ${frame.opcode === CLOSING ? "" : frame.payload}`);
    if (frame.opcode === CLOSING) break;
  }
  assert.deepEqual(seen, ["2 one", "2 two", "1 three", "8 "]);
});

test("asWebSocket: values of other types are converted as in browsers", async () => {
  using end = await engine("client");
  const ws = asWebSocket(end.ws);
  await until(() => ws.readyState === 1, "the open WebSocket");
  const sends: readonly unknown[] = [5, null, undefined, { toString: () => "made" }, "\ud800"];
  for (const value of sends) ws.send(value as string);
  assert.equal(ws.bufferedAmount, 1 + 4 + 9 + 4 + 3);
  for (const text of ["5", "null", "undefined", "made", "\ufffd"]) {
    assert.equal((await end.peer.frame())?.payload.toString(), text);
  }
  for (const code of [null, "", "x", NaN, 2999.4, 5000]) {
    assert.throws(() => ws.close(code as number), { name: "InvalidAccessError" }, String(code));
  }
  ws.close("3000.2" as unknown as number, 7 as unknown as string);
  assert.deepEqual(
    new Uint8Array((await end.peer.frame())!.payload),
    new Uint8Array(closing(3000, "7")),
  );
});

test("asWebSocket: messages of bytes are blobs by default", async () => {
  using end = await engine("client");
  const ws = asWebSocket(end.ws);
  ws.binaryType = "nodebuffer" as "blob";
  assert.equal(ws.binaryType, "blob");
  assert.deepEqual([ws.CONNECTING, ws.OPEN, ws.CLOSING, ws.CLOSED], [0, 1, 2, 3]);
  const got = new Promise<unknown>((resolve) => ws.onmessage = ({ data }) => resolve(data));
  await end.peer.send({ opcode: BINARY, payload: bytes("bytes") });
  const data = await got;
  assert.ok(data instanceof Blob);
  assert.equal(await data.text(), "bytes");
});

test("asWebSocket: close() takes the codes and reasons of browsers, and no message comes after it", async () => {
  using end = await engine("client");
  const ws = asWebSocket(end.ws);
  const seen = noted(ws);
  await until(() => ws.readyState === 1, "the open WebSocket");
  for (const code of [1001, 1005, 2999, 5000]) {
    assert.throws(() => ws.close(code), { name: "InvalidAccessError" });
  }
  assert.throws(() => ws.close(3000, "€".repeat(42)), { name: "SyntaxError" });
  ws.close(3000, "done");
  assert.equal(ws.readyState, 2);
  assert.equal(await end.peer.closeCode(), 3000);
  await end.peer.send({ opcode: TEXT, payload: bytes("late") });
  await end.peer.send({ opcode: CLOSING, payload: closing(3000) });
  end.peer.conn.close();
  await until(() => ws.readyState === 3, "the close");
  assert.deepEqual(seen, ["open (open)", "close 3000 '' true (closed)"]);
});

test("asWebSocket: a failure is an error and then a close, also before it is open", async () => {
  using end = await engine("server");
  const ws = asWebSocket(end.ws);
  const seen = noted(ws);
  await end.peer.send({ opcode: TEXT, rsv: 1, payload: bytes("") });
  assert.equal(await end.peer.closeCode(), 1002);
  end.peer.conn.close();
  await until(() => ws.readyState === 3, "the close");
  assert.match(seen[1], /^error: The WebSocket has failed: a reserved bit/);
  assert.match(seen[2], /^close 1002 '.*' false/);

  const never = asWebSocket(Promise.reject(new Error("no server")));
  const notes = noted(never);
  await until(() => never.readyState === 3, "the close");
  assert.deepEqual(notes, ["error: no server", "close 1006 '' false (closed)"]);
});

test("asWebSocketStream: messages are read when they are asked for, and writing closes", async () => {
  using end = await engine("server");
  const stream = asWebSocketStream(Promise.resolve(end.ws));
  const { readable, writable, protocol } = await stream.opened;
  assert.equal(protocol, "");
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  await end.peer.send({ opcode: TEXT, payload: bytes("hello") });
  assert.deepEqual(await reader.read(), { done: false, value: "hello" });
  await writer.write("back");
  assert.equal((await end.peer.frame())?.payload.toString(), "back");
  const closed = writer.close();
  assert.equal(await end.peer.closeCode(), 1000);
  await end.peer.send({ opcode: CLOSING, payload: closing(1000) });
  await closed;
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(await stream.closed, { closeCode: 1000, reason: "" });
});

test("asWebSocketStream: close(), cancelling and aborting close with the code and reason they are given", async () => {
  const error = (closeCode: number, reason: string) => ({ closeCode, reason });
  const cases: [(stream: WsStream, open: WsStreamOpen) => unknown, number, string][] = [
    [(stream) => stream.close(), 1000, ""],
    [(stream) => stream.close({ closeCode: 4000, reason: "x" }), 4000, "x"],
    [(_, { readable }) => readable.cancel(error(4001, "enough")), 4001, "enough"],
    [(_, { readable }) => readable.cancel(), 1000, ""],
    [(_, { writable }) => writable.abort(error(3000, "€".repeat(50))), 3000, "€".repeat(41)],
    [(_, { writable }) => writable.abort(new WsError(1006, "lost elsewhere")), 1000, ""],
    [(_, { writable }) => writable.abort(new Error("other")), 1000, ""],
  ];
  for (const [act, code, reason] of cases) {
    using end = await engine("client");
    const stream = asWebSocketStream(end.ws);
    assert.throws(() => stream.close({ closeCode: 999 }), RangeError);
    assert.throws(() => stream.close({ reason: "€".repeat(42) }), RangeError);
    const acted = act(stream, await stream.opened);
    const frame = (await end.peer.frame())!;
    assert.deepEqual(new Uint8Array(frame.payload), new Uint8Array(closing(code, reason)));
    await end.peer.send({ opcode: CLOSING, payload: closing(code) });
    end.peer.conn.close();
    await acted;
    assert.deepEqual(await stream.closed, { closeCode: code, reason: "" });
  }
});

test("asWebSocketStream: aborting ends a write that the peer holds back", async () => {
  const clock = new VirtualClock();
  using end = await engine("client", { clock });
  const { writable } = await asWebSocketStream(end.ws).opened;
  const writer = writable.getWriter();
  const writing = assert.rejects(writer.write(new Uint8Array(10_000_000)), { code: "ECLOSED" });
  const aborted = writer.abort();
  await clock.advance(5000);
  await Promise.all([writing, aborted]);
});

test("asWebSocketStream: what is lost rejects, on both sides", async () => {
  using end = await engine("server");
  const stream = asWebSocketStream(end.ws);
  const { readable } = await stream.opened;
  end.peer.conn.close();
  await assert.rejects(readable.getReader().read(), { name: "WsError", closeCode: 1006 });
  await assert.rejects(stream.closed, { name: "WsError", closeCode: 1006 });
  const never = asWebSocketStream(Promise.reject(new Error("no server")));
  never.close();
  await assert.rejects(never.opened, /no server/);
});

test("upgradeWebSocket: an app of Hono speaks WebSocket on a route, and HTTP beside it", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const seen: string[] = [];
  const app = new Hono();
  const chat = upgradeWebSocket(() => ({
    onOpen: (_event, ws) => ws.send("welcome"),
    onMessage: ({ data }, ws) => ws.send(typeof data === "string" ? data.toUpperCase() : data),
    onClose: ({ code }) => void seen.push(`close ${code}`),
  }), { protocols: ["chat"] });
  app.get("/ws/:room", chat);
  app.get("*", (context) => context.text("page"));
  const server = serveHttp(listener, (request) => app.fetch(request));
  const ws = await dialWebSocket("ws://localhost/ws/a", { transport, protocols: ["chat"] });
  assert.equal(ws.protocol, "chat");
  assert.equal(await ws.read(), "welcome");
  await ws.write("hello");
  assert.equal(await ws.read(), "HELLO");
  await ws.write(bytes("bytes"));
  assert.deepEqual(new Uint8Array(await ws.read() as Uint8Array), bytes("bytes"));
  await ws.close(3000);
  await until(() => seen.length > 0, "the close");
  assert.deepEqual(seen, ["close 3000"]);
  await assert.rejects(dialWebSocket("ws://localhost/other", { transport }), /answered 200/);
  assert.throws(() => upgradeWebSocket(() => ({}), { maxSize: 0 }), RangeError);
  await server.stop();
});

test("upgradeWebSocket: what a callback throws closes with 1011 and is reported, and the server goes on", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const errors: unknown[] = [];
  const app = new Hono();
  const failing = upgradeWebSocket(() => ({
    onMessage({ data }) {
      if (data === "throw") throw new Error("thrown");
      return Promise.reject(new Error("rejected"));
    },
  }));
  app.get("/", failing);
  const server = serveHttp(listener, (request) => app.fetch(request), {
    onError: (error) => void errors.push((error as Error).message),
  });
  for (const message of ["throw", "reject"]) {
    const ws = await dialWebSocket("ws://localhost/", { transport });
    await ws.write(message);
    assert.equal((await ws.closed).code, 1011);
  }
  await until(() => errors.length === 2, "both errors");
  assert.deepEqual(errors, ["thrown", "rejected"]);
  await server.stop();
});
