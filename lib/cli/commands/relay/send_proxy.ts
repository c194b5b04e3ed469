/**
 * `relay --send-proxy`: the target first gets a header that says who the client is.
 *
 * @module
 */

import type { Conn, ConnectOptions, Transport } from "../../../net/transport.ts";
import { type Flag, optional, UsageError } from "../../io/flags.ts";
import { proxyHeader } from "../../../proxy_protocol/write.ts";

/** A version of the PROXY protocol. */
export type ProxyVersion = 1 | 2;

/** The flag. */
export const SEND_PROXY_FLAG: Flag<ProxyVersion | undefined> = optional({
  arg: "v1|v2",
  help: "say first who the client is (PROXY protocol)",
  fallback: 2,
  parse(value) {
    if (value === "v1") return 1;
    if (value === "v2") return 2;
    throw new UsageError(`takes v1 or v2, not '${value}'`);
  },
});

/**
 * The same transport, for one client: what it connects to first gets a header of this version, also
 * before TLS. It is the same transport if there is to be no header. Without a client, the header says
 * that the relay itself connects.
 */
export function introducing(
  transport: Transport,
  client: Conn | undefined,
  version: ProxyVersion | undefined,
): Transport {
  if (version === undefined) return transport;
  const { remoteAddr: source, localAddr: destination } = client ?? {};
  const header = proxyHeader({ version, source, destination });
  const connect = async (options: ConnectOptions): Promise<unknown> => {
    const conn = await transport.connect(options);
    try {
      await conn.write(header);
      return conn;
    } catch (error) {
      conn.close();
      throw error;
    }
  };
  return {
    name: transport.name,
    resolve: (options) => transport.resolve(options),
    listen: transport.listen.bind(transport) as Transport["listen"],
    connect: connect as Transport["connect"],
    startTls: (conn, options) => transport.startTls(conn, options),
    listenDatagram: (options) => transport.listenDatagram(options),
  };
}
