/**
 * Worker processes on Deno. They share only the address, by SO_REUSEPORT, since Deno
 * cannot listen on a socket that it inherits. Its twin for Node is `worker_process.node.ts`.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { isInherited } from "../base/arguments.ts";
import { systemTransport } from "../net/system.deno.ts";
import type { HeldSocket, WorkerListenOptions } from "./protocol.ts";

const PERMISSIONS = ["env", "ffi", "import", "net", "read", "run", "sys", "write"] as const;

/** The permissions that this process has in full, as flags: what a part is of cannot be asked. */
function permissionFlags(): string[] {
  const granted = PERMISSIONS.filter((name) => {
    // Of --allow-read --deny-read=/etc, too, the state is "granted".
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  });
  const isAll = granted.length === PERMISSIONS.length;
  return isAll ? ["--allow-all"] : granted.map((name) => `--allow-${name}`);
}

/**
 * Starts a process that runs the module `entry`, with a channel to it. `flags` are the runtime's, by
 * default the permissions that this process has in full. SO_REUSEPORT, which Deno calls unstable, is added.
 */
export function startProcess(
  entry: string,
  args: readonly string[],
  { flags = permissionFlags() }: { fd?: number; flags?: readonly string[] },
): ChildProcess {
  const command = ["run", "--unstable-net", ...flags, entry, ...args];
  return spawn(process.execPath, command, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/** There is none: the processes bind for themselves. Rejects with ENOTSUP for one that is inherited. */
export async function holdSocket(options: WorkerListenOptions): Promise<HeldSocket | undefined> {
  if (isInherited(options)) await systemTransport.listen(options);
  return undefined;
}
