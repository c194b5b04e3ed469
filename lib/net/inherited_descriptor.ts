/**
 * Errors of a descriptor that a process inherits as a socket to listen on. The system has EINVAL for
 * nearly all of them; the messages here say more.
 *
 * @module
 */

import { fstatSync, type Stats } from "node:fs";
import type { SocketErrorCode } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";

/** The codes with which the system refuses a socket of a kind that cannot be listened on. */
const REFUSED: ReadonlySet<SocketErrorCode> = new Set(["EINVAL", "ENOTSOCK", "EUNKNOWN"]);

/** Listens on a descriptor with `listen`. Rejects with what is wrong with the descriptor. */
export async function onInherited<T>(fd: number, listen: () => T | Promise<T>): Promise<T> {
  // Before the attempt, which may close it.
  checkSocket(fd);
  try {
    return await listen();
  } catch (error) {
    if (!(error instanceof SocketError) || !REFUSED.has(error.code)) throw error;
    const why = "is a socket that cannot accept connections: a UDP socket, say, or a connected one";
    throw refusal("EINVAL", fd, why, error.cause);
  }
}

function checkSocket(fd: number): void {
  let stats: Stats;
  try {
    stats = fstatSync(fd);
  } catch (error) {
    throw refusal("EINVAL", fd, "is not open", error);
  }
  if (!stats.isSocket()) throw refusal("ENOTSOCK", fd, `is ${kindOf(stats)}, not a socket`);
}

function refusal(code: SocketErrorCode, fd: number, fault: string, cause?: unknown): SocketError {
  return new SocketError(code, "listen", {
    why: `descriptor ${fd} ${fault}`,
    next:
      `Pass a TCP or Unix stream socket that is bound as descriptor ${fd}. systemd passes its first one as 3.`,
    cause,
  });
}

function kindOf(stats: Stats): string {
  if (stats.isFile()) return "a file";
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe";
  return stats.isCharacterDevice() ? "a device" : "something else";
}
