// Addresses that are good on one link only, with their zones (RFC 4007). In a network namespace the
// loopback interface has one, fe80::1.

import assert from "node:assert/strict";
import { dial } from "../../lib/dial.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Endpoint } from "../../lib/base/addr.ts";
import { inZone, isLinkLocal } from "../../lib/net/resolve.ts";
import { rejects } from "../support/helpers.ts";
import { Namespace, testInNamespace } from "../support/namespace.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { programCommand } from "../support/scripts.ts";

testInNamespace("zone: it is part of every address that TCP and UDP sockets tell", async () => {
  await using ns = await Namespace.open();
  // By the interface's name, by its number, and in another way of writing the address.
  const hosts = ["fe80::1%lo", "fe80::1%1", "FE80:0::1%lo", "fe80::1%lo,::"];
  await using program = ns.start([...programCommand("tests/net/probe_zone"), ...hosts]);
  const { code, stdout, stderr } = await program.exit();
  assert.equal(code, 0, stderr);
  const told = stdout.toString().trimEnd().split("\n");
  assert.equal(told.length, hosts.length);
  for (const [i, line] of told.entries()) {
    const seen = line.match(/\[fe80::1\S*\]/gi) ?? [];
    // Who has sent a datagram to a socket for any address, these do not tell whole.
    const isForAny = hosts[i].includes(",");
    const whole = ["Deno", "Bun"].includes(runtime) && isForAny ? seen.slice(0, 4) : seen;
    assert.ok(whole.length >= 4, line);
    for (const addr of whole) assert.match(addr, /^\[fe80(:0)?::1%(lo|1)\]$/i, line);
  }
});

testInNamespace("zone: a server's URL has it, and leads a client there", async () => {
  await using ns = await Namespace.open();
  const servers = [["echo"], ["echo", "--udp"], ["chat"], ["web"]];
  const lines = servers.flatMap(([name, ...more], i) => {
    const port = String(7000 + i);
    const listen = ["--host", "fe80::1%lo", "--port", port];
    const client = name === "echo"
      ? ["echo", "hello", ...more, ...listen]
      : ["connect", "-z", `[fe80::1%lo]:${port}`];
    return [["server", name, ...more, ...listen], ["client", ...client]];
  });
  const exits = await ns.inTurn(lines);
  for (const [i, { code, stderr }] of exits.entries()) {
    assert.equal(code, 0, `${lines[i]}: ${stderr}`);
  }
  assert.deepEqual(exits.filter((_, i) => i % 2 === 0).map(({ stdout }) => stdout), [
    "tcp://[fe80::1%lo]:7000\n",
    "udp://[fe80::1%lo]:7001\n",
    "tcp://[fe80::1%lo]:7002\n",
    "http://[fe80::1%lo]:7003/\n",
  ]);
});

testInNamespace("zone: where it is missing, the interfaces that there are are named", async () => {
  await using ns = await Namespace.open();
  const lines = [
    ["client", "echo", "hello", "--host", "fe80::1"],
    ["client", "echo", "hello", "--host", "fe80::1", "--udp"],
    ["client", "connect", "[fe80::1]:7"],
    ["client", "connect", "--udp", "[fe80::1]:7"],
    ["client", "get", "http://[fe80::1]/"],
  ];
  for (const { stderr } of await ns.inTurn(lines)) {
    assert.match(
      stderr,
      /its zone is missing: write fe80::1%lo; the interface here is lo \(EINVAL\)/,
    );
  }
});

const CALLS: Record<string, (endpoint: Endpoint) => Promise<unknown>> = {
  "connect": (endpoint) => systemTransport.connect(endpoint),
  "connect from there": ({ host }) =>
    systemTransport.connect({ host: "::1", port: 9, localAddress: host }),
  "dial": (endpoint) => dial(systemTransport, endpoint),
  "listen": (endpoint) => systemTransport.listen(endpoint),
  "listenDatagram": (endpoint) => systemTransport.listenDatagram(endpoint),
  "listenDatagram for a peer": (remote) => systemTransport.listenDatagram({ remote }),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`zone: ${name} says that it is missing`, async () => {
    for (const host of ["fe80::2", "FEBF::2"]) {
      const { message } = await rejects(call({ host, port: 9 }), "EINVAL");
      assert.match(message, new RegExp(`its zone is missing: write ${host}%`));
    }
  });

  if (name === "connect from there") continue;
  test(`zone: ${name} says that there is none of that name or number`, async () => {
    for (const zone of ["nosuch", "99999"]) {
      const { message } = await rejects(call({ host: `fe80::2%${zone}`, port: 9 }), "EINVAL");
      assert.match(
        message,
        new RegExp(`there is no zone '${zone}'; the interfaces? here (is|are) `),
      );
    }
  });
}

test("zone: only addresses of one link need one, and get one", () => {
  for (const host of ["fe80::1", "FEBF::1", "fe80::1%eth0"]) assert.ok(isLinkLocal(host), host);
  for (const host of ["fec0::1", "::1", "fe80.example", "fe80:", "2001:db8::fe80"]) {
    assert.ok(!isLinkLocal(host), host);
  }
  assert.equal(inZone("fe80::1", "eth0"), "fe80::1%eth0");
  assert.equal(inZone("fe80::1%eth1", "eth0"), "fe80::1%eth1");
  assert.equal(inZone("::1", "eth0"), "::1");
});
