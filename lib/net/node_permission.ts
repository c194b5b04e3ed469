/**
 * The errors of what Node's permissions forbid (`node --permission`).
 *
 * @module
 */

import process from "node:process";
import { type Addr, type Endpoint, formatAddr, type UdpAddr } from "../base/addr.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";

/** The flags by the names that errors of Node have for what is forbidden. */
const FLAGS: Readonly<Record<string, string>> = {
  Net: "--allow-net",
  ChildProcess: "--allow-child-process",
  WorkerThreads: "--allow-worker",
};

/**
 * Throws if Node may not use the network. `node:net` throws that where nobody can catch it when it
 * listens.
 */
export function checkNetwork(op: SocketOp, addr: Addr | undefined): void {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  if (permission === undefined || permission.has("net")) return;
  // A Node before 25 says no, too, and lets everyone: it has no flag.
  if (!process.allowedNodeEnvironmentFlags.has(FLAGS.Net)) return;
  throw forbiddenOnNode(op, addr, { code: "ERR_ACCESS_DENIED", permission: "Net" });
}

/** The error with the flag that is missing, if `cause` is Node's for a lack of permission. */
export function forbiddenOnNode(
  op: SocketOp,
  addr: Addr | UdpAddr | Endpoint | undefined,
  cause: unknown,
): SocketError | undefined {
  const { code, permission } = (cause ?? {}) as { code?: unknown; permission?: unknown };
  if (code !== "ERR_ACCESS_DENIED") return undefined;
  const why = `Node's permissions forbid it without ${flagsFor(addr, String(permission))}`;
  const next = "Run again with that, or without --permission.";
  return new SocketError("ENOTCAPABLE", op, { addr, cause, why, next });
}

function flagsFor(addr: Addr | UdpAddr | Endpoint | undefined, permission: string): string {
  if (Object.hasOwn(FLAGS, permission)) return FLAGS[permission];
  if (addr === undefined || !("path" in addr)) return FLAGS.Net;
  const path = formatAddr(addr);
  return `--allow-fs-read=${path} --allow-fs-write=${path}`;
}
