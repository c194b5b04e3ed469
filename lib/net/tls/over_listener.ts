/**
 * Listening with TLS over the connections of another listener.
 *
 * @module
 */

import { SocketError } from "../../base/errors.ts";
import { PreparingListener } from "../preparing_listener.ts";
import type { Conn, Listener } from "../transport.ts";
import type { CertificateStore } from "./certificates.ts";
import { acceptTlsOver } from "./conn.ts";
import { madeRoom, storeOf } from "./handshake.ts";
import type { TlsServerOptions } from "./options.ts";

/** Shakes hands as the server over `conn`, which is closed if that fails. */
export type AcceptTls = (
  conn: Conn,
  store: CertificateStore,
  options: TlsServerOptions,
  signal: AbortSignal,
) => Promise<Conn>;

/**
 * Shakes hands with those that `source` accepts, at most `backlog` at a time. Throws EINVAL if the
 * certificates and keys are not valid; the source is closed then.
 */
export function listenTlsOver(
  source: Listener,
  options: TlsServerOptions,
  backlog: number,
  accept: AcceptTls = acceptTlsOver,
): Listener {
  const { onHandshakeError, admission } = options;
  try {
    const store = storeOf(options, source.addr);
    const shake = async (conn: Conn, signal: AbortSignal): Promise<Conn> => {
      try {
        return await accept(conn, store, options, signal);
      } catch (error) {
        // ECANCELED: the listener was closed.
        const tell = error instanceof SocketError && error.code !== "ECANCELED";
        if (tell) onHandshakeError?.(error);
        throw error;
      }
    };
    return new PreparingListener(source, { prepare: shake, most: backlog, admission, madeRoom });
  } catch (error) {
    source.close();
    throw error;
  }
}
