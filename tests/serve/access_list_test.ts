// Who may connect: the rules by themselves, and servers that keep them.

import assert from "node:assert/strict";
import { AccessList, type AccessOptions } from "../../lib/serve/access_list.ts";
import { unixAddr } from "../../lib/base/addr.ts";
import { dial } from "../../lib/dial.ts";
import { echo } from "../../lib/protocols/echo.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import { observe } from "../../lib/observe/observe.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { serve, type ServeOptions } from "../../lib/serve/serve.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, readText, rejects, until, untilAsync } from "../support/helpers.ts";
import { python } from "../support/peers.ts";
import { hasIPv6 } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

test("access: deny wins; with an allow, what it has not is denied", () => {
  const cases: [rules: AccessOptions, yes: string[], no: string[]][] = [
    [{}, ["192.0.2.1", "::1"], []],
    [{ deny: ["192.0.2.0/24"] }, ["192.0.3.1", "::1"], ["192.0.2.1", "::ffff:192.0.2.1"]],
    [{ allow: ["192.0.2.0/24"] }, ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.3.1", "::1"]],
    [{ allow: ["10.0.0.0/8", "::1"], deny: ["10.1.0.0/16"] }, ["10.2.0.1", "::1"], [
      "10.1.0.1",
      "11.0.0.1",
      "::2",
    ]],
    [{ allow: [] }, [], ["192.0.2.1", "::1"]],
    // The narrower network does not win: there is no order to get wrong.
    [{ allow: ["10.1.2.3"], deny: ["10.0.0.0/8"] }, [], ["10.1.2.3", "192.0.2.1"]],
    [{ deny: ["0.0.0.0/0"] }, ["::1"], ["192.0.2.1"]],
    [{ allow: ["::/0"] }, ["fe80::1%eth0"], ["192.0.2.1"]],
  ];
  for (const [rules, yes, no] of cases) {
    const access = new AccessList(rules);
    const admits = (host: string) => access.admit({ transport: "tcp", host, port: 1 });
    for (const host of yes) assert.ok(admits(host), `${host} by ${JSON.stringify(rules)}`);
    for (const host of no) assert.ok(!admits(host), `${host} not by ${JSON.stringify(rules)}`);
  }
});

test("access: Unix peers have no address and are always admitted", () => {
  const access = new AccessList({ allow: ["192.0.2.1"], maxPerAddress: 1 });
  for (let i = 0; i < 3; i++) assert.ok(access.admit(unixAddr("")));
  access.release(unixAddr(""));
});

test("access: an address that cannot be read is refused, whatever the rules", () => {
  const why: string[] = [];
  for (const rules of [{ deny: ["192.0.2.1"] }, { allow: ["0.0.0.0/0", "::/0"] }, {}]) {
    const access = new AccessList({ ...rules, onRefuse: (_, reason) => why.push(reason) });
    for (const host of ["", "192.0.2.01", "192.0.2.1%eth0", "fe80::1%", "example.com"]) {
      assert.ok(!access.admit({ transport: "tcp", host, port: 1 }), `'${host}'`);
    }
    assert.equal(access.refused, 5);
  }
  assert.deepEqual(why, Array(15).fill("its address is not an IP address"));
});

test("access: a list that is not right throws, and leaves the one before in force", () => {
  assert.throws(
    () => new AccessList({ allow: ["10.0.0.1/8"] }),
    /^TypeError: .*write 10\.0\.0\.0\/8/,
  );
  const access = new AccessList({ deny: ["192.0.2.1"] });
  assert.throws(() => access.replace({ allow: ["192.0.2.1"], deny: ["nowhere"] }), TypeError);
  assert.ok(!access.admit({ transport: "tcp", host: "192.0.2.1", port: 1 }));
  assert.ok(access.admit({ transport: "tcp", host: "192.0.2.2", port: 1 }));
});

/** An echo server in memory that keeps these rules. A client has the address that it connects to. */
async function echoServer(rules: AccessOptions, options: ServeOptions = {}) {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ host: "", port: 7 });
  const refused: string[] = [];
  const access = new AccessList({
    onRefuse: ({ host }, why) => refused.push(`${host}: ${why}`),
    ...rules,
  });
  const stop = new AbortController();
  const served =
    serve(listener, echo(), { ...options, admission: access, signal: stop.signal }).finished;
  const end = () => {
    stop.abort();
    return served;
  };
  return { access, refused, end, connect: (host: string) => transport.connect({ host, port: 7 }) };
}

async function assertEchoes(conn: Conn): Promise<void> {
  await conn.write(bytes("hello"));
  assert.equal(await readText(conn, 5), "hello");
}

async function assertRefused(conn: Conn): Promise<void> {
  await rejects(conn.read(new Uint8Array(1)), "ECONNRESET");
}

test("serve: who is not admitted is reset, told of and counted, and hurts nobody else", async () => {
  const server = await echoServer({ allow: ["192.0.2.0/24"], deny: ["192.0.2.9"] });
  using friend = await server.connect("192.0.2.1");
  await assertEchoes(friend);
  for (const host of ["192.0.2.9", "198.51.100.1", "::1"]) {
    await assertRefused(await server.connect(host));
  }
  await assertEchoes(friend);
  friend.close();
  assert.deepEqual(await server.end(), { accepted: 1, refused: 3, reset: 0 });
  assert.deepEqual(server.refused, [
    "192.0.2.9: its address is denied",
    "198.51.100.1: its address is not allowed",
    "::1: its address is not allowed",
  ]);
});

test("serve: who is not admitted takes no place from others", async () => {
  const server = await echoServer({ deny: ["192.0.2.9"] }, { maxConnections: 2 });
  using first = await server.connect("192.0.2.1");
  await assertEchoes(first);
  for (let i = 0; i < 100; i++) await assertRefused(await server.connect("192.0.2.9"));
  using second = await server.connect("192.0.2.2");
  await assertEchoes(second);
  first.close();
  second.close();
  assert.deepEqual(await server.end(), { accepted: 2, refused: 100, reset: 0 });
});

test("serve: at maxPerAddress one address gets no more until one of its connections ends", async () => {
  const server = await echoServer({ maxPerAddress: 2 });
  const [first, second, third] = [
    await server.connect("192.0.2.1"),
    await server.connect("192.0.2.1"),
    await server.connect("192.0.2.1"),
  ];
  await assertEchoes(first);
  await assertEchoes(second);
  await assertRefused(third);
  using other = await server.connect("2001:db8::1");
  await assertEchoes(other);
  await first.closeWrite();
  assert.equal(await first.read(new Uint8Array(1)), null);
  using fourth = await server.connect("192.0.2.1");
  await assertEchoes(fourth);
  await assertRefused(await server.connect("192.0.2.1"));
  for (const conn of [first, second, other, fourth]) conn.close();
  assert.deepEqual(await server.end(), { accepted: 4, refused: 2, reset: 0 });
  assert.deepEqual(
    server.refused,
    Array(2).fill("192.0.2.1: its address has 2 connections already"),
  );
});

test("serve: a conversation that fails gives its place back, too", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  const admission = new AccessList({ maxPerAddress: 1 });
  const served = serve(listener, () => Promise.reject(new Error("a mistake")), {
    admission,
    onError: () => {},
  }).finished;
  for (let i = 0; i < 3; i++) {
    using conn = await transport.connect({ host: "localhost", port: 7 });
    assert.equal(await conn.read(new Uint8Array(1)), null);
  }
  listener.close();
  assert.deepEqual(await served, { accepted: 3, refused: 0, reset: 0 });
});

test("serve: rules that are replaced hold for who comes, and who is connected stays and counts", async () => {
  const server = await echoServer({ maxPerAddress: 1 });
  using early = await server.connect("192.0.2.1");
  await assertEchoes(early);
  server.access.replace({ deny: ["192.0.2.1"] });
  await assertRefused(await server.connect("192.0.2.1"));
  await assertEchoes(early);
  server.access.replace({});
  await assertRefused(await server.connect("192.0.2.1"));
  early.close();
  const addr = { transport: "tcp", host: "192.0.2.1", port: 1 } as const;
  await until(() => server.access.admit(addr), "the place to be free");
  assert.deepEqual(await server.end(), { accepted: 1, refused: 2, reset: 0 });
  assert.match(server.refused[0], /is denied$/);
  assert.match(server.refused[1], /has 1 connection already$/);
});

test("serve: who is not admitted is an accept and a reset among the events", async () => {
  const seen: string[] = [];
  const transport = observe(new MemoryTransport(), (event) => {
    if ("socket" in event && event.socket === 3) {
      seen.push(event.type === "close" ? `close, reset: ${event.reset}` : event.type);
    }
  });
  const listener = await transport.listen();
  const served =
    serve(listener, echo(), { admission: new AccessList({ deny: ["127.0.0.1"] }) }).finished;
  using conn = await transport.connect(listener.addr);
  await assertRefused(conn);
  listener.close();
  assert.equal((await served).refused, 1);
  assert.deepEqual(seen, ["accept", "close, reset: true"]);
});

test("serveLight: keeps the rules, too", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ host: "", port: 80 });
  const admission = new AccessList({ allow: ["192.0.2.1"] });
  const served = serveLight(listener, () => ({ status: 204 }), { admission }).finished;
  using friend = await transport.connect({ host: "192.0.2.1", port: 80 });
  await friend.write(bytes("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  assert.equal(await readText(friend, 12), "HTTP/1.1 204");
  friend.close();
  await assertRefused(await transport.connect({ host: "192.0.2.2", port: 80 }));
  listener.close();
  assert.deepEqual(await served, { accepted: 1, refused: 1, reset: 0 });
});

/** Connects from the address that a line names, says hello, and prints what it hears. */
const CALLER = `
import os
def call(source, host, port):
    s = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
    s.settimeout(60)
    s.bind((source, 0))
    try:
        s.connect((host, port))
        s.sendall(b"hello")
        return s.recv(5).decode() or "closed"
    except ConnectionError:
        return "closed"
    finally:
        s.close()
`;

test("serve: on the system's sockets the address is the one that the peer calls from", async () => {
  const ipv6 = await hasIPv6();
  for (const host of ipv6 ? ["127.0.0.1", ""] : ["127.0.0.1"]) {
    using listener = await systemTransport.listen({ host });
    const admission = new AccessList({ allow: ["127.0.0.1"], deny: ["127.0.0.2"] });
    const served = serve(listener, echo(), { admission }).finished;
    const { port } = listener.addr;
    await using caller = await python(`${CALLER}
for line in sys.stdin:
    print(call(*line.split(), ${port}), flush=True)
`);
    const call = (source: string, to: string) => {
      caller.say(`${source} ${to}`);
      return caller.hear();
    };
    assert.equal(await call("127.0.0.1", "127.0.0.1"), "hello");
    assert.equal(await call("127.0.0.2", "127.0.0.1"), "closed");
    if (host === "") {
      assert.equal(await call("::1", "::1"), "closed", "::1 is not allowed");
      admission.replace({ allow: ["::1"] });
      assert.equal(await call("::1", "::1"), "hello");
      assert.equal(await call("127.0.0.1", "127.0.0.1"), "closed");
    }
    listener.close();
    const { accepted, refused, reset } = await served;
    assert.deepEqual([accepted, refused, reset], host === "" ? [2, 3, 0] : [1, 1, 0]);
  }
}, ["python3"]);

test(
  "TLS: who is not admitted is reset before the handshake, and one that stalls in it counts",
  async () => {
    const { cert, key } = await selfSigned(["127.0.0.1"]);
    const refused: string[] = [];
    const admission = new AccessList({
      deny: ["127.0.0.3"],
      maxPerAddress: 1,
      onRefuse: ({ host }, why) => refused.push(`${host}: ${why}`),
    });
    const failed: SocketError[] = [];
    const onHandshakeError = (error: SocketError) => failed.push(error);
    using listener = await systemTransport.listen({
      host: "127.0.0.1",
      tls: { cert, key, admission, onHandshakeError },
    });
    const served = serve(listener, echo(), { admission }).finished;
    await using stalling = await python(`
def connect(source):
    s = socket.socket()
    s.settimeout(60)
    s.bind((source, 0))
    s.connect(("127.0.0.1", ${listener.addr.port}))
    return s
def refused(source):
    try: return "refused" if connect(source).recv(1) == b"" else "answered"
    except ConnectionError: return "refused"
say(refused("127.0.0.3"))
stalled = connect("127.0.0.1")
say(refused("127.0.0.1"))
sys.stdin.readline()
# Node does not see FIN before the time of the handshake is over.
reset(stalled)
sys.stdin.readline()
`);
    assert.equal(await stalling.hear(), "refused");
    assert.equal(await stalling.hear(), "refused");
    assert.deepEqual(refused, [
      "127.0.0.3: its address is denied",
      "127.0.0.1: its address has 1 connection already",
    ]);
    assert.deepEqual(failed, [], "there was no handshake to fail");
    stalling.say("");
    await until(() => failed.length > 0, "the handshake to fail");
    // The place is free once the socket of the failed handshake is gone, soon after it is told.
    const options = { host: "127.0.0.1", port: listener.addr.port, tls: { caCerts: [cert] } };
    let conn: Conn | undefined;
    await untilAsync(async () => {
      conn = await dial(systemTransport, options).catch((error: SocketError) => {
        assert.equal(error.code, "ECONNRESET", error.message);
        return undefined;
      });
      return conn !== undefined;
    }, "the place to be free");
    await assertEchoes(conn!);
    conn!.close();
    listener.close();
    assert.equal((await served).accepted, 1);
  },
  ["python3"],
);

test("serve: one that is denied and comes back as fast as it can holds nobody up", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const admission = new AccessList({ deny: ["127.0.0.2"] });
  const served = serve(listener, echo(), { admission }).finished;
  const { port } = listener.addr;
  await using denied = await python(`${CALLER}
import threading
done = threading.Event()
def flood():
    while not done.is_set(): call("127.0.0.2", "127.0.0.1", ${port})
threads = [threading.Thread(target=flood) for _ in range(4)]
for thread in threads: thread.start()
sys.stdin.readline()
done.set()
for thread in threads: thread.join()
say("done")
`);
  using friend = await systemTransport.connect(listener.addr);
  let others = 0;
  // Until there was a flood for as long as it takes.
  for (let i = 0; i < 200 || admission.refused <= 20; i++) {
    await assertEchoes(friend);
    if (i % 20 > 0) continue;
    using another = await systemTransport.connect(listener.addr);
    await assertEchoes(another);
    others++;
  }
  friend.close();
  denied.say("");
  assert.equal(await denied.hear(), "done");
  listener.close();
  const { accepted, refused } = await served;
  assert.equal(accepted, 1 + others);
  assert.ok(refused > 20, `Only ${refused} were refused: that is no flood`);
}, ["python3"]);
