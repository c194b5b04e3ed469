// Connections that begin with a header of the PROXY protocol, in memory: whose they are from then on,
// and which are closed.

import assert from "node:assert/strict";
import { formatAddr, tcpAddr } from "../../lib/base/addr.ts";
import type { Addr } from "../../lib/base/addr.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { ServerMetrics } from "../../lib/metrics/mod.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn, Listener, Transport } from "../../lib/net/transport.ts";
import { observe } from "../../lib/observe/observe.ts";
import {
  type AcceptProxyOptions,
  acceptProxyProtocol,
  proxyHeader,
} from "../../lib/proxy_protocol/mod.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { AccessList } from "../../lib/serve/access_list.ts";
import { serve } from "../../lib/serve/serve.ts";
import { bytes, readAll, readText, rejects, turn, until } from "../support/helpers.ts";
import { runtime, test } from "../support/runner.deno.ts";

const CLIENT = tcpAddr("192.0.2.1", 50_000);
const SERVER = tcpAddr("198.51.100.1", 443);
const HEADER = proxyHeader({ version: 2, source: CLIENT, destination: SERVER });
const LOCAL = proxyHeader({ version: 2 });

/** A listener behind proxies, in a network of its own. */
interface Behind extends Disposable {
  readonly network: MemoryTransport;
  readonly transport: Transport;
  readonly listener: Listener;
  readonly clock: VirtualClock;
  /** What was told of those that were not accepted. */
  readonly rejected: SocketError[];
  /** Connects, and sends these bytes. */
  connect(...pieces: readonly Uint8Array[]): Promise<Conn>;
}

async function behind(
  options: Partial<AcceptProxyOptions> = {},
  backlog?: number,
): Promise<Behind> {
  const [network, clock, rejected] = [
    new MemoryTransport(),
    new VirtualClock(),
    [] as SocketError[],
  ];
  const transport = acceptProxyProtocol(network, {
    trusted: ["127.0.0.0/8"],
    onReject: (error) => rejected.push(error),
    clock,
    ...options,
  });
  const listener = await transport.listen({ port: 80, backlog });
  return {
    network,
    transport,
    listener,
    clock,
    rejected,
    async connect(...pieces) {
      const conn = await network.connect({ host: "127.0.0.1", port: 80 });
      for (const piece of pieces) {
        await conn.write(piece);
        await turn();
      }
      return conn;
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

test("PROXY protocol: the addresses are those of the client, and via is the proxy", async () => {
  for (const version of [1, 2] as const) {
    using it = await behind();
    using proxy = await it.connect(proxyHeader({ version, source: CLIENT, destination: SERVER }));
    using conn = await it.listener.accept();
    assert.deepEqual(conn.remoteAddr, { ...CLIENT, via: proxy.localAddr });
    assert.deepEqual(conn.localAddr, SERVER);
    assert.equal(formatAddr(conn.remoteAddr), "192.0.2.1:50000");
    await conn.write(bytes("hello"));
    assert.equal(await readText(proxy, 5), "hello");
  }
});

test("PROXY protocol: no byte behind the header is lost or counted twice, however it is split", async () => {
  using it = await behind();
  const rest = bytes("hello");
  const all = Uint8Array.of(...HEADER, ...rest);
  for (let at = 0; at <= all.length; at++) {
    using proxy = await it.connect(all.subarray(0, at), all.subarray(at));
    await proxy.closeWrite();
    using conn = await it.listener.accept();
    assert.equal(conn.bytesRead, 0);
    assert.equal(await conn.read(new Uint8Array(1)), 1);
    assert.equal(conn.bytesRead, 1);
    assert.equal(String(await readAll(conn)), "ello", `split at ${at}`);
    assert.equal(conn.bytesRead, rest.length);
  }
  using proxy = await it.connect(...Array.from(all, (byte) => Uint8Array.of(byte)));
  using conn = await it.listener.accept();
  assert.equal(await readText(conn, 5), "hello");
  assert.deepEqual(it.rejected, []);
  assert.equal(proxy.bytesWritten, all.length);
});

test("PROXY protocol: a header larger than one read is taken whole", async () => {
  using it = await behind();
  const value = Array(3000).fill(7);
  const header = Uint8Array.of(...HEADER, 4, value.length >> 8, value.length & 0xff, ...value);
  new DataView(header.buffer).setUint16(14, header.length - 16);
  using _proxy = await it.connect(header.subarray(0, 536), header.subarray(536), bytes("hello"));
  using conn = await it.listener.accept();
  assert.equal(await readText(conn, 5), "hello");
  assert.equal(conn.bytesRead, 5);
});

test("PROXY protocol: a header that names nobody with an IP address leaves the addresses as they are", async () => {
  const unix = { transport: "unix", path: "/run/a.sock" } as const;
  const headers = [
    LOCAL,
    bytes("PROXY UNKNOWN\r\n"),
    proxyHeader({ version: 2, source: unix, destination: unix }),
  ];
  using it = await behind();
  for (const header of headers) {
    using proxy = await it.connect(header);
    using conn = await it.listener.accept();
    assert.deepEqual([conn.remoteAddr, conn.localAddr], [proxy.localAddr, proxy.remoteAddr]);
  }
});

test("PROXY protocol: who may connect is decided by the client's address", async () => {
  using it = await behind();
  const refused: string[] = [];
  const admission = new AccessList({
    deny: ["192.0.2.0/24"],
    maxPerAddress: 1,
    onRefuse: (addr) => refused.push(formatAddr(addr as Addr)),
  });
  const taken: string[] = [];
  await using _server = serve(it.listener, async (conn) => {
    taken.push(formatAddr(conn.remoteAddr));
    await readAll(conn);
  }, { admission });
  const from = (host: string, port: number) =>
    it.connect(proxyHeader({ version: 1, source: tcpAddr(host, port), destination: SERVER }));
  using first = await from("203.0.113.1", 1);
  await until(() => taken.length === 1, "the first to be served");
  using denied = await from("192.0.2.1", 2);
  using second = await from("203.0.113.1", 3);
  using other = await from("203.0.113.2", 4);
  await until(() => taken.length === 2, "the other to be served");
  assert.deepEqual(taken, ["203.0.113.1:1", "203.0.113.2:4"]);
  assert.deepEqual(refused, ["192.0.2.1:2", "203.0.113.1:3"]);
  for (const conn of [denied, second]) await rejects(readAll(conn), "ECONNRESET");
  for (const conn of [first, other]) conn.close();
});

test("PROXY protocol: who is not in a trusted network is reset, whatever it sends", async () => {
  using it = await behind({ trusted: ["10.0.0.0/8", "unix"] });
  using proxy = await it.connect();
  await rejects(readAll(proxy), "ECONNRESET");
  assert.match(
    it.rejected[0].message,
    /^Cannot accept a PROXY protocol header from 127\.0\.0\.1:\d+: it is not from a trusted network \(EPERM\)\. If a proxy is there, add/,
  );
  // Whoever may connect to a Unix socket is trusted by a word.
  for (const [trusted, taken] of [[["unix"], true], [["0.0.0.0/0", "::/0"], false]] as const) {
    const transport = acceptProxyProtocol(it.network, { trusted });
    using listener = await transport.listen({ path: "a.sock" });
    using proxy = await it.network.connect({ path: "a.sock" });
    if (!taken) {
      await rejects(readAll(proxy), "ECONNRESET");
      continue;
    }
    await proxy.write(HEADER);
    using conn = await listener.accept() as Conn;
    assert.deepEqual(conn.remoteAddr, { ...CLIENT, via: proxy.localAddr });
  }
});

test("PROXY protocol: what does not begin with a header is reset, and the log can say why", async () => {
  const cases: [pieces: Uint8Array[], code: string, why: RegExp][] = [
    [[bytes("GET / HTTP/1.1\r\n")], "EPROTO", /does not begin with a header/],
    [[HEADER.subarray(0, 12), bytes("x")], "EPROTO", /version is 7/],
    [[bytes("PROXY TCP4 1.2.3.4\r\n")], "EPROTO", /its line is not valid/],
    [[], "ECONNRESET", /the connection ended before the header/],
    [[HEADER.subarray(0, 20)], "ECONNRESET", /the connection ended within the header/],
  ];
  using it = await behind();
  for (const [i, [pieces, code, why]] of cases.entries()) {
    using proxy = await it.connect(...pieces);
    if (code === "ECONNRESET") await proxy.closeWrite();
    await until(() => it.rejected.length > i, `case ${i}`);
    assert.equal(it.rejected[i].code, code);
    assert.match(it.rejected[i].message, why);
    assert.match(it.rejected[i].message, /Check that the proxy there sends the header first/);
    await rejects(readAll(proxy), "ECONNRESET");
  }
  using gone = await it.connect(HEADER.subarray(0, 20));
  gone.reset();
  await until(() => it.rejected.length > cases.length, "the reset");
  assert.equal(it.rejected.at(-1)!.code, "ECONNRESET");
});

test("PROXY protocol: a slow header holds nobody else up, and is given up after 5 s", async () => {
  using it = await behind();
  using slow = await it.connect(HEADER.subarray(0, 10));
  using _quick = await it.connect(LOCAL);
  using conn = await it.listener.accept();
  assert.equal(conn.remoteAddr.transport, "tcp");
  await it.clock.advance(4999);
  assert.equal(it.rejected.length, 0);
  await it.clock.advance(1);
  assert.match(it.rejected[0].message, /the header was not whole within 5 s \(ETIMEDOUT\)/);
  await rejects(readAll(slow), "ECONNRESET");
  // Once the header is there, time does not count.
  await it.clock.advance(60_000);
  assert.equal(it.rejected.length, 1);
});

test("PROXY protocol: of too many without a header the oldest makes room", async () => {
  using it = await behind({ headerTimeout: 0 }, 2);
  const silent: Conn[] = [];
  for (let i = 0; i < 3; i++) {
    silent.push(await it.connect());
    await turn();
  }
  await until(() => it.rejected.length === 1, "the oldest to be given up");
  assert.match(it.rejected[0].message, /had not come when more clients came.*ETIMEDOUT/);
  await rejects(readAll(silent[0]), "ECONNRESET");
  await silent[2].write(HEADER);
  using conn = await it.listener.accept();
  assert.equal(formatAddr(conn.remoteAddr), "192.0.2.1:50000");
  // That the listener closes is not news.
  it.listener.close();
  await rejects(readAll(silent[1]), "ECONNRESET");
  assert.equal(it.rejected.length, 1);
  for (const conn of silent) conn.close();
});

test("PROXY protocol: a stopped listener takes the headers that are on their way, then no more", async () => {
  using it = await behind();
  const [late, silent] = [await it.connect(), await it.connect()];
  await turn();
  it.listener.stop();
  await rejects(it.connect(), "ECONNREFUSED");
  await late.write(HEADER);
  using conn = await it.listener.accept();
  assert.equal(formatAddr(conn.remoteAddr), "192.0.2.1:50000");
  const accepting = rejects(it.listener.accept(), "ECLOSED");
  await it.clock.advance(5000);
  await accepting;
  assert.match(it.rejected[0].message, /the header was not whole within 5 s/);
  for (const conn of [late, silent]) conn.close();
});

test("PROXY protocol: who is rejected for its header is counted, and nobody else is", async () => {
  const [network, clock, metrics] = [
    new MemoryTransport(),
    new VirtualClock(),
    new ServerMetrics(),
  ];
  const listen = (trusted: string, port: number) =>
    acceptProxyProtocol(network, { trusted: [trusted], clock }).listen({ port, metrics });
  using listener = await listen("127.0.0.0/8", 80);
  using _strict = await listen("10.0.0.0/8", 81);
  const counted = () =>
    Number(/_rejected_connections_total\{reason="proxy_header"\} (\d+)/.exec(metrics.text())![1]);
  const connect = async (port: number, ...pieces: Uint8Array[]) => {
    const conn = await network.connect({ host: "127.0.0.1", port });
    for (const piece of pieces) await conn.write(piece);
    return conn;
  };
  using missing = await connect(80);
  await missing.closeWrite();
  await until(() => counted() === 1, "the one without a header");
  using _broken = await connect(80, bytes("GET / HTTP/1.1\r\n"));
  await until(() => counted() === 2, "the one whose header is broken");
  using _untrusted = await connect(81);
  await until(() => counted() === 3, "the one that is not trusted");
  using _late = await connect(80, HEADER.subarray(0, 10));
  await turn();
  await clock.advance(5000);
  await until(() => counted() === 4, "the one that is too late");
  using _good = await connect(80, HEADER);
  using _conn = await listener.accept();
  assert.equal(counted(), 4);
  assert.match(metrics.text(), /\{reason="access"\} 0$/m);
});

test("PROXY protocol: events have the client's address, and nothing of the header", async () => {
  const network = new MemoryTransport();
  const seen: string[] = [];
  const transport = observe(
    acceptProxyProtocol(network, { trusted: ["127.0.0.1"] }),
    (event) => {
      const addr = event.type === "accept" ? formatAddr(event.remoteAddr) : "";
      seen.push(event.type + addr + (event.type === "recv" ? event.data.length : ""));
    },
  );
  using listener = await transport.listen({ port: 80 });
  using proxy = await network.connect({ host: "127.0.0.1", port: 80 });
  await proxy.write(Uint8Array.of(...HEADER, 1, 2, 3));
  {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(10));
  }
  assert.deepEqual(seen, ["bind", "listen", "accept192.0.2.1:50000", "recv3", "close"]);
});

test("PROXY protocol: over TCP the header comes before TLS, and the rest after the handshake", async () => {
  const transport = acceptProxyProtocol(systemTransport, { trusted: ["127.0.0.1"] });
  const { cert, key } = await selfSigned(["localhost"]);
  const listening = transport.listen({ host: "127.0.0.1", tls: { cert, key } });
  if (runtime === "Bun") return void await rejects(listening, "ENOTSUP");
  using listener = await listening;
  const conn = await systemTransport.connect(listener.addr);
  await conn.write(HEADER);
  const starting = systemTransport.startTls(conn, { caCerts: [cert], servername: "localhost" });
  const [proxy, accepted] = await Promise.all([starting, listener.accept()]);
  assert.equal(formatAddr(accepted.remoteAddr), "192.0.2.1:50000");
  assert.equal(accepted.remoteAddr.via?.transport, "tcp");
  await proxy.write(bytes("hello"));
  assert.equal(await readText(accepted, 5), "hello");
  for (const end of [proxy, accepted]) end.close();
});

test("acceptProxyProtocol(): a network that is not valid, or an option that it lacks, is a mistake", () => {
  const make = (options: unknown) => () =>
    acceptProxyProtocol(new MemoryTransport(), options as AcceptProxyOptions);
  assert.throws(make({ trusted: ["10.0.0.1/8"] }), /'10\.0\.0\.1\/8' has bits set after/);
  assert.throws(make({}), /needs the option trusted/);
  assert.throws(make({ trusted: "10.0.0.0/8" }), /Write trusted: \["10\.0\.0\.0\/8"\]/);
});
