/**
 * The files of Unix sockets: which paths will do, which files may be replaced, and which removed.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { setImmediate } from "node:timers";
import { unixAddr, whyNoSocketPath } from "../base/addr.ts";
import { nodeFs } from "../base/builtins.deno.ts";
import type { SocketErrorCode, SocketOp } from "../base/error_codes.ts";
import { SocketError, type SocketErrorInit } from "../base/errors.ts";
import type { UnixAddr } from "../base/addr.ts";
import type { Conn, UnixListenOptions } from "./transport.ts";

/** The number of tries to put a file back that was put aside, one turn of the event loop apart. */
const PUT_BACK_TRIES = 100;

/** The address of a path; rejects EINVAL if no socket can have it. */
export function pathAddr(op: SocketOp, path: string): UnixAddr {
  const why = whyNoSocketPath(path);
  if (why !== undefined) throw new SocketError("EINVAL", op, { addr: unixAddr(path), why });
  return unixAddr(path);
}

/** Names the code for an errno that the file system knows and TCP does not, or means otherwise. */
export function fileCode(errno: unknown, path: string): SocketErrorCode | undefined {
  switch (errno) {
    case "EACCES":
      // libuv says so of a folder that is not there, too.
      return isMissing(dirname(path)) ? "ENOENT" : undefined;
    case "ENOTDIR":
    case "ELOOP":
      return "ENOENT";
    case "EPERM":
    case "EROFS":
      return "EACCES";
    case "ENAMETOOLONG":
      return "EINVAL";
    default:
      return undefined;
  }
}

/**
 * Says what is wrong with a path where the code says less: a file that is not a socket refuses, too.
 */
export function pathFault(
  code: SocketErrorCode,
  op: SocketOp,
  path: string,
): Pick<SocketErrorInit, "why" | "next"> {
  if (code !== "ECONNREFUSED" || op !== "connect") return {};
  try {
    if (nodeFs().statSync(path).isSocket()) return {};
  } catch {
    return {};
  }
  return {
    why: "what is there is not a socket",
    next: "Name the file that the server has made, which is there while it listens.",
  };
}

/** Whether there is nothing at a path; not being allowed to look is no answer. */
function isMissing(path: string): boolean {
  try {
    nodeFs().lstatSync(path);
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === "ENOENT";
  }
}

/**
 * Binds with `bind`, and if the address is in use by a socket file that nobody listens on, once more
 * without that. A `connect` shows whether a program does.
 */
export async function bindPath<T>(
  { path }: UnixListenOptions,
  bind: (addr: UnixAddr) => T | Promise<T>,
  connect: (addr: UnixAddr) => Promise<Conn>,
): Promise<T> {
  const addr = pathAddr("listen", path);
  try {
    return await bind(addr);
  } catch (error) {
    if ((error as SocketError).code !== "EADDRINUSE") throw error;
    const stale = await findStale(addr, connect);
    // Looked at again, since somebody else may have replaced it meanwhile.
    if (stale !== undefined && isSame(stale, lookAt(path))) nodeFs().unlinkSync(path);
    return await bind(addr);
  }
}

/**
 * Finds the socket file at a path if nobody listens on it. Undefined if the file is gone. Rejects
 * with EADDRINUSE otherwise.
 */
async function findStale(
  addr: UnixAddr,
  connect: (addr: UnixAddr) => Promise<Conn>,
): Promise<Stats | undefined> {
  const found = lookAt(addr.path);
  if (found === undefined) return undefined;
  if (!found.isSocket()) {
    throw new SocketError("EADDRINUSE", "listen", {
      addr,
      why: "a file that is not a socket is there",
      next: "Choose another path, or move that file away.",
    });
  }
  try {
    (await connect(addr)).close();
  } catch (error) {
    const { code } = error as SocketError;
    if (code === "ECONNREFUSED" || code === "ENOENT") return found;
    if (code === "EPROTOTYPE") {
      throw new SocketError("EADDRINUSE", "listen", {
        addr,
        cause: error,
        why: "a socket of another kind is there, which takes datagrams",
        next: "Choose another path, or stop the program that it belongs to (`ss -lxp` shows it).",
      });
    }
    // It may be alive: it takes no more just now, or not from us.
    if (code !== "EAGAIN" && code !== "EACCES") throw error;
  }
  throw new SocketError("EADDRINUSE", "listen", { addr });
}

/** Not with bigints, which throw on Deno for a time that no Date can hold. */
function lookAt(path: string): Stats | undefined {
  return nodeFs().lstatSync(path, { throwIfNoEntry: false });
}

/** Inodes are soon used again, so the time counts too; nothing but its making sets a socket's. */
function isSame(a: Stats, b: Stats | undefined): boolean {
  return b !== undefined && a.dev === b.dev && a.ino === b.ino &&
    Object.is(a.mtimeMs, b.mtimeMs);
}

/** The file that a listener has made. */
export class SocketFile {
  readonly #path: string;
  readonly #made: Stats | undefined;

  /** To be called when `path` has just been bound; sets the permissions, if there are to be others. */
  constructor(path: string, mode?: number) {
    this.#path = path;
    if (mode !== undefined) nodeFs().chmodSync(path, mode);
    this.#made = lookAt(path);
  }

  /**
   * Closes the listener with `close`. Both runtimes then remove the file at its path, also
   * that of another server. So such a file gets a second link before, and is put back then.
   */
  close(close: () => void): void {
    const aside = `${this.#path}.${process.pid}`;
    let foreign = false;
    try {
      const found = lookAt(this.#path);
      foreign = found !== undefined && this.#made !== undefined && !isSame(this.#made, found);
      if (foreign) nodeFs().linkSync(this.#path, aside);
    } catch {
      // Not allowed to: then it cannot be saved.
      foreign = false;
    }
    close();
    if (foreign) putBack(aside, this.#path, PUT_BACK_TRIES);
  }
}

/** Deno removes the file only once a pending accept has noticed, and until then it stands there. */
function putBack(aside: string, path: string, tries: number): void {
  try {
    if (lookAt(path) === undefined) nodeFs().renameSync(aside, path);
    else if (tries === 0) nodeFs().unlinkSync(aside);
    else setImmediate(() => putBack(aside, path, tries - 1));
  } catch {
    // Its folder is gone, and it with that.
  }
}
