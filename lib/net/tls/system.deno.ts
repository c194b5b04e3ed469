/**
 * TLS on Deno's sockets: over connections, and through `node:tls`, for what Deno's own TLS lacks. On the
 * client's side that is the peer's certificate, one of one's own, a way not to verify, the version and
 * error codes; on the server's, a way to close a client that does not shake hands (Deno keeps its socket
 * open, even after close()). Its twin for Node is `system.node.ts`.
 *
 * @module
 */

import { SocketError } from "../../base/errors.ts";
import type { Addr } from "../../base/addr.ts";
import type { Conn, Listener, TlsConn } from "../transport.ts";
import { checkStartTls } from "../transport_arguments.ts";
import { serverContext } from "./context.ts";
import { HandshakeListener } from "./handshake_queue.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";
import { acceptTlsOver, startTlsOver } from "./over_conn.ts";

/** See `Transport.startTls`. */
export async function startTls<A extends Addr>(
  conn: Conn<A>,
  options: TlsClientOptions = {},
): Promise<TlsConn<A>> {
  checkStartTls(conn, options);
  return await startTlsOver(conn, options);
}

/**
 * Shakes hands with those that `source` accepts, at most `backlog` at a time. Throws EINVAL if the
 * certificates and keys are none; the source is closed then.
 */
export function listenTls(source: Listener, options: TlsServerOptions, backlog: number): Listener {
  const { onHandshakeError, admission } = options;
  try {
    const context = serverContext(options, source.addr);
    const shake = async (conn: Conn, signal: AbortSignal): Promise<Conn> => {
      try {
        return await acceptTlsOver(conn, context, options, signal);
      } catch (error) {
        // ECANCELED: the listener was closed.
        const tell = error instanceof SocketError && error.code !== "ECANCELED";
        if (tell) onHandshakeError?.(error);
        throw error;
      }
    };
    return new HandshakeListener(source, shake, backlog, admission);
  } catch (error) {
    source.close();
    throw error;
  }
}
