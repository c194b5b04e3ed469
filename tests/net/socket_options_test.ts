// docs/sockets.md, cell by cell, for the runtime at hand and for memory: which socket options there
// are, and that those that are missing say so.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { dial } from "../../lib/dial.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Transport } from "../../lib/net/transport.ts";
import { readTable } from "../support/doc_table.ts";
import { bytes, OWN_HOST, pairThrough, readAll, rejects } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** What came of asking for an option: what `work` says, or the code it rejects with. */
async function see(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SocketError) return `\`${error.code}\``;
    throw error;
  }
}

/** Whether the kernel has a keep-alive timer for a connection of this machine (proc(5)). */
function isKeptAlive({ localAddr, remoteAddr }: Conn<TcpAddr>): boolean {
  const inKernel = ({ port }: TcpAddr) =>
    `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  // Both ends: a port of a client may have connections of others, too, to another server.
  const ends = [inKernel(localAddr), inKernel(remoteAddr), "01"].join(" ");
  const fields = readFileSync("/proc/net/tcp", "utf8").split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields.slice(1, 4).join(" ") === ends);
  assert.ok(fields, `No connection from port ${localAddr.port}`);
  return fields[5].startsWith("02:");
}

type Scenario = (transport: Transport) => Promise<string>;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  async "`broadcast` of datagrams (SO_BROADCAST)"(transport) {
    using socket = await transport.listenDatagram({ host: "127.0.0.1", broadcast: true });
    using receiver = await transport.listenDatagram({ host: "0.0.0.0" });
    // Linux has a broadcast address on loopback.
    await socket.send(bytes("hello"), { host: "127.255.255.255", port: receiver.addr.port });
    assert.equal((await receiver.receive(new Uint8Array(10))).size, 5);
    return "sends to all";
  },

  async "the port of connections in TIME_WAIT (SO_REUSEADDR)"(transport) {
    const listener = await transport.listen({ host: OWN_HOST });
    const { addr } = listener;
    {
      using ends = await pairThrough(listener, (addr) => transport.connect(addr));
      ends.server.close(); // who closes first has to wait
      await readAll(ends.client);
    }
    (await transport.listen(addr)).close();
    return "is free at once";
  },

  async "`reusePort` (SO_REUSEPORT)"(transport) {
    using first = await transport.listen({ host: "127.0.0.1", reusePort: true });
    using _second = await transport.listen({ ...first.addr, reusePort: true });
    await rejects(transport.listen(first.addr), "EADDRINUSE");
    return "shares the port";
  },

  async "`ipv6Only` (IPV6_V6ONLY)"(transport) {
    using listener = await transport.listen({ host: "", ipv6Only: true });
    const { port } = listener.addr;
    await rejects(transport.connect({ host: "127.0.0.1", port }), "ECONNREFUSED");
    (await transport.connect({ host: "::1", port })).close();
    return "IPv6 alone";
  },

  async "`keepAlive` (SO_KEEPALIVE)"(transport) {
    const listener = await transport.listen({ host: "127.0.0.1", keepAlive: true });
    using ends = await pairThrough(
      listener,
      (addr) => transport.connect({ ...addr, keepAlive: true }),
    );
    if (transport.name === "memory") return "needs none";
    return isKeptAlive(ends.client) && isKeptAlive(ends.server) ? "both ends ask" : "nobody asks";
  },

  async "`noDelay: false` (TCP_NODELAY)"(transport) {
    const listener = await transport.listen({ host: "127.0.0.1", noDelay: false });
    using ends = await pairThrough(
      listener,
      (addr) => transport.connect({ ...addr, noDelay: false }),
    );
    for (const letter of "abc") await ends.client.write(bytes(letter));
    await ends.client.closeWrite();
    return new TextDecoder().decode(await readAll(ends.server)) === "abc" ? "taken" : "lost";
  },

  async "`localAddress` (bind(2))"(transport) {
    const listener = await transport.listen({ host: "127.0.0.1" });
    try {
      const connect = (addr: TcpAddr) => transport.connect({ ...addr, localAddress: "127.0.0.2" });
      using ends = await pairThrough(listener, connect);
      return ends.server.remoteAddr.host === "127.0.0.2" ? "connects from it" : "is ignored";
    } finally {
      listener.close();
    }
  },
};

const table = readTable("docs/sockets.md");
const memory = new MemoryTransport();

test("socket options: every row of the table is tested, and every test has its row", () => {
  assert.deepEqual([...table.keys()].sort(), Object.keys(SCENARIOS).sort());
});

for (const [column, transport] of [[runtime, systemTransport], ["memory", memory]] as const) {
  for (const [row, scenario] of Object.entries(SCENARIOS)) {
    test(`socket options of ${column}: ${row}`, async () => {
      const cell = table.get(row)?.get(column);
      assert.equal(await see(() => scenario(transport)), cell?.replace(/ with .*/, ""));
    });
  }

  test(`socket options of ${column}: one that is missing is named`, async () => {
    const missing = transport === memory || runtime === "Deno"
      ? transport.listen({ host: "", ipv6Only: true })
      : undefined;
    if (missing === undefined) return;
    const error = await rejects(missing, "ENOTSUP");
    assert.match(
      error.message,
      /^Cannot listen on .*: ipv6Only is not supported (on Deno|in memory)/,
    );
    assert.match(error.message, /Do without it, or use another transport or runtime\.$/);
  });
}

test("socket options: reusePort on Deno without its flag is ENOTSUP, and names the flag", async () => {
  if (runtime !== "Deno") return;
  const folder = mkdtempSync(join(tmpdir(), "flagless-"));
  try {
    // As the project's own configuration, but without the flag.
    const { imports } = JSON.parse(readFileSync("deno.json", "utf8"));
    const config = join(folder, "deno.json");
    writeFileSync(config, JSON.stringify({ imports }));
    const program = join(folder, "listen.ts");
    const transport = new URL("../../lib/net/system.deno.ts", import.meta.url).href;
    writeFileSync(
      program,
      `import { systemTransport } from ${JSON.stringify(transport)};
      await systemTransport.listen({ reusePort: true }).catch((error) => console.log(error.message));`,
    );
    const { stdout, stderr } = await runProgram(
      [process.execPath, "run", "-A", "--no-lock", "--config", config, program],
    );
    assert.match(
      stdout.toString(),
      /^Cannot listen on .*: reusePort is not supported on Deno without --unstable-net \(ENOTSUP\)/,
      stderr,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("socket options: a local address that is none is EINVAL", async () => {
  const error = await rejects(
    memory.connect({ host: "127.0.0.1", port: 1, localAddress: "eth0" }),
    "EINVAL",
  );
  assert.match(error.message, /a local address is an IP address, not 'eth0'/);
});

test("dial: only addresses of the local address's family are tried, and none is EADDRNOTAVAIL", async () => {
  using listener = await memory.listen({ host: "127.0.0.1", port: 4000 });
  const options = { host: "localhost", port: 4000 };
  using conn = await dial(memory, { ...options, localAddress: "127.0.0.9" });
  assert.equal(conn.localAddr.host, "127.0.0.9");
  assert.equal(conn.remoteAddr.host, "127.0.0.1");
  (await listener.accept()).close();
  const six = dial(memory, { host: "127.0.0.1", port: 4000, localAddress: "::1" });
  await rejects(six, "EADDRNOTAVAIL");
});
