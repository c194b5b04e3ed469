/**
 * Why a Unix socket takes no connections: what its file and its folder are.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { basename, dirname } from "node:path";
import { nodeFs } from "../../base/builtins.deno.ts";
import { nearest } from "../../base/nearest.ts";
import { mayReadProc } from "../../base/proc.deno.ts";
import type { Cause } from "./connecting.ts";

function statOf(path: string): Stats | undefined {
  try {
    return nodeFs().statSync(path);
  } catch {
    return undefined;
  }
}

/** Why there is no socket file. Undefined if nothing could be checked. */
export function whyNoFile(path: string): Cause | undefined {
  if (!mayReadProc()) return undefined;
  const folder = dirname(path);
  if (statOf(folder) === undefined) {
    return { why: `There is no folder ${folder}`, next: "Check the path" };
  }
  const sockets = nodeFs().readdirSync(folder).filter((name) =>
    statOf(`${folder}/${name}`)?.isSocket()
  );
  const near = nearest(basename(path), sockets);
  if (near === undefined) {
    const why = `The folder ${folder} is there, and has no such file`;
    return { why, next: "Check the path, and that the server has started" };
  }
  return {
    why: `The folder ${folder} has a socket ${near}`,
    next: `Try: --unix ${folder}/${near}`,
  };
}

/** Why a socket file may not be written to. Undefined if nothing could be checked. */
export function whyForbidden(path: string): Cause | undefined {
  const stats = mayReadProc() ? statOf(path) : undefined;
  if (stats === undefined) return undefined;
  const mode = (stats.mode & 0o777).toString(8).padStart(3, "0");
  return {
    why: `Its permissions are ${mode}, and it belongs to user ${stats.uid}, group ${stats.gid}`,
    next: "Who connects needs the right to write to it",
  };
}

/** Why a file refuses. Undefined if nothing could be checked. */
export function whyDead(path: string): Cause | undefined {
  const stats = mayReadProc() ? statOf(path) : undefined;
  if (stats === undefined) return undefined;
  return stats.isSocket()
    ? { why: "Nobody listens at that socket file any more", next: "Start its server again" }
    : { why: "That file is not a socket", next: "Check the path" };
}
