/**
 * The address of several workers: one socket that each inherits, or a port that they share.
 *
 * @module
 */

import type { Addr, Endpoint } from "../base/addr.ts";
import { unixAddr } from "../base/addr.ts";
import { asksForUnix, isInherited } from "../base/arguments.ts";
import { SocketError } from "../base/errors.ts";
import { orAborted } from "../base/wait.ts";
import { systemTransport } from "../net/system.deno.ts";
import type { ListenOptions, TlsListenOptions, UnixListenOptions } from "../net/transport.ts";
import { holdSocket } from "./process.deno.ts";
import { INHERITED_FD, type WorkerKind, type WorkerListenOptions } from "./protocol.ts";

/** An address for several to listen at. */
export interface SharedAddress {
  /** The listen address, for messages. */
  readonly place: Addr | Endpoint;
  /** The address, if it is known before a worker listens. */
  readonly addr: Addr | undefined;
  /** The descriptor for processes, if they inherit it. */
  readonly fd: number | undefined;
  /** Returns the listen options of workers. `known` is the address of the first one. */
  optionsFor(known: Addr | undefined): ListenOptions;
  close(): void;
}

/** Shares the address. After an abort, which a look-up of a name does not see, it is closed. */
export async function shareUnlessAborted(
  options: WorkerListenOptions,
  kind: WorkerKind,
  signal: AbortSignal | undefined,
): Promise<SharedAddress> {
  const sharing = share(options, kind);
  // There is nothing to wait for.
  if (isInherited(options)) return await sharing;
  const place = asksForUnix(options)
    ? unixAddr(options.path)
    : { host: options.host ?? "localhost", port: options.port ?? 0 };
  try {
    return await orAborted(sharing, signal, "listen", place);
  } catch (error) {
    sharing.then((address) => address.close(), () => {});
    throw error;
  }
}

async function share(options: WorkerListenOptions, kind: WorkerKind): Promise<SharedAddress> {
  const held = kind === "processes" ? await holdSocket(options) : undefined;
  if (held !== undefined) {
    const { addr, fd } = held;
    const { backlog, noDelay, keepAlive, tls } = options as Partial<TlsListenOptions>;
    const optionsFor = () => ({ fd: INHERITED_FD, backlog, noDelay, keepAlive, tls });
    return { place: addr, addr, fd, optionsFor, close: () => held.close() };
  }
  if (isInherited(options)) throw cannotShare();
  if (asksForUnix(options)) throw cannotShare(options);
  const { host = "localhost", port = 0, reusePort = false } = options;
  // Of a port that others share already, SO_REUSEPORT would silently take a part, unless that is asked for.
  if (port !== 0 && !reusePort) (await systemTransport.listen({ host, port })).close();
  const optionsFor = (known: Addr | undefined) => ({
    ...options,
    port: known?.transport === "tcp" ? known.port : port,
    reusePort: true,
  });
  const place = { host, port };
  return { place, addr: undefined, fd: undefined, optionsFor, close: () => {} };
}

function cannotShare(unix?: UnixListenOptions): SocketError {
  const what = unix === undefined ? "a socket that is inherited" : "a Unix socket";
  return new SocketError("ENOTSUP", "listen", {
    addr: unix && unixAddr(unix.path),
    why: `${what} is shared by handing it over, which works among processes on Node only`,
  });
}
