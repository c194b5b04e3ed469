/**
 * The listen address of `server.ts web`, and its URL.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import { SocketError } from "../../../base/errors.ts";
import type { MetricsSink } from "../../../net/metrics_sink.ts";
import type { TlsServerOptions } from "../../../net/tls/options.ts";
import type { Addr, TcpAddr } from "../../../base/addr.ts";
import type { Listener, Transport } from "../../../net/transport.ts";
import { isAnyHost } from "../../options/host.ts";
import type {
  InheritedListenAddress,
  ListenAddress,
  OpenListenAddress,
  UnixListenAddress,
} from "../../options/listen_address.ts";

/** The port that is taken if none is asked for; if it is in use, one of the next. */
export const DEFAULT_PORT = 8080;
const MORE_PORTS = 20;

/**
 * A port, or a socket. An open port is {@linkcode DEFAULT_PORT} or, if that is in use, the next that is
 * free.
 */
export type WebListenAddress =
  | OpenListenAddress
  | UnixListenAddress
  | InheritedListenAddress;

/** The same, with the server's side of TLS if there is TLS, and with metrics if there are some. */
export type WebAddress = WebListenAddress & {
  readonly tls?: TlsServerOptions;
  readonly metrics?: MetricsSink;
};

/** Listens. Rejects as {@linkcode Transport.listen} does. */
export async function listenForWeb(
  transport: Transport,
  address: WebAddress,
  note: (message: string) => void,
): Promise<Listener> {
  if ("path" in address || "fd" in address) return await transport.listen(address);
  const { port: wanted, ...rest } = address;
  if (wanted !== undefined) return await transport.listen({ ...rest, port: wanted });
  let inUse: unknown;
  for (let port = DEFAULT_PORT; port <= DEFAULT_PORT + MORE_PORTS; port++) {
    try {
      const listener = await transport.listen({ ...rest, port });
      if (port !== DEFAULT_PORT) note(`port ${DEFAULT_PORT} is in use; port ${port} is free`);
      return listener;
    } catch (error) {
      // That the next port cannot be had is not news; that the first is in use is.
      if (!(error instanceof SocketError) || error.code !== "EADDRINUSE") throw inUse ?? error;
      inUse ??= error;
    }
  }
  throw inUse;
}

/** Finds the port of an address for workers, which listen by themselves. Rejects as {@linkcode listenForWeb}. */
export async function findPort(
  transport: Transport,
  listenAddress: WebListenAddress,
  note: (message: string) => void,
): Promise<ListenAddress> {
  if (!("host" in listenAddress)) return listenAddress;
  const { host, reusePort } = listenAddress;
  if (listenAddress.port !== undefined) {
    return { host, port: listenAddress.port, reusePort, backlog: undefined };
  }
  const listener = await listenForWeb(transport, listenAddress, note);
  listener.close();
  return { host, port: (listener.addr as TcpAddr).port, backlog: undefined };
}

/** The URL of a site for a browser on this machine; browsers know none for Unix sockets. */
export function siteUrl(addr: Addr, scheme: "http" | "https"): string {
  if (addr.transport === "unix") return `http+unix://${encodeURIComponent(addr.path)}/`;
  const { host, port } = addr;
  return `${scheme}://${formatAddr({ host: isAnyHost(host) ? "127.0.0.1" : host, port })}/`;
}
