/**
 * The process that replaces this one, on Deno. It shares the port by SO_REUSEPORT, since Deno cannot
 * listen on a socket that it inherits. Its twin for Node is `successor.node.ts`.
 *
 * @module
 */

import process from "node:process";
import { systemTransport } from "../../net/system.deno.ts";
import type { OpenListenAddress } from "../options/listen_address.ts";

/** Whether a socket is handed over. Otherwise the port is shared. */
export const HANDS_OVER = false;

/** Whether Deno can share a port. */
const SHARES = "listenDatagram" in Deno;

/** Whether the kernel moves the connections that wait at a closed socket to another one of the port. */
const MIGRATES = "/proc/sys/net/ipv4/tcp_migrate_req";

/** The command line of this process. Throws if it is not known. */
export function ownCommand(): readonly string[] {
  try {
    return Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
  } catch {
    const more = SHARES ? "" : " --unstable-net";
    throw new Error(
      `on Deno this needs Linux and all permissions: start it with deno run -A${more}`,
    );
  }
}

/** The variable of the environment with this name, unless reading it is forbidden. */
export function readVariable(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? process.env[variable] : undefined;
}

/**
 * Says what is missing to listen with SO_REUSEPORT, so that a successor can listen there as well; ""
 * if nothing is. Rejects if the port is in use.
 */
export async function missingToShare({ host, port }: OpenListenAddress): Promise<string> {
  const missing: string[] = [];
  if (port === undefined) missing.push("--port N");
  if (!SHARES) missing.push("deno run --unstable-net");
  // If others share this port already, SO_REUSEPORT would silently take some of their connections.
  if (missing.length === 0 && port !== 0) (await systemTransport.listen({ host, port })).close();
  return missing.join(" and ");
}

/**
 * Says which clients may be lost when a socket is closed that shares its port. Undefined if none are.
 */
export function whatIsLost(): string | undefined {
  try {
    if (Deno.readTextFileSync(MIGRATES).trim() === "1") return undefined;
  } catch {
    // An older kernel does not have it.
  }
  return "clients that wait to be accepted when the old process stops listening are reset: " +
    "sysctl -w net.ipv4.tcp_migrate_req=1 prevents that";
}
