/**
 * Sockets you can see: one transport interface for Deno and Node, tested to behave the same on both,
 * and what is built on it.
 *
 * @example An echo server, and a client that talks to it
 * ```ts
 * import { dial, serve, systemTransport } from "@plainsocket/plainsocket";
 * import { echo } from "@plainsocket/plainsocket/protocols";
 *
 * const listener = await systemTransport.listen({ host: "localhost" });
 * const server = serve(listener, echo());
 *
 * using conn = await dial(systemTransport, { host: "localhost", port: listener.addr.port });
 * await conn.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(64);
 * console.log(new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer))!)));
 * conn.close();
 *
 * await server.stop();
 * ```
 *
 * @module
 */

export { formatAddr } from "./lib/base/addr.ts";
export type { Addr, Endpoint, TcpAddr, UdpAddr, UnixAddr } from "./lib/base/addr.ts";
export { systemClock } from "./lib/base/clock.ts";
export type { Clock } from "./lib/base/clock.ts";
export { ERROR_CODES } from "./lib/base/error_codes.ts";
export type { ErrorCodeInfo, SocketErrorCode, SocketOp } from "./lib/base/error_codes.ts";
export { SocketError } from "./lib/base/errors.ts";
export type { SocketErrorInit } from "./lib/base/errors.ts";
export { escapeText } from "./lib/base/escape.ts";
export { dial } from "./lib/dial.ts";
export type { DialLimits, DialOptions, DialTlsOptions, DialUnixOptions } from "./lib/dial.ts";
export type { Admission } from "./lib/net/admission.ts";
export type {
  MeasuredConn,
  MeasuredRequest,
  MetricsSink,
  RejectReason,
} from "./lib/net/metrics_sink.ts";
export type { Datagram, DatagramOptions, Received } from "./lib/net/datagram.ts";
export { systemTransport } from "./lib/net/system.deno.ts";
export type { KeyPair } from "./lib/base/pem.ts";
export { CertificateStore } from "./lib/net/tls/certificate_store.ts";
export type { CertificateSet } from "./lib/net/tls/certificate_store.ts";
export type {
  Certificate,
  TlsClientOptions,
  TlsInfo,
  TlsServerOptions,
} from "./lib/net/tls/options.ts";
export { selfSigned } from "./lib/net/tls/self_signed.ts";
export type { SelfSigned } from "./lib/net/tls/self_signed_certificate.ts";
export type {
  Conn,
  ConnectOptions,
  InheritedListenOptions,
  Listener,
  ListenOptions,
  ResolveOptions,
  TcpClientOptions,
  TcpConnectOptions,
  TcpListenOptions,
  TcpSocketOptions,
  TlsConn,
  TlsListenOptions,
  Transport,
  UnixConnectOptions,
  UnixListenOptions,
} from "./lib/net/transport.ts";
export type { EventSink, SocketEvent } from "./lib/observe/events.ts";
export { socketOf } from "./lib/observe/observed_sockets.ts";
export { observe, observeBorrowed } from "./lib/observe/observe.ts";
export { AccessList } from "./lib/serve/access_list.ts";
export type { AccessOptions, AccessRules } from "./lib/serve/access_list.ts";
export type { HandlerContext } from "./lib/serve/server.ts";
export { IdleWatch } from "./lib/serve/idle.ts";
export type { Watchable } from "./lib/serve/idle.ts";
export { serve } from "./lib/serve/serve.ts";
export type { Handler, ServeOptions, ServeSummary } from "./lib/serve/serve.ts";
export type { Server, StopOptions } from "./lib/serve/server.ts";
export { serveDatagrams } from "./lib/serve/serve_datagrams.ts";
export type {
  DatagramHandler,
  DatagramSummary,
  ServeDatagramsOptions,
} from "./lib/serve/serve_datagrams.ts";
