// Opens and closes many sockets of each kind, and tells how many file descriptors this process had open
// before and has after; ends with an error if some do not go. In a process of its own nobody else opens
// any.
// usage: descriptors.ts tcp|unix|tls|udp|relay...

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import process from "node:process";
import { dial } from "../../lib/dial.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { relay } from "../../lib/protocols/relay.ts";
import { serve } from "../../lib/serve/serve.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { type Network, systemTcp, systemTls, systemUnix } from "../contract/networks.ts";
import { bytes, OWN_HOST, readExactly, readText, until } from "./helpers.ts";

/** The kind that is counted. */
let kind = "";

function open(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Does something once, and then counts what is open before and after it is done again and again. */
async function count(work: () => Promise<void>, times: number): Promise<void> {
  // What the runtime opens for itself comes first.
  await work();
  const before = open();
  for (let i = 0; i < times; i++) await work();
  await until(() => open() <= before, `no more than the ${before} descriptors before`);
  console.log(`${kind}: ${before} before, ${open()} after`);
}

/** Opens `total` connections, so many at once. */
async function connections(network: Network, total: number, atOnce: number): Promise<void> {
  using listener = await network.listen();
  await count(async () => {
    const visits = Array.from({ length: atOnce }, async () => {
      using client = await network.connect(listener.addr);
      await client.write(bytes("x"));
      assert.equal(await client.read(new Uint8Array(1)), null);
    });
    for (let i = 0; i < atOnce; i++) {
      using server = await listener.accept();
      await readExactly(server, 1);
    }
    await Promise.all(visits);
  }, total / atOnce);
}

async function datagrams(): Promise<void> {
  await count(async () => {
    using server = await systemTransport.listenDatagram({ host: OWN_HOST });
    using client = await systemTransport.listenDatagram({ remote: server.addr });
    const waiting = client.receive(new Uint8Array(8)).catch(() => {});
    await client.send(bytes("x"));
    client.close();
    await waiting;
  }, 250);
}

async function relayed(): Promise<void> {
  const behind = await systemTransport.listen({ host: OWN_HOST });
  const front = await systemTransport.listen({ host: OWN_HOST });
  const { host, port } = behind.addr;
  const served = [
    serve(behind, echo()).finished,
    serve(front, relay((signal) => dial(systemTransport, { host, port, signal }))).finished,
  ];
  await count(async () => {
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      using conn = await systemTransport.connect(front.addr);
      await conn.write(bytes("ping"));
      assert.equal(await readText(conn, 4), "ping");
      // Some end in good order, some do not.
      if (i % 3 === 0) conn.reset();
      if (i % 3 === 1) {
        await conn.closeWrite();
        assert.equal(await conn.read(new Uint8Array(1)), null);
      }
    }));
  }, 20);
  front.close();
  behind.close();
  const summaries = await Promise.all(served);
  assert.deepEqual(summaries.map(({ accepted }) => accepted), [1050, 1050]);
}

const KINDS: Readonly<Record<string, () => Promise<void>>> = {
  tcp: () => connections(systemTcp(systemTransport), 1000, 1),
  unix: () => connections(systemUnix(systemTransport), 1000, 1),
  async tls() {
    const own = await selfSigned([OWN_HOST]);
    await connections(systemTls(systemTransport, own), 200, 8);
  },
  udp: datagrams,
  relay: relayed,
};

// Deno opens what it hears signals by half a second after it has started, or as soon as one is asked for.
process.on("SIGHUP", () => {});
for (kind of process.argv.slice(2)) await KINDS[kind]();
