// docs/three_ways.md, cell by cell, for the runtime at hand: how workers share an address.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SocketError } from "../../lib/base/errors.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import type { Addr } from "../../lib/base/addr.ts";
import type { WorkerListenOptions } from "../../lib/workers/protocol.ts";
import type { WorkerKind } from "../../lib/workers/protocol.ts";
import { startWorkers } from "../../lib/workers/workers.ts";
import { readTable } from "../support/doc_table.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { WORKER_MODULE } from "./worker_module.ts";

/** How many sockets listen at an address, as the kernel tells it (proc(5)). */
function socketsAt(addr: Addr): number {
  if (addr.transport === "unix") {
    const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
    return lines.filter((line) => {
      const [, , , flags, , , , path] = line.trim().split(/\s+/);
      return path === addr.path && flags === "00010000";
    }).length;
  }
  const port = addr.port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/tcp", "utf8").split("\n").filter((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return local === `0100007F:${port}` && state === "0A";
  }).length;
}

/** Starts two workers and tells how they share the address. */
async function see(kind: WorkerKind, listen: WorkerListenOptions): Promise<string> {
  const stop = new AbortController();
  try {
    const { addr, finished } = await startWorkers(WORKER_MODULE, {
      workers: 2,
      kind,
      listen,
      signal: stop.signal,
    });
    const sockets = socketsAt(addr);
    stop.abort();
    await finished;
    return sockets === 1 ? "one socket, handed over" : `${sockets} sockets, SO_REUSEPORT`;
  } catch (error) {
    if (error instanceof SocketError) return `\`${error.code}\``;
    throw error;
  }
}

const table = readTable("docs/three_ways.md");
const host = "127.0.0.1";

for (const kind of ["processes", "threads"] as const) {
  const cell = (row: string) => table.get(`2 ${kind}, ${row}`)?.get(runtime);

  test(`three ways on ${runtime}: ${kind} share TCP as the table says`, async () => {
    assert.equal(await see(kind, { host }), cell("TCP"));
  });

  test(`three ways on ${runtime}: ${kind} share TLS as the table says`, async () => {
    const { cert, key } = await selfSigned(["localhost"]);
    assert.equal(await see(kind, { host, tls: { cert, key } }), cell("TLS"));
  });

  test(`three ways on ${runtime}: ${kind} share a Unix socket as the table says`, async () => {
    const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
    try {
      assert.equal(await see(kind, { path: join(dir, "socket") }), cell("a Unix socket"));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}
