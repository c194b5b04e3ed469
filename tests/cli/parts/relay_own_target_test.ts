// A relay that leads to itself is refused at start; one that only looks like it is not.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { tcpAddr } from "../../../lib/base/addr.ts";
import type { Destination } from "../../../lib/cli/options/destination.ts";
import { UsageError } from "../../../lib/cli/io/flags.ts";
import { refuseItself } from "../../../lib/cli/commands/relay/own_target.ts";
import { ownAddresses } from "../../../lib/cli/serving/own_addresses.ts";
import type { Endpoint, TcpAddr } from "../../../lib/base/addr.ts";
import { assertFailed, runServer } from "../../support/scripts.ts";
import { test } from "../../support/runner.deno.ts";

const NAMES: Record<string, string[]> = {
  "localhost": ["::1", "127.0.0.1"],
  "ip6-localhost": ["::1"],
  "here.example": ["192.0.2.1"],
};

function resolve({ host, port }: Endpoint): Promise<TcpAddr[]> {
  return Promise.resolve(
    (NAMES[host.toLowerCase()] ?? [host]).map((address) => tcpAddr(address, port)),
  );
}

/** Listens at `host` and leads to `to`, both at port 80. */
function check(host: string, to: string, port = 80): Promise<void> {
  const place = { host, port, backlog: undefined };
  return refuseItself(place, { host: to, port: 80 }, { resolve });
}

const own = ownAddresses()!.filter(({ internal }) => !internal).map(({ address }) => address);

for (
  const [host, to] of [
    ["localhost", "localhost"],
    ["localhost", "LOCALHOST"],
    ["localhost", "127.0.0.1"],
    ["127.0.0.1", "localhost"],
    ["127.0.0.1", "::ffff:127.0.0.1"],
    ["127.0.0.1", "0.0.0.0"],
    ["::1", "::"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["ip6-localhost", "::1"],
    ["here.example", "here.example"],
    ["here.example", "192.0.2.1"],
    ["", "localhost"],
    ["", "127.0.0.1"],
    ["", "127.1.2.3"],
    ["", "::1"],
    ["", "0.0.0.0"],
    ["", "::"],
    ...own.map((address) => ["", address]),
  ]
) {
  test(`relay: from '${host}' to '${to}' at the same port leads to itself`, async () => {
    await assert.rejects(check(host, to), UsageError);
    await check(host, to, 81);
    await check(host, to, 0);
  });
}

for (
  const [host, to] of [
    ["::1", "127.0.0.1"],
    ["127.0.0.1", "::1"],
    ["localhost", "::1"],
    ["127.0.0.1", "127.0.0.2"],
    ["", "192.0.2.1"],
    ["", "elsewhere.example"],
    ["192.0.2.1", "here.example"],
  ]
) {
  test(`relay: from '${host}' to '${to}' at the same port may lead elsewhere`, () =>
    check(host, to));
}

test("relay: a socket file that leads to itself is the same file, however it is written", async () => {
  const place = { path: "/tmp/one.sock", mode: undefined };
  const to = (target: Destination) => refuseItself(place, target, { resolve });
  await assert.rejects(to({ path: "/tmp/../tmp/one.sock" }), UsageError);
  await assert.rejects(to({ path: relative(process.cwd(), "/tmp/one.sock") }), UsageError);
  await to({ path: "/tmp/two.sock" });
  await to({ host: "localhost", port: 80 });
});

test("server: a relay to itself exits 2 before it listens, with one line that tells", async () => {
  const folder = mkdtempSync(join(tmpdir(), "relay-"));
  try {
    const path = join(folder, "s");
    for (
      const args of [
        ["--to", "localhost:10001"],
        ["--to", "localhost:10001", "--workers", "2"],
        ["--to", "tls:127.0.0.1:7", "--port", "7", "--host", ""],
        ["--to", `unix:${path}`, "--unix", path],
      ]
    ) {
      const exit = await runServer(["relay", ...args]);
      assertFailed(
        exit,
        2,
        /The relay itself would listen at its target \S+, and connect to itself /,
      );
      assert.deepEqual([exit.stdout.length, exit.stderr.split("\n").length], [0, 2]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
