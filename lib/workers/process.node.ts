/**
 * Worker processes on Node. They share one socket, which is bound already and which
 * each inherits. Its twin for Deno is `worker_process.deno.ts`.
 *
 * @module
 */

import { type ChildProcess, fork } from "node:child_process";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { getSystemErrorName } from "node:util";
import { isIPv6, tcpAddr, unixAddr } from "../base/addr.ts";
import { asksForUnix, isInherited } from "../base/arguments.ts";
import { codeOf, SocketError } from "../base/errors.ts";
import { onInherited } from "../net/inherited_descriptor.ts";
import { bindHost } from "../net/resolve.ts";
import { systemTransport } from "../net/system.node.ts";
import type { Addr } from "../base/addr.ts";
import { bindPath, fileCode, SocketFile } from "../net/unix_path.ts";
import type { HeldSocket, WorkerListenOptions } from "./protocol.ts";

/**
 * Starts a process that runs the module `entry`, with a channel to it, and with `fd`, if there is
 * one, as its descriptor `INHERITED_FD`. `flags` are the runtime's.
 */
export function startProcess(
  entry: string,
  args: readonly string[],
  { fd, flags }: { fd?: number; flags?: readonly string[] },
): ChildProcess {
  return fork(fileURLToPath(entry), args, {
    stdio: ["ignore", "inherit", "inherit", fd ?? "ignore", "ipc"],
    ...flags && { execArgv: [...flags] },
  });
}

/** A handle of node:net, which exports no type for it. The module cluster binds with it, too. */
interface Handle {
  readonly fd: number;
  /** Of TCP. */
  getsockname?(out: { address?: string; port?: number }): number;
  close(): void;
}

type CreateHandle = (
  address: string | null,
  port: number,
  addressType: 4 | 6 | -1,
  fd?: number,
  flags?: number,
) => Handle | number;

/** Bun has none: its processes bind for themselves, as on Deno. */
const { _createServerHandle: createHandle } = net as unknown as {
  _createServerHandle?: CreateHandle;
};

/** libuv's UV_TCP_IPV6ONLY. */
const IPV6_ONLY = 1;

/**
 * Binds as {@linkcode Transport.listen} does, and leaves listening and accepting to the processes.
 * While this one holds the socket, clients wait in its backlog even when no process is left.
 */
export async function holdSocket(options: WorkerListenOptions): Promise<HeldSocket | undefined> {
  if (isInherited(options)) return await holdInherited(options.fd);
  if (createHandle === undefined) return undefined;
  if (!asksForUnix(options)) {
    return await bindHost(systemTransport, options, (addr) => {
      const flags = options.ipv6Only ? IPV6_ONLY : 0;
      const handle = bind(addr, addr.host, addr.port, isIPv6(addr) ? 6 : 4, undefined, flags);
      // libuv reports an address in use only here.
      return { addr: addrOf(handle, addr), fd: handle.fd, close: () => handle.close() };
    });
  }
  const { path, mode } = options;
  return await bindPath({ path, mode }, (addr) => {
    const handle = bind(addr, path, -1, -1);
    try {
      const file = new SocketFile(path, mode);
      return { addr, fd: handle.fd, close: () => file.close(() => handle.close()) };
    } catch (error) {
      handle.close();
      const { code } = error as { code?: unknown };
      throw new SocketError(fileCode(code, path) ?? codeOf(error), "listen", {
        addr,
        cause: error,
      });
    }
  }, (addr) => systemTransport.connect(addr));
}

async function holdInherited(fd: number): Promise<HeldSocket> {
  if (createHandle === undefined) {
    throw new SocketError("ENOTSUP", "listen", { why: "Bun cannot pass a socket to processes" });
  }
  const handle = await onInherited(fd, () => bind(undefined, null, 0, -1, fd));
  // Of a Unix socket that was inherited Node says nothing.
  return { addr: addrOf(handle, unixAddr("")), fd, close: () => handle.close() };
}

/** The address that a handle is bound to; `asked` for a Unix socket. */
function addrOf(handle: Handle, asked: Addr): Addr {
  const real: { address?: string; port?: number } = {};
  const errno = handle.getsockname?.(real) ?? 0;
  if (errno < 0) {
    handle.close();
    throw failure(errno, asked);
  }
  return real.address === undefined ? asked : tcpAddr(real.address, real.port!);
}

function bind(addr: Addr | undefined, ...where: Parameters<CreateHandle>): Handle {
  const handle = createHandle!(...where);
  if (typeof handle === "number") throw failure(handle, addr);
  return handle;
}

function failure(errno: number, addr: Addr | undefined): SocketError {
  const name = getSystemErrorName(errno);
  const known = addr?.transport === "unix" ? fileCode(name, addr.path) : undefined;
  return new SocketError(known ?? codeOf({ code: name }), "listen", { addr });
}
