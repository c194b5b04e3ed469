// What is particular to TLS: whom it trusts, what it tells, and how it fails.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { VirtualClock } from "../../../lib/base/virtual_clock.ts";
import { dial } from "../../../lib/dial.ts";
import { type SocketEvent } from "../../../lib/observe/events.ts";
import { observe } from "../../../lib/observe/observe.ts";
import { MemoryTransport } from "../../../lib/net/memory/transport.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import { TlsStreamConn } from "../../../lib/net/tls/conn.ts";
import { parseIP } from "../../../lib/base/ip.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import type { TlsClientOptions, TlsServerOptions } from "../../../lib/net/tls/options.ts";
import type { TcpAddr } from "../../../lib/base/addr.ts";
import type { Listener, TlsConn } from "../../../lib/net/transport.ts";
import type { SocketError } from "../../../lib/base/errors.ts";
import { bytes, readAll, readText, rejects, until } from "../../support/helpers.ts";
import { runtime, test } from "../../support/runner.deno.ts";

const own = await selfSigned(["localhost", "127.0.0.1"]);
const other = await selfSigned(["localhost"]);
const TRUST: TlsClientOptions = { caCerts: [own.cert] };

type TlsListener = Listener<TcpAddr, TlsConn<TcpAddr>>;

function listen(options: Partial<TlsServerOptions> = {}): Promise<TlsListener> {
  return systemTransport.listen({ host: "127.0.0.1", tls: { ...own, ...options } });
}

async function shake(listener: TlsListener, options: TlsClientOptions): Promise<TlsConn> {
  return await systemTransport.startTls(await systemTransport.connect(listener.addr), options);
}

async function conversation(server: Partial<TlsServerOptions>, client: TlsClientOptions) {
  const listener = await listen(server);
  const conn = await shake(listener, { ...TRUST, ...client });
  const accepted = await listener.accept();
  return {
    client: conn,
    server: accepted,
    [Symbol.dispose]() {
      conn.close();
      accepted.close();
      listener.close();
    },
  };
}

test("TLS: a certificate that is trusted, for a name and for an address", async () => {
  for (const servername of [undefined, "localhost", "127.0.0.1"]) {
    using ends = await conversation({}, { servername });
    await ends.client.write(bytes("hello"));
    assert.equal(await readText(ends.server, 5), "hello");
    assert.equal(ends.client.tls.servername, servername === "localhost" ? "localhost" : undefined);
  }
});

test("TLS: what the handshake has agreed on is told", async () => {
  using ends = await conversation(
    { alpnProtocols: ["h2", "http/1.1"] },
    { alpnProtocols: ["foo", "http/1.1"], servername: "localhost" },
  );
  const { client, server } = ends;
  assert.equal(client.tls.protocol, "TLSv1.3");
  assert.equal(client.tls.alpnProtocol, "http/1.1");
  assert.equal(client.tls.peerCertificate?.fingerprint256, own.fingerprint);
  assert.equal(client.tls.peerCertificate?.subject, "CN=localhost");
  assert.equal(
    client.tls.peerCertificate?.subjectAltName,
    "DNS:localhost, IP Address:127.0.0.1",
  );
  assert.deepEqual({ ...server.tls, peerCertificate: undefined }, {
    protocol: "TLSv1.3",
    alpnProtocol: "http/1.1",
    servername: "localhost",
    peerCertificate: undefined,
  });
});

test("TLS: a certificate that is not trusted is ECERT, with the reason and a next step", async () => {
  using listener = await listen();
  const unknown = await rejects(shake(listener, {}), "ECERT");
  // Bun does not look whether the issuer that it does not know is the certificate itself.
  const reason = runtime === "Bun"
    ? "its issuer is unknown here, or it is not valid for this"
    : "it is self-signed";
  assert.match(
    unknown.message.replace(reason, "REASON"),
    /^Cannot start TLS with 127\.0\.0\.1:\d+: the certificate of the peer is not trusted: REASON \(ECERT\)\. Check/,
  );
  await rejects(shake(listener, { caCerts: [other.cert] }), "ECERT");
  const wrong = await rejects(shake(listener, { ...TRUST, servername: "example.com" }), "ECERT");
  assert.match(wrong.message, /example\.com.*localhost/);
  await rejects(shake(listener, { ...TRUST, servername: "127.0.0.2" }), "ECERT");
});

test("TLS: insecure takes any certificate", async () => {
  using ends = await conversation({ ...other }, { insecure: true, servername: "example.com" });
  assert.equal(ends.client.tls.peerCertificate?.fingerprint256, other.fingerprint);
});

test("TLS: a listener that asks for certificates is told whose, and lets in nobody else", async () => {
  {
    using ends = await conversation({ caCerts: [other.cert] }, other);
    const shown = ends.server.tls.peerCertificate;
    assert.equal(shown?.fingerprint256, new X509Certificate(other.cert).fingerprint256);
  }
  const failures: SocketError[] = [];
  using listener = await listen({
    caCerts: [other.cert],
    onHandshakeError: (error) => failures.push(error),
  });
  // The client's part of the handshake may be over before the server has looked at its certificate.
  for (const stranger of [{}, own]) {
    const told = failures.length;
    const conn = await shake(listener, { ...TRUST, ...stranger }).catch(() => undefined);
    await until(() => failures.length > told, "the stranger to be refused");
    const read = await conn?.read(new Uint8Array(1)).catch(() => null);
    assert.equal(read ?? null, null);
    conn?.close();
  }
  assert.deepEqual(failures.map(({ code }) => code), ["ECERT", "ECERT"]);
});

test("TLS: issuers of clients' certificates that are none are EINVAL", async () => {
  const broken = other.cert.replace(/[A-Za-z]{20}/, "");
  for (const caCerts of [["garbage"], [""], [broken]]) {
    const { message } = await rejects(listen({ caCerts }), "EINVAL");
    assert.match(message, /caCerts\[0\]/);
  }
});

test("TLS: no protocol in common is ETLS", async () => {
  const told: SocketError[] = [];
  using listener = await listen({
    alpnProtocols: ["h2"],
    onHandshakeError: (error) => told.push(error),
  });
  // Deno's server ends the connection without an alert.
  await rejects(shake(listener, { ...TRUST, alpnProtocols: ["foo"] }), "ETLS", "ECONNRESET");
  using _next = await shake(listener, { ...TRUST, alpnProtocols: ["h2"] });
  (await listener.accept()).close();
  assert.deepEqual(told.map(({ code, op }) => [code, op]), [["ETLS", "acceptTls"]]);
});

test("TLS: a server that does not speak it is ETLS, one that closes ECONNRESET", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  for (const [says, code] of [["HTTP/1.1 400 Bad Request\r\n\r\n", "ETLS"], ["", "ECONNRESET"]]) {
    const conn = await systemTransport.connect(listener.addr);
    const starting = systemTransport.startTls(conn, TRUST);
    using server = await listener.accept();
    await server.read(new Uint8Array(1024));
    await server.write(bytes(says));
    if (says === "") server.close();
    await rejects(starting, code as "ETLS");
  }
});

test("TLS: a client that does not speak it is dropped, and nobody else notices", async () => {
  const told: SocketError[] = [];
  using listener = await listen({ onHandshakeError: (error) => told.push(error) });
  using stranger = await systemTransport.connect(listener.addr);
  await stranger.write(bytes("GET / HTTP/1.1\r\n\r\n"));
  await readAll(stranger).catch(() => {});
  using _client = await shake(listener, TRUST);
  (await listener.accept()).close();
  assert.deepEqual(told.map(({ code }) => code), ["ETLS"]);
  assert.deepEqual(told[0].addr, stranger.localAddr);
  assert.match(
    told[0].message,
    /^Cannot accept TLS from 127\.0\.0\.1:\d+: the peer does not speak TLS/,
  );
});

test("TLS: a client that says nothing holds nobody up, and is closed in time", async () => {
  using patient = await listen();
  using _silent = await systemTransport.connect(patient.addr);
  using _client = await shake(patient, TRUST);
  (await patient.accept()).close();

  const told: SocketError[] = [];
  using listener = await listen({
    handshakeTimeout: 100,
    onHandshakeError: (error) => told.push(error),
  });
  using silent = await systemTransport.connect(listener.addr);
  await readAll(silent).catch(() => {});
  assert.deepEqual(told.map(({ code, addr }) => [code, addr]), [["ETIMEDOUT", silent.localAddr]]);
});

test("TLS: a listener that closes also ends the handshakes under way", async () => {
  const listener = await listen();
  using silent = await systemTransport.connect(listener.addr);
  using _client = await shake(listener, TRUST);
  listener.close();
  await readAll(silent).catch(() => {});
});

test("TLS: a server that says nothing is ETIMEDOUT, and a signal ECANCELED", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const start = async (options: TlsClientOptions) =>
    await systemTransport.startTls(await systemTransport.connect(listener.addr), options);
  await rejects(start({ handshakeTimeout: 50 }), "ETIMEDOUT");
  await rejects(start({ signal: AbortSignal.abort() }), "ECANCELED");
  await rejects(
    dial(systemTransport, { ...listener.addr, tls: {}, timeout: 50 }),
    "ETIMEDOUT",
  );
});

test("TLS: a signal ends a handshake that is under way with ECANCELED", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const controller = new AbortController();
  const { signal } = controller;
  const conn = await systemTransport.connect(listener.addr);
  const starting = rejects(systemTransport.startTls(conn, { signal }), "ECANCELED");
  using server = await listener.accept();
  // The client has said hello.
  await server.read(new Uint8Array(1));
  controller.abort();
  await starting;
});

test("TLS: certificates and keys that are none are EINVAL", async () => {
  for (const wrong of [{ cert: "none" }, { key: "none" }, { key: other.key }]) {
    const { message } = await rejects(listen(wrong), "EINVAL");
    assert.match(message, /a certificate|the certificate/);
  }
  using listener = await listen();
  await rejects(shake(listener, { cert: "none", key: "none" }), "EINVAL");
});

test("TLS: half-close: each side may end first, and the other goes on", async () => {
  for (const first of ["client", "server"] as const) {
    using ends = await conversation({}, {});
    const [a, b] = first === "client" ? [ends.client, ends.server] : [ends.server, ends.client];
    await a.write(bytes("last words"));
    await a.closeWrite();
    assert.equal((await readAll(b)).toString(), "last words");
    await b.write(bytes("answer"));
    await b.closeWrite();
    assert.equal((await readAll(a)).toString(), "answer");
  }
});

test("TLS: dial verifies the host it was given", async () => {
  using listener = await systemTransport.listen({ host: "localhost", tls: own });
  const { port } = listener.addr;
  using conn = await dial(systemTransport, { host: "localhost", port, tls: TRUST });
  assert.equal(conn.tls.servername, "localhost");
  const tls = { ...TRUST, servername: "example.com" };
  await rejects(dial(systemTransport, { host: "localhost", port, tls }), "ECERT");
});

test("TLS: observe tells of handshakes, and of what they carry", async () => {
  const seen: SocketEvent[] = [];
  const transport = observe(systemTransport, (event) => seen.push(event));
  using listener = await transport.listen({
    host: "127.0.0.1",
    tls: { ...own, alpnProtocols: ["a"] },
  });
  const plain = await transport.connect(listener.addr);
  using client = await transport.startTls(plain, { ...TRUST, alpnProtocols: ["a"] });
  using server = await listener.accept();
  await client.write(bytes("hello"));
  assert.equal(await readText(server, 5), "hello");
  assert.equal(server.tls.alpnProtocol, "a");
  await rejects(shake(listener, {}), "ECERT");
  assert.deepEqual(
    seen.map((event) => `${event.type} ${"socket" in event ? event.socket : ""}`).slice(0, 8),
    [
      "bind 1",
      "listen 1",
      "connect 2",
      "connected 2",
      "handshake 2",
      "accept 3",
      "handshake 3",
      "send 2",
    ],
  );
  const told = seen.find(({ type }) => type === "handshake");
  assert.deepEqual(told, { ...told, protocol: "TLSv1.3", alpnProtocol: "a" });
});

test("TLS: in memory there is none: ENOTSUP", async () => {
  const memory = new MemoryTransport();
  await rejects(memory.listen({ tls: own }), "ENOTSUP");
  using listener = await memory.listen();
  await rejects(memory.startTls(await memory.connect(listener.addr)), "ENOTSUP");
});

test("selfSigned: a certificate for names and addresses, valid now and for a year", async () => {
  const hosts = ["example.test", "192.0.2.1", "2001:db8::1"];
  const { cert, key, fingerprint } = await selfSigned(hosts);
  const x509 = new X509Certificate(cert);
  assert.equal(x509.fingerprint256, fingerprint);
  for (const host of hosts) {
    assert.ok(host === "example.test" ? x509.checkHost(host) : x509.checkIP(host), host);
  }
  assert.equal(x509.checkHost("example.com"), undefined);
  assert.ok(x509.verify(x509.publicKey));
  assert.equal(x509.ca, false);
  assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/);
  const days = (Date.parse(x509.validTo) - Date.parse(x509.validFrom)) / 86_400_000;
  assert.equal(days, 366);
  assert.ok(Date.parse(x509.validFrom) < Date.now());
  assert.notEqual((await selfSigned(hosts)).fingerprint, fingerprint);
  await assert.rejects(selfSigned([]), RangeError);
});

test("IP addresses as bytes", () => {
  assert.deepEqual(parseIP("192.0.2.255"), [192, 0, 2, 255]);
  assert.deepEqual(parseIP("::1"), [...Array(15).fill(0), 1]);
  assert.deepEqual(parseIP("::"), Array(16).fill(0));
  assert.deepEqual(parseIP("2001:db8::ffff:192.0.2.1"), [
    ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1],
  ]);
  assert.deepEqual(parseIP("1:2:3:4:5:6:7:8"), [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]);
  for (
    const none of ["", "localhost", "1.2.3", "1.2.3.256", ":", "1::2::3", "1:2:3:4:5:6:7", "g::"]
  ) {
    assert.equal(parseIP(none), undefined, none);
  }
});

test("TLS: closing frees the socket of a peer that takes nothing more", async () => {
  const stuck = new Duplex({ read() {}, write() {}, final() {}, allowHalfOpen: true });
  const addr: TcpAddr = { transport: "tcp", host: "127.0.0.1", port: 1 };
  const socket = Object.assign(stuck, {
    getProtocol: () => "TLSv1.3",
    getPeerX509Certificate: () => undefined,
  });
  const gone = once(socket, "close");
  const clock = new VirtualClock();
  class Stuck extends TlsStreamConn {
    readonly truncated = undefined;
    protected moved = () => 0;
    protected send = this.hand;
    protected flushed = () => undefined;
  }
  new Stuck(socket as unknown as TLSSocket, addr, addr, undefined, clock).close();
  await clock.advance(4999);
  assert.equal(socket.destroyed, false);
  await clock.advance(1);
  await gone;
});
