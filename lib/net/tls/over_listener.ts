/**
 * Listening with TLS over the connections of another listener.
 *
 * @module
 */

import type tls from "node:tls";
import { SocketError } from "../../base/errors.ts";
import type { Conn, Listener } from "../transport.ts";
import { serverContext } from "./context.ts";
import { HandshakeListener } from "./handshake_queue.ts";
import type { TlsServerOptions } from "./options.ts";
import { acceptTlsOver } from "./over_conn.ts";

/** Shakes hands as the server over `conn`, which is closed if that fails. */
export type AcceptTls = (
  conn: Conn,
  context: tls.SecureContext,
  options: TlsServerOptions,
  signal: AbortSignal,
) => Promise<Conn>;

/**
 * Shakes hands with those that `source` accepts, at most `backlog` at a time. Throws EINVAL if the
 * certificates and keys are none; the source is closed then.
 */
export function listenTlsOver(
  source: Listener,
  options: TlsServerOptions,
  backlog: number,
  accept: AcceptTls = acceptTlsOver,
): Listener {
  const { onHandshakeError, admission } = options;
  try {
    const context = serverContext(options, source.addr);
    const shake = async (conn: Conn, signal: AbortSignal): Promise<Conn> => {
      try {
        return await accept(conn, context, options, signal);
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
