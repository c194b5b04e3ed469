// A connection to oneself is taken for no server. The kernel makes one when it chooses for this end the
// port that is connected to: always, in a network namespace where it has but one or two to choose from.

import assert from "node:assert/strict";
import { dial } from "../../lib/dial.ts";
import { isItself } from "../../lib/net/resolve.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Transport } from "../../lib/net/transport.ts";
import { rejects } from "../support/helpers.ts";
import { Namespace, testInNamespace } from "../support/namespace.ts";
import { test } from "../support/runner.deno.ts";
import { PYTHON } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";

testInNamespace("itself: transports, TCP and UDP, find nobody where nobody listens", async () => {
  const cases = [
    // Where the kernel can choose another port, only the peer's host can say that nobody listens.
    { ports: [40_000, 40_001], ways: ["connect", "dial", "listenDatagram"], udp: "another port" },
    { ports: [40_000, 40_000], ways: ["connect", "listenDatagram"], udp: "ECONNREFUSED" },
    { ports: [40_000, 40_000], ways: ["dial"], udp: "" },
  ] as const;
  for (const { ports, ways, udp } of cases) {
    await using ns = await Namespace.open({ ports });
    // The only port there is is not used for the same address again at once.
    const any = ports[0] === ports[1] ? [] : ["0.0.0.0", "::"];
    const hosts = ["127.0.0.1", "::1", ...any];
    const where = [hosts.join(), String(ports[0])];
    const probe = [...programCommand("tests/net/probe_itself"), ...where, ...ways];
    await using program = ns.start(probe);
    const { stdout, stderr } = await program.exit();
    const expected = hosts.flatMap((host) =>
      ways.map((way) => `${host} ${way} ${way === "listenDatagram" ? udp : "ECONNREFUSED"}\n`)
    );
    assert.equal(stdout.toString(), expected.join(""), `${ports}: ${stderr}`);
  }
});

testInNamespace("itself: a server on a port of that range is found all the same", async () => {
  await using ns = await Namespace.open({ ports: [40_000, 40_003] });
  const [, { code, stdout, stderr }] = await ns.inTurn([
    ["server", "--host", "127.0.0.1", "--port", "40001"],
    ["client", "connect", "-z", "127.0.0.1:40000-40003"],
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "127.0.0.1:40001 open\n");
});

const CLIENTS = [
  ["echo", "hello", "--host", "127.0.0.1", "--port", "40000"],
  ["connect", "-z", "localhost:40000-40001"],
  ["connect", "127.0.0.1:40000"],
  ["get", "http://127.0.0.1:40000/"],
  ["resolve", "--connect", "127.0.0.1:40000"],
];

testInNamespace("itself: the clients say that nobody listens", async () => {
  await using ns = await Namespace.open({ ports: [40_000, 40_001] });
  const exits = await ns.inTurn(CLIENTS.map((args) => ["client", ...args]));
  for (const [i, { code, stderr }] of exits.entries()) {
    assert.equal(code, 7, `${CLIENTS[i]}: ${stderr}`);
    assert.match(stderr, /ECONNREFUSED/, String(CLIENTS[i]));
  }
});

testInNamespace("itself: a relay gives its clients nothing of their own", async () => {
  // Both of its ends have ports of their own, so its client takes one that is not of the range.
  await using ns = await Namespace.open({ ports: [40_000, 40_002] });
  const relay = ["relay", "--to", "127.0.0.1:40000", "--host", "127.0.0.1", "--port", "10001"];
  await using server = ns.start([...programCommand("server"), ...relay]);
  await server.stdout.until(/^tcp:/);
  const client = `
import socket
s = socket.socket()
s.bind(("127.0.0.1", 10002))
s.connect(("127.0.0.1", 10001))
try:
    s.sendall(b"hello")
    print(s.recv(100))
except OSError as error:
    print(b"")
`;
  await using program = ns.start([...PYTHON, "-c", client]);
  assert.equal((await program.exit()).stdout.toString(), "b''\n");
  await server.stderr.until(/ECONNREFUSED/);
});

test("itself: dial takes what another transport has connected to itself for a refusal", async () => {
  const memory = new MemoryTransport();
  using _listener = await memory.listen({ host: "127.0.0.1", port: 80 });
  let closed = 0;
  const connect = async (addr: TcpAddr) => {
    const conn = await memory.connect({ host: "127.0.0.1", port: 80 });
    const itself = Object.create(conn, { localAddr: { value: addr }, remoteAddr: { value: addr } });
    itself.close = () => {
      closed++;
      conn.close();
    };
    return itself as Conn<TcpAddr>;
  };
  const transport: Transport = Object.assign(new MemoryTransport(), { connect });
  const refused = dial(transport, { host: "127.0.0.1", port: 40_000 });
  assert.match((await rejects(refused, "ECONNREFUSED")).message, /nobody listens there/);
  assert.equal(closed, 1);
});

test("itself: a datagram socket in memory does not get the port of its peer", async () => {
  const transport = new MemoryTransport();
  using before = await transport.listenDatagram({ host: "127.0.0.1" });
  const remote = { host: "127.0.0.1", port: before.addr.port + 1 };
  using socket = await transport.listenDatagram({ remote });
  assert.notEqual(socket.addr.port, remote.port);
  await socket.send(new Uint8Array(1));
  await rejects(socket.receive(new Uint8Array(1)), "ECONNREFUSED");
});

test("itself: one address may be written in several ways", () => {
  const at = (host: string, port = 7) => ({ host, port });
  assert.ok(isItself(at("::1"), at("0:0::1")));
  assert.ok(isItself(at("fe80::1%lo"), at("fe80::1%1")));
  assert.ok(isItself(at("127.0.0.1"), at("0.0.0.0")));
  assert.ok(!isItself(at("127.0.0.1"), at("127.0.0.1", 8)));
  assert.ok(!isItself(at("127.0.0.1"), at("127.0.0.2")));
  assert.ok(!isItself(at("127.0.0.1"), at("localhost")));
});
