/**
 * The last attempt of a client: the destination and the connection. It is kept for the case that it
 * fails.
 *
 * @module
 */

import type { Endpoint, TcpAddr, UdpAddr } from "../../base/addr.ts";
import type { Conn, ConnectOptions, Transport } from "../../net/transport.ts";

/** See the module. */
export interface Attempt {
  /** The name that was looked up last. */
  endpoint?: Endpoint;
  /** The addresses that were found. */
  addrs?: readonly TcpAddr[];
  /** The connection that was made last. */
  conn?: Conn;
  /** Whether TLS is spoken on it. */
  tls?: boolean;
  /** The peer of the datagrams. */
  peer?: UdpAddr;
}

/** The same transport, whose attempts are noted in `attempt`. */
export function noting(transport: Transport, attempt: Attempt): Transport {
  const connect = async (options: ConnectOptions): Promise<unknown> => {
    const conn = await transport.connect(options);
    attempt.conn = conn;
    attempt.tls = false;
    return conn;
  };
  return {
    name: transport.name,
    async resolve(options) {
      attempt.endpoint = { host: options.host, port: options.port };
      attempt.addrs = undefined;
      return attempt.addrs = await transport.resolve(options);
    },
    listen: transport.listen.bind(transport) as Transport["listen"],
    connect: connect as Transport["connect"],
    async startTls(conn, options) {
      attempt.tls = true;
      const tlsConn = await transport.startTls(conn, options);
      attempt.conn = tlsConn;
      return tlsConn;
    },
    async listenDatagram(options) {
      const socket = await transport.listenDatagram(options);
      attempt.peer = socket.remoteAddr;
      return socket;
    },
  };
}
