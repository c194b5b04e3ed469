import assert from "node:assert/strict";
import { formatAddr } from "../../lib/base/addr.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { faulty } from "../../lib/faults/faulty.ts";
import { type SocketEvent } from "../../lib/observe/events.ts";
import { socketOf } from "../../lib/observe/observed_sockets.ts";
import { observe } from "../../lib/observe/observe.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Endpoint } from "../../lib/base/addr.ts";
import { bytes, readText, rejects, until } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

/** An event in few words; bytes are read during the call, as the contract asks. */
function brief(event: SocketEvent): string {
  const socket = "socket" in event ? ` ${event.socket}` : "";
  const data = "data" in event ? ` ${new TextDecoder().decode(event.data)}` : "";
  const counts = event.type === "close" ? ` ${event.bytesRead} ${event.bytesWritten}` : "";
  const error = event.type === "error" ? ` ${event.op} ${event.error.code}` : "";
  const reset = event.type === "close" && event.reset ? " reset" : "";
  return event.type + socket + data + counts + error + reset;
}

test("observe: a whole conversation, step by step, on both sides", async () => {
  const seen: string[] = [];
  const transport = observe(new MemoryTransport(), (event) => seen.push(brief(event)));
  const listener = await transport.listen({ port: 7 });
  const client = await transport.connect({ host: "127.0.0.1", port: 7 });
  const server = await listener.accept();
  const p = new Uint8Array(16);
  await client.write(bytes("hello"));
  await server.read(p);
  await client.closeWrite();
  // The end of the stream is told of once, however often it is read.
  assert.equal(await server.read(p), null);
  assert.equal(await server.read(p), null);
  server.close();
  server.close();
  client.reset();
  listener.close();
  assert.deepEqual(seen, [
    "bind 1",
    "listen 1",
    "connect 2",
    "connected 2",
    "accept 3",
    "send 2 hello",
    "recv 3 hello",
    "shutdown 2",
    "eof 3",
    "close 3 5 0",
    "close 2 0 5 reset",
    "close 1 0 0",
  ]);
});

test("observe: failures are events, closing on this side is none", async () => {
  const seen: string[] = [];
  const transport = observe(new MemoryTransport(), (event) => seen.push(brief(event)));
  await rejects(transport.connect({ host: "127.0.0.1", port: 7 }), "ECONNREFUSED");
  await rejects(transport.resolve({ host: "nowhere.test", port: 7 }), "ENOTFOUND");
  const listener = await transport.listen({ port: 7 });
  await rejects(transport.listen({ port: 7 }), "EADDRINUSE");
  const accepting = rejects(listener.accept(), "ECLOSED");
  listener.close();
  await accepting;
  assert.deepEqual(seen, [
    "connect 1",
    "error 1 connect ECONNREFUSED",
    "error undefined resolve ENOTFOUND",
    "bind 2",
    "listen 2",
    "error undefined listen EADDRINUSE",
    "close 2 0 0",
  ]);
});

test("observe: events carry the time of the clock", async () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  const transport = observe(new MemoryTransport(), ({ time }) => times.push(time), clock);
  using listener = await transport.listen();
  await clock.advance(1500);
  using _conn = await transport.connect(listener.addr);
  assert.deepEqual(times, [0, 0, 1500, 1500]);
});

test("observe: the observed transport is one like the other", async () => {
  const inner = new MemoryTransport();
  const transport = observe(inner, () => {});
  assert.equal(transport.name, inner.name);
  const listener = await transport.listen();
  using client = await transport.connect(listener.addr);
  for await (const conn of listener) {
    assert.deepEqual(conn.remoteAddr, client.localAddr);
    assert.deepEqual(conn.localAddr, client.remoteAddr);
    await conn.write(bytes("abc"));
    assert.equal(conn.bytesWritten, 3);
    conn.close();
    listener.close();
  }
  assert.equal(await client.read(new Uint8Array(8)), 3);
  assert.equal(client.bytesRead, 3);
});

test("observe: datagrams, with who sent them and whom they are for", async () => {
  const seen: string[] = [];
  const addrOf = (addr?: Endpoint) => addr === undefined ? "" : ` ${formatAddr(addr)}`;
  const transport = observe(new MemoryTransport(), (event) => {
    const from = event.type === "recv" ? addrOf(event.from) : "";
    const to = event.type === "send" ? addrOf(event.to) : "";
    seen.push(brief(event) + from + to);
  });
  const server = await transport.listenDatagram({ port: 7 });
  const client = await transport.listenDatagram({ remote: server.addr, port: 9999 });
  await client.send(bytes("hello"));
  const { from } = await server.receive(new Uint8Array(16));
  await server.send(bytes("hi"), from);
  server.close();
  server.close();
  await client.receive(new Uint8Array(16));
  await client.send(bytes("?"));
  await rejects(client.receive(new Uint8Array(16)), "ECONNREFUSED");
  const waiting = rejects(client.receive(new Uint8Array(16)), "ECLOSED");
  client.close();
  await waiting;
  assert.deepEqual(seen, [
    "bind 1",
    "connect 2",
    "connected 2",
    "send 2 hello 127.0.0.1:7",
    "recv 1 hello 127.0.0.1:9999",
    "send 1 hi 127.0.0.1:9999",
    "close 1 5 2",
    "recv 2 hi 127.0.0.1:7",
    "send 2 ? 127.0.0.1:7",
    "error 2 receive ECONNREFUSED",
    "close 2 2 6",
  ]);
});

test("observe: TLS over a connection with faults is the same socket, and its bytes are the plaintext", async () => {
  const tls = await selfSigned(["localhost"]);
  using listener = await systemTransport.listen({ host: "127.0.0.1", tls });
  const events: SocketEvent[] = [];
  const observed = observe(systemTransport, (event) => void events.push(event));
  const transport = faulty(observed, "split=1000");
  const tcp = await transport.connect(listener.addr);
  const [conn, accepted] = await Promise.all([
    transport.startTls(tcp, { caCerts: [tls.cert], servername: "localhost" }),
    listener.accept(),
  ]);
  await conn.write(bytes("hello"));
  assert.equal(await readText(accepted, 5), "hello");
  await accepted.write(bytes("welcome"));
  assert.equal(await readText(conn, 7), "welcome");
  conn.close();
  assert.equal(await accepted.read(new Uint8Array(1)), null);
  accepted.close();
  const seen = events.filter(({ type }) => type !== "fault").map((event) => {
    const socket = "socket" in event ? event.socket : undefined;
    const data = "data" in event ? ` ${new TextDecoder().decode(event.data)}` : "";
    return `${event.type} ${socket}${data}`;
  });
  assert.deepEqual(seen, [
    "connect 1",
    "connected 1",
    "handshake 1",
    "send 1 hello",
    "recv 1 welcome",
    "close 1",
  ]);
});

test("observe: a handshake that fails over a connection with faults is an error of its socket, and its end", async () => {
  const own = await selfSigned(["localhost"]);
  using listener = await systemTransport.listen({ host: "127.0.0.1", tls: own });
  const events: string[] = [];
  const observed = observe(systemTransport, (event) => {
    if (event.type !== "fault" && "socket" in event) events.push(`${event.type} ${event.socket}`);
  });
  const transport = faulty(observed, "split=1000");
  const tcp = await transport.connect(listener.addr);
  await assert.rejects(transport.startTls(tcp, { servername: "localhost" }), { code: "ECERT" });
  await until(() => events.includes("close 1"), "the end of the connection");
  assert.deepEqual(events, ["connect 1", "connected 1", "error 1", "close 1"]);
});

test("observe: socketOf() says which events are those of a connection", async () => {
  const memory = new MemoryTransport();
  const events: SocketEvent[] = [];
  const transport = observe(memory, (event) => events.push(event));
  using listener = await transport.listen({ host: "localhost", port: 7 });
  using conn = await transport.connect({ host: "localhost", port: 7 });
  using accepted = await listener.accept();
  await conn.write(bytes("x"));
  assert.deepEqual(
    events.filter((event) => "socket" in event && event.socket === socketOf(conn))
      .map(({ type }) => type),
    ["connect", "connected", "send"],
  );
  assert.notEqual(socketOf(accepted), socketOf(conn));
  using unobserved = await memory.connect({ host: "localhost", port: 7 });
  assert.equal(socketOf(unobserved), undefined);
});
