/**
 * TLS over connections, whatever they go over: so Deno's transport speaks it. Through `node:tls`, for
 * what Deno's own TLS lacks: on the client's side the peer's certificate, one of one's own, a way not
 * to verify, the version and error codes; on the server's a way to close a client that does not shake
 * hands (Deno keeps its socket open, even after close()).
 *
 * @module
 */

import { ConnStream } from "../conn_to_duplex.ts";
import { SocketError } from "../../base/errors.ts";
import { HandshakeListener } from "./handshake_queue.ts";
import type { Below } from "./conn.ts";
import { acceptTlsOver, serverContext, startTlsOver } from "./handshake.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";
import type { Addr } from "../../base/addr.ts";
import type { Conn, Listener, TlsConn } from "../transport.ts";
import { checkStartTls } from "../transport_arguments.ts";

function belowOf(stream: ConnStream, conn: Conn): Below {
  return {
    moved: () => conn.bytesWritten,
    flushed: () => stream.flushed(),
    broken: () => stream.errored,
    limit: (full) => {
      stream.full = full;
      return () => stream.goOn();
    },
  };
}

/** See `Transport.startTls`. */
export async function startTls<A extends Addr>(
  conn: Conn<A>,
  options: TlsClientOptions = {},
): Promise<TlsConn<A>> {
  checkStartTls(conn, options);
  const stream = new ConnStream(conn);
  return await startTlsOver(
    stream,
    conn.localAddr,
    conn.remoteAddr,
    options,
    belowOf(stream, conn),
  );
}

/**
 * Shakes hands with those that `source` accepts, at most `backlog` at a time. Throws EINVAL if the
 * certificates and keys are none; the source is the caller's then.
 */
export function withTls(source: Listener, options: TlsServerOptions, backlog: number): Listener {
  const { onHandshakeError } = options;
  const context = serverContext(options, source.addr);
  const shake = async (conn: Conn, signal: AbortSignal): Promise<Conn> => {
    const { localAddr, remoteAddr } = conn;
    const stream = new ConnStream(conn);
    try {
      const below = belowOf(stream, conn);
      return await acceptTlsOver(
        stream,
        localAddr,
        remoteAddr,
        context,
        options,
        signal,
        below,
      );
    } catch (error) {
      // ECANCELED: the listener was closed.
      const tell = error instanceof SocketError && error.code !== "ECANCELED";
      if (tell) onHandshakeError?.(error);
      throw error;
    }
  };
  return new HandshakeListener(source, shake, backlog, options.admission);
}
