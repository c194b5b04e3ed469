/**
 * Sockets you can see: one transport interface for Deno and Node, tested to behave the same on both,
 * and what is built on it.
 *
 * @example An echo server, and a client that talks to it
 * ```ts
 * import { dial, echo, serve, systemTransport } from "@plainsocket/plainsocket";
 *
 * const stop = new AbortController();
 * const listener = await systemTransport.listen({ host: "localhost" });
 * const served = serve(listener, echo(), { signal: stop.signal });
 *
 * using conn = await dial(systemTransport, { host: "localhost", port: listener.addr.port });
 * await conn.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(64);
 * console.log(new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer))!)));
 * conn.close();
 *
 * stop.abort();
 * await served;
 * ```
 *
 * @module
 */

export { AccessList } from "./lib/access.ts";
export type { AccessOptions, AccessRules, Admission } from "./lib/access.ts";
export { formatAddr } from "./lib/addr.ts";
export { escapeText } from "./lib/escape.ts";
export { chat } from "./lib/chat.ts";
export type { ChatEvent, ChatOptions } from "./lib/chat.ts";
export { systemClock, VirtualClock } from "./lib/clock.ts";
export type { Clock } from "./lib/clock.ts";
export type { Conversation } from "./lib/conversation.ts";
export type { Datagram, DatagramOptions, Received, UdpAddr } from "./lib/datagram.ts";
export { dial } from "./lib/dial.ts";
export type { DialLimits, DialOptions, DialTlsOptions, DialUnixOptions } from "./lib/dial.ts";
export { echo } from "./lib/echo.ts";
export type { EchoOptions } from "./lib/echo.ts";
export { echoDatagram } from "./lib/echo_udp.ts";
export { ERROR_CODES, SocketError } from "./lib/errors.ts";
export type { ErrorCodeInfo, SocketErrorCode, SocketErrorInit, SocketOp } from "./lib/errors.ts";
export { observe } from "./lib/events.ts";
export type { EventSink, SocketEvent } from "./lib/events.ts";
export type {
  ClientReply,
  ClientTls,
  HttpHead,
  HttpRequestOptions,
  ReplyTiming,
} from "./lib/http/client/client.ts";
export { ACCEPT_ENCODING, decodeContent } from "./lib/http/client/encoding.ts";
export type { DecodeOptions } from "./lib/http/client/encoding.ts";
export { REQUEST_ERRORS, RequestError } from "./lib/http/client/errors.ts";
export type { RequestErrorCode } from "./lib/http/client/errors.ts";
export type { ReplyHeadLimits } from "./lib/http/client/reply_head.ts";
export { requestHttp } from "./lib/http/client/request.ts";
export { endToEndHeaders } from "./lib/http/end_to_end.ts";
export { HttpError } from "./lib/http/errors.ts";
export type { HttpErrorCode } from "./lib/http/errors.ts";
export { fromFetchHandler, toFetchHandler } from "./lib/http/fetch_handler.ts";
export type { AnyHandler, FetchHandler, HttpHandler, HttpInfo } from "./lib/http/fetch_handler.ts";
export type { HeadLimits } from "./lib/http/head.ts";
export type { LightHandler, LightReply, LightRequest } from "./lib/http/light.ts";
export { HTTP_LIMITS } from "./lib/http/options.ts";
export type { Exchange, HttpLimits, HttpOptions } from "./lib/http/options.ts";
export { prepare } from "./lib/http/prepared.ts";
export { serveHttp } from "./lib/http/serve_http.ts";
export { serveLight } from "./lib/http/server.ts";
export {
  decodeFrames,
  delimiter,
  encodeFrame,
  fixedLength,
  FRAME_ERRORS,
  FrameDecoder,
  FrameError,
  FrameReader,
  FrameWriter,
  lengthPrefix,
  lines,
  untilClose,
} from "./lib/frames.ts";
export type {
  DecodedFrames,
  FrameBounds,
  FrameErrorCode,
  Framing,
  FramingOptions,
  LengthPrefixOptions,
  LengthType,
} from "./lib/frames.ts";
export { join } from "./lib/join.ts";
export type { Joinable, JoinOptions, JoinOutcome, OnEof } from "./lib/join.ts";
export { MemoryTransport } from "./lib/memory.ts";
export type { MemoryTransportOptions } from "./lib/memory.ts";
export { relay } from "./lib/relay.ts";
export type { DialTarget, Relayed, RelayOptions } from "./lib/relay.ts";
export { serveDatagrams } from "./lib/serve_datagrams.ts";
export type {
  DatagramHandler,
  DatagramSummary,
  ServeDatagramsOptions,
} from "./lib/serve_datagrams.ts";
export { serve } from "./lib/serve.ts";
export type { Handler, ServeOptions, ServeSummary } from "./lib/serve.ts";
export { selfSigned } from "./lib/tls_cert.ts";
export type { SelfSigned } from "./lib/tls_cert.ts";
export { systemTransport } from "./lib/transport.deno.ts";
export type { Certificate, TlsClientOptions, TlsInfo, TlsServerOptions } from "./lib/tls.ts";
export type {
  Addr,
  Conn,
  ConnectOptions,
  Endpoint,
  InheritedListenOptions,
  Listener,
  ListenOptions,
  ResolveOptions,
  TcpAddr,
  TcpClientOptions,
  TcpConnectOptions,
  TcpListenOptions,
  TcpSocketOptions,
  TlsConn,
  TlsListenOptions,
  Transport,
  UnixAddr,
  UnixConnectOptions,
  UnixListenOptions,
} from "./lib/transport.ts";
export type { Credentials } from "./lib/web/auth.ts";
export type { Directory, FileOptions } from "./lib/web/file_options.ts";
export { serveFiles } from "./lib/web/files.ts";
export { serveSite } from "./lib/web/site.ts";
export type { SiteOptions } from "./lib/web/site.ts";
export type {
  ListeningTransport,
  WorkerContext,
  WorkerListenOptions,
  WorkerMain,
} from "./lib/worker.ts";
export { startWorkers } from "./lib/workers.ts";
export type {
  WorkerCounts,
  WorkerEvent,
  WorkerKind,
  Workers,
  WorkersOptions,
  WorkersSummary,
} from "./lib/workers.ts";
