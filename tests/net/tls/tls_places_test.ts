// The places for handshakes of a TLS listener: who gives theirs up frees it at once, and when all are
// taken the newcomer gets the one that was taken first.

import assert from "node:assert/strict";
import type { SocketError } from "../../../lib/base/errors.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import type { TlsServerOptions } from "../../../lib/net/tls/options.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import type { TcpAddr } from "../../../lib/base/addr.ts";
import type { Conn, Listener } from "../../../lib/net/transport.ts";
import { bytes, OWN_HOST, readAll, readText, until } from "../../support/helpers.ts";
import { python } from "../../support/peers.ts";
import { test } from "../../support/runner.deno.ts";

const own = await selfSigned([OWN_HOST]);

/** So long that nobody is closed for taking too long. */
const FOR_EVER = 3_600_000;

/** A listener with so many places, and what it tells of handshakes that fail. */
async function listen(backlog: number, options: Partial<TlsServerOptions> = {}) {
  const told: SocketError[] = [];
  const onHandshakeError = (error: SocketError) => void told.push(error);
  const tls = { ...own, handshakeTimeout: FOR_EVER, onHandshakeError, ...options };
  const listener = await systemTransport.listen({ host: OWN_HOST, backlog, tls });
  return { listener, told, [Symbol.dispose]: () => listener.close() };
}

/** A client in good faith gets in, and is answered. */
async function assertOpen({ addr, accept }: Pick<Listener<TcpAddr>, "addr" | "accept">) {
  const plain = await systemTransport.connect(addr);
  const tls = systemTransport.startTls(plain, { caCerts: [own.cert] });
  using server = await accept();
  using client = await tls;
  await client.write(bytes("hello"));
  assert.equal(await readText(server, 5), "hello");
}

/** What a client says first, taken from one in good faith. */
async function clientHello(): Promise<Uint8Array> {
  using listener = await systemTransport.listen({ host: OWN_HOST });
  const starting = systemTransport.connect(listener.addr)
    .then((conn) => systemTransport.startTls(conn, {})).catch(() => {});
  using server = await listener.accept();
  const buffer = new Uint8Array(4096);
  const n = await server.read(buffer);
  server.close();
  await starting;
  return buffer.slice(0, n!);
}

const hello = await clientHello();

/** What clients may have said when they leave. */
const SAID: Readonly<Record<string, Uint8Array>> = {
  "nothing": new Uint8Array(0),
  "a byte": hello.slice(0, 1),
  "half a ClientHello": hello.slice(0, hello.length / 2),
  "all of a ClientHello": hello,
};

for (const [what, said] of Object.entries(SAID)) {
  for (const way of ["half-closes", "closes"] as const) {
    test(`TLS: a client that has said ${what} and ${way} frees its place at once`, async () => {
      using it = await listen(2);
      const clients: Conn[] = [];
      for (let i = 0; i < 6; i++) {
        const client = await systemTransport.connect(it.listener.addr);
        clients.push(client);
        if (said.length > 0) await client.write(said);
        if (way === "closes") client.close();
        else await client.closeWrite();
        await until(() => it.told.length > i, "the listener to notice");
      }
      assert.deepEqual(it.told.map(({ op }) => op), Array(6).fill("acceptTls"));
      assert.ok(!it.told.some(({ code }) => code === "ETIMEDOUT"), String(it.told));
      await assertOpen({ addr: it.listener.addr, accept: () => it.listener.accept() });
      for (const client of clients) client.close();
    });
  }
}

test("TLS: a client that resets during the handshake frees its place at once", async () => {
  using it = await listen(2);
  const accept = () => it.listener.accept();
  const { host, port } = it.listener.addr;
  await using peer = await python(`
for said in sys.stdin:
    s = socket.create_connection(("${host}", ${port}))
    s.sendall(bytes.fromhex(said.strip()))
    say("said")
    sys.stdin.readline()
    reset(s)
`);
  for (const [i, said] of [new Uint8Array(0), hello.slice(0, 50), hello].entries()) {
    peer.say([...said].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
    await peer.hear();
    // It has a place, since who comes later has had one.
    await assertOpen({ addr: it.listener.addr, accept });
    peer.say("reset");
    await until(() => it.told.length > i, "the listener to notice");
  }
  assert.deepEqual(it.told.map(({ code }) => code), Array(3).fill("ECONNRESET"));
}, ["python3"]);

test("TLS: when silent clients have all places, the oldest makes room for who comes", async () => {
  using it = await listen(3);
  const silent: Conn[] = [];
  for (let i = 0; i < 7; i++) {
    silent.push(await systemTransport.connect(it.listener.addr));
    await until(() => it.told.length === Math.max(0, i - 2), "the oldest to make room");
  }
  const oldest = silent.slice(0, 4);
  assert.deepEqual(it.told.map(({ addr }) => addr), oldest.map(({ localAddr }) => localAddr));
  assert.deepEqual(new Set(it.told.map(({ code }) => code)), new Set(["ETIMEDOUT"]));
  assert.match(it.told[0].message, /its handshake was the oldest when more clients came than may/);
  for (const client of oldest) assert.equal((await readAll(client).catch(() => [])).length, 0);
  await assertOpen({ addr: it.listener.addr, accept: () => it.listener.accept() });
  assert.equal(it.told.length, 5, "One more has made room, and no more");
  for (const client of silent) client.close();
});

test("TLS: 600 clients that connect and close do not keep out one in good faith", async () => {
  using it = await listen(511);
  for (let i = 0; i < 600; i++) (await systemTransport.connect(it.listener.addr)).close();
  await assertOpen({ addr: it.listener.addr, accept: () => it.listener.accept() });
});

test("TLS: clients that do not speak it have no place for longer than it takes to see that", async () => {
  using it = await listen(2);
  const clients: Conn[] = [];
  for (let i = 0; i < 5; i++) {
    const client = await systemTransport.connect(it.listener.addr);
    clients.push(client);
    await client.write(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    await until(() => it.told.length > i, "the listener to notice");
  }
  assert.deepEqual(it.told.map(({ code }) => code), Array(5).fill("ETLS"));
  await assertOpen({ addr: it.listener.addr, accept: () => it.listener.accept() });
  for (const client of clients) client.close();
});

test("TLS: a listener that closes says nothing of the handshakes that it gives up", async () => {
  const it = await listen(3);
  const silent = await systemTransport.connect(it.listener.addr);
  // It has a place, since who comes later has had one.
  await assertOpen({ addr: it.listener.addr, accept: () => it.listener.accept() });
  it.listener.close();
  await readAll(silent).catch(() => {});
  silent.close();
  assert.deepEqual(it.told, []);
});
