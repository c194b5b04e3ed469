/**
 * Errors of workers that cannot start: what is forbidden, and what the runtime does not have.
 *
 * @module
 */

import type { Addr, Endpoint } from "../base/addr.ts";
import { SocketError } from "../base/errors.ts";
import { forbiddenOnNode } from "../net/node_permission.ts";
import type { WorkerKind } from "./protocol.ts";

/** The flags that workers need on Deno. Deno itself names them one by one. */
const DENO_FLAGS: Readonly<Record<WorkerKind, string>> = {
  processes:
    "--allow-net, --allow-run, --allow-env and --allow-read, each in full, as a part of it, " +
    "or all without what --deny-… names, does not reach them; threads have the permissions of this " +
    "process",
  threads: "--allow-net, --allow-read and --unstable-net",
};

/** The error of a start, in words that fit workers. */
export function startError(error: Error, kind: WorkerKind, addr: Addr | Endpoint): Error {
  const fail = (code: "ENOTSUP" | "ENOTCAPABLE", why: string) =>
    new SocketError(code, "listen", { addr, cause: error, why });
  const forbidden = (permission: string) =>
    [
      "ENOTCAPABLE",
      `Deno's permissions forbid ${kind} without --allow-${permission}; all that they need is ` +
      DENO_FLAGS[kind],
    ] as const;
  if (error instanceof SocketError) {
    if (error.code === "ENOTCAPABLE" && kind === "processes") return fail(...forbidden("net"));
    if (error.code !== "ENOTSUP" || kind !== "threads") return error;
    return fail(
      "ENOTSUP",
      "threads share a port by SO_REUSEPORT, which Node has from 22.12 and 23.1 on, and Deno with " +
        "--unstable-net; processes need neither",
    );
  }
  const needed = /\bRequires (\w+) access\b/.exec(error.message)?.[1];
  if (needed === undefined) return forbiddenOnNode("listen", addr, error) ?? error;
  return fail(...forbidden(needed));
}
