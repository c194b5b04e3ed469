/**
 * The way to the server of a URL: the one place that knows of TCP, TLS and Unix sockets.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { dial } from "../../dial.ts";
import type { Conn, Transport } from "../../net/transport.ts";
import type { ClientTls } from "./options.ts";
import { endpointOf } from "../../base/url.ts";

/** Options of {@linkcode connectTo}. */
export interface ConnectSettings {
  /** The socket file to connect to, instead of the host of the URL. */
  readonly path: string | undefined;
  readonly tls: ClientTls;
  readonly signal: AbortSignal;
  readonly connectTimeout: number;
  readonly clock: Clock;
}

/** When the steps of connecting were done, in milliseconds of the clock. */
export interface ConnectTiming {
  resolve?: number;
  connect?: number;
  tls?: number;
}

/**
 * Connects to the server of `url`, with TLS if that is https. Rejects as {@linkcode dial} and
 * {@linkcode Transport.startTls} do.
 */
export async function connectTo(
  transport: Transport,
  url: URL,
  { path, tls, signal, connectTimeout: timeout, clock }: ConnectSettings,
): Promise<{ conn: Conn; timing: ConnectTiming }> {
  const timing: ConnectTiming = {};
  const timed = telling(transport, () => timing.resolve = clock.now());
  const endpoint = endpointOf(url);
  const place = path === undefined ? endpoint : { path };
  const conn = await dial(timed, { ...place, signal, timeout, clock });
  timing.connect = clock.now();
  if (url.protocol === "http:") return { conn, timing };
  const secure = await transport.startTls(conn, {
    ...tls,
    servername: endpoint.host,
    alpnProtocols: ["http/1.1"],
    detectTruncation: true,
    handshakeTimeout: timeout,
    signal,
  });
  timing.tls = clock.now();
  return { conn: secure, timing };
}

/** The same transport, but it reports when it has resolved a name. */
function telling(transport: Transport, onResolved: () => void): Transport {
  return {
    name: transport.name,
    resolve: async (endpoint) => {
      const addrs = await transport.resolve(endpoint);
      onResolved();
      return addrs;
    },
    listen: transport.listen.bind(transport) as Transport["listen"],
    connect: transport.connect.bind(transport) as Transport["connect"],
    startTls: transport.startTls.bind(transport),
    listenDatagram: transport.listenDatagram.bind(transport),
  };
}
