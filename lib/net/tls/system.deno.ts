/**
 * TLS on Deno's sockets: over connections, and through `node:tls`, for what Deno's own TLS lacks. On the
 * client's side that is the peer's certificate, one of one's own, a way not to verify, the version and
 * error codes; on the server's, a way to close a client that does not shake hands (Deno keeps its socket
 * open, even after close()). Its twin for Node is `system.node.ts`.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import type { Conn, TlsConn } from "../transport.ts";
import { checkStartTls } from "../transport_arguments.ts";
import type { TlsClientOptions } from "./options.ts";
import { startTlsOver } from "./conn.ts";

export { listenTlsOver as listenTls } from "./over_listener.ts";

/** See `Transport.startTls`. */
export async function startTls<A extends Addr>(
  conn: Conn<A>,
  options: TlsClientOptions = {},
): Promise<TlsConn<A>> {
  checkStartTls(conn, options);
  return await startTlsOver(conn, options);
}
