// Restarts of a server under load, by restart_load.py.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Namespace } from "./namespace.ts";
import { DEADLINE_MS, Program, PYTHON } from "./peers.ts";

const LOAD = resolve("tests/support/restart_load.py");

/** New connections a second. */
export const RATE = 200;

/** The size of the file that is downloaded all the while, in bytes. */
export const LARGE: number = 8 * 1024 * 1024;

/** The servers that can be restarted. */
export const SERVERS = ["echo", "web", "relay", "chat"] as const;

/** What the load has seen. */
export interface Seen {
  readonly done: number;
  readonly errors: readonly string[];
  /** The bytes of the connection that was there from the first. */
  readonly large: number;
  readonly log: string;
  /** The statuses of /readyz just after each restart. */
  readonly probes: readonly string[];
  /** Whether a process was left. */
  readonly alive: boolean;
  /** Whether the kernel moves who waits at a socket that is closed to another one of its port. */
  readonly migrates: boolean;
}

/** A server under load. */
export interface Restarts {
  readonly mode: typeof SERVERS[number];
  /** The command that runs server.ts. */
  readonly server: readonly string[];
  readonly restarts: number;
  /** More options of the server. */
  readonly args?: readonly string[];
  /** Whether it has a network of its own, where the kernel moves who waits. */
  readonly isolated: boolean;
}

/** Restarts a server under load, one time after the other. */
export async function restartUnderLoad(
  { mode, server, restarts, args = [], isolated }: Restarts,
): Promise<Seen> {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    writeFileSync(join(dir, "small"), `${"x".repeat(5000)}END`);
    writeFileSync(join(dir, "large"), new Uint8Array(LARGE));
    const served = mode === "web" ? [mode, dir] : [mode];
    const all = [...served, "--host", "127.0.0.1", "--port", "0", "--grace", "60", ...args];
    const command = [...PYTHON, LOAD, mode, String(RATE), String(restarts), ...server, ...all];
    const { code, stdout, stderr } = await run(command, isolated, (1 + restarts) * DEADLINE_MS);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout.toString());
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function run(command: readonly string[], isolated: boolean, deadline: number) {
  if (!isolated) {
    await using program = new Program(command);
    return await program.exit(deadline);
  }
  await using namespace = await Namespace.open();
  await using program = namespace.start(command, { env: { OWN_NAMESPACE: "1" } });
  return await program.exit(deadline);
}
