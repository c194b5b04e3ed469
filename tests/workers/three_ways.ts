// docs/three_ways.md, cell by cell, for the runtime at hand: how workers share an address.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Addr } from "../../lib/base/addr.ts";
import type { WorkerKind } from "../../lib/workers/protocol.ts";
import { readTable } from "../support/doc_table.ts";
import { runtime } from "../support/runner.deno.ts";

/** What workers share. */
export const SHARED = ["TCP", "TLS", "a Unix socket"] as const;

const table = readTable("docs/three_ways.md");

/** What the table says of two workers. */
export function cellOf(kind: WorkerKind, what: typeof SHARED[number]): string {
  return table.get(`2 ${kind}, ${what}`)!.get(runtime)!;
}

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

/** Asserts that two workers which serve at an address share it as the table says. */
export function assertShare(kind: WorkerKind, what: typeof SHARED[number], addr: Addr): void {
  const sockets = socketsAt(addr);
  const how = sockets === 1 ? "one socket, handed over" : `${sockets} sockets, SO_REUSEPORT`;
  assert.equal(how, cellOf(kind, what));
}
