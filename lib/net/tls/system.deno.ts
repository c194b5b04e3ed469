/**
 * TLS on Deno's sockets: over connections, and through `node:tls`, for what Deno's own TLS lacks. On the
 * client's side that is the peer's certificate, one of one's own, a way not to verify, the version and
 * error codes; on the server's, a way to close a client that does not shake hands (Deno keeps its socket
 * open, even after close()). Its twin for Node is `system.node.ts`.
 *
 * It is loaded when TLS is first asked for. Deno has read all modules by then, so that this needs no
 * descriptor. Node 20 would open files, and never load a module again that it could not open once.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import type { Conn, Listener, TlsConn } from "../transport.ts";
import { checkStartTls } from "../transport_arguments.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";
import type { TlsOverOptions } from "./over_listener.ts";

/** See `listenTlsOver` in `over_listener.ts`. */
export async function listenTls(
  source: Listener,
  options: TlsServerOptions,
  over: TlsOverOptions,
): Promise<Listener> {
  const { listenTlsOver } = await import("./over_listener.ts");
  return listenTlsOver(source, options, over);
}

/** See `Transport.startTls`. */
export async function startTls<A extends Addr>(
  conn: Conn<A>,
  options: TlsClientOptions = {},
): Promise<TlsConn<A>> {
  checkStartTls(conn, options);
  const { startTlsOver } = await import("./conn.ts");
  return await startTlsOver(conn, options);
}
