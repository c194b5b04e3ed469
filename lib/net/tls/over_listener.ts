/**
 * Listening with TLS over the connections of another listener.
 *
 * @module
 */

import { SocketError } from "../../base/errors.ts";
import type { MetricsSink } from "../metrics_sink.ts";
import { PreparingListener } from "../preparing_listener.ts";
import type { Conn, Listener } from "../transport.ts";
import type { CertificateStore } from "./certificate_store.ts";
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

/** Options of {@linkcode listenTlsOver}. */
export interface TlsOverOptions {
  /** The most handshakes at a time. */
  readonly backlog: number;
  /** Counts the handshakes and those who wait. Default: nothing is counted. */
  readonly metrics?: MetricsSink;
  /** Default: {@linkcode acceptTlsOver}. */
  readonly accept?: AcceptTls;
}

/**
 * Shakes hands with those that `source` accepts. Throws EINVAL if the certificates and keys are not
 * valid; the source is closed then.
 */
export function listenTlsOver(
  source: Listener,
  options: TlsServerOptions,
  { backlog, metrics, accept = acceptTlsOver }: TlsOverOptions,
): Listener {
  const { onHandshakeError, admission } = options;
  try {
    const store = storeOf(options, source.addr);
    const shake = async (conn: Conn, signal: AbortSignal): Promise<Conn> => {
      metrics?.handshakeBegan();
      const since = metrics === undefined ? 0 : performance.now();
      try {
        const tlsConn = await accept(conn, store, options, signal);
        metrics?.handshakeEnded(performance.now() - since, undefined);
        return tlsConn;
      } catch (error) {
        metrics?.handshakeEnded(performance.now() - since, error as SocketError);
        // ECANCELED: the listener was closed.
        const isReported = error instanceof SocketError && error.code !== "ECANCELED";
        if (isReported) onHandshakeError?.(error);
        throw error;
      }
    };
    const preparation = { prepare: shake, most: backlog, admission, madeRoom, metrics };
    return new PreparingListener(source, preparation);
  } catch (error) {
    source.close();
    throw error;
  }
}
