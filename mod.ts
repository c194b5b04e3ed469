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

export { AccessList } from "./lib/serve/access.ts";
export type { Admission } from "./lib/net/admission.ts";
export type { AccessOptions, AccessRules } from "./lib/serve/access.ts";
export { formatAddr } from "./lib/base/addr.ts";
export { escapeText } from "./lib/base/escape.ts";
export { chat } from "./lib/protocols/chat/chat.ts";
export type { ChatEvent, ChatOptions } from "./lib/protocols/chat/chat.ts";
export { systemClock, VirtualClock } from "./lib/base/clock.ts";
export type { Clock } from "./lib/base/clock.ts";
export type { Conversation } from "./lib/serve/conversation.ts";
export type { Addr, Endpoint, TcpAddr, UdpAddr, UnixAddr } from "./lib/base/addr.ts";
export type { Datagram, DatagramOptions, Received } from "./lib/net/datagram.ts";
export { dial } from "./lib/dial.ts";
export type { DialLimits, DialOptions, DialTlsOptions, DialUnixOptions } from "./lib/dial.ts";
export { echo } from "./lib/protocols/echo.ts";
export type { EchoOptions } from "./lib/protocols/echo.ts";
export { echoDatagram } from "./lib/protocols/echo_udp.ts";
export { ERROR_CODES } from "./lib/base/error_codes.ts";
export { SocketError } from "./lib/base/errors.ts";
export type { ErrorCodeInfo, SocketErrorCode, SocketOp } from "./lib/base/error_codes.ts";
export type { SocketErrorInit } from "./lib/base/errors.ts";
export { observe } from "./lib/observe/observe.ts";
export type { EventSink, SocketEvent } from "./lib/observe/events.ts";
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
export type { ReplyHeadLimits } from "./lib/http/message/response_head.ts";
export { requestHttp } from "./lib/http/client/request.ts";
export { endToEndHeaders } from "./lib/http/message/end_to_end.ts";
export { HttpError } from "./lib/http/message/errors.ts";
export type { HttpErrorCode } from "./lib/http/message/errors.ts";
export { fromFetchHandler, toFetchHandler } from "./lib/http/fetch/fetch_handler.ts";
export type {
  AnyHandler,
  FetchHandler,
  HttpHandler,
  HttpInfo,
} from "./lib/http/fetch/fetch_handler.ts";
export type { HeadLimits } from "./lib/http/message/request_head.ts";
export type { LightHandler, LightReply, LightRequest } from "./lib/http/server/light.ts";
export { HTTP_LIMITS } from "./lib/http/server/options.ts";
export type { Exchange, HttpLimits, HttpOptions } from "./lib/http/server/options.ts";
export { prepare } from "./lib/http/server/prepared.ts";
export { serveHttp } from "./lib/http/fetch/serve_http.ts";
export { serveLight } from "./lib/http/server/server.ts";
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
} from "./lib/frames/mod.ts";
export type {
  DecodedFrames,
  FrameBounds,
  FrameErrorCode,
  Framing,
  FramingOptions,
  LengthPrefixOptions,
  LengthType,
} from "./lib/frames/mod.ts";
export { join } from "./lib/protocols/join.ts";
export type { Joinable, JoinOptions, JoinOutcome, OnEof } from "./lib/protocols/join.ts";
export { MemoryTransport } from "./lib/net/memory/transport.ts";
export type { MemoryTransportOptions } from "./lib/net/memory/transport.ts";
export { relay } from "./lib/protocols/relay.ts";
export type { DialTarget, Relayed, RelayOptions } from "./lib/protocols/relay.ts";
export { serveDatagrams } from "./lib/serve/serve_datagrams.ts";
export type {
  DatagramHandler,
  DatagramSummary,
  ServeDatagramsOptions,
} from "./lib/serve/serve_datagrams.ts";
export { serve } from "./lib/serve/serve.ts";
export type { Handler, ServeOptions, ServeSummary } from "./lib/serve/serve.ts";
export { selfSigned } from "./lib/net/tls/self_signed.ts";
export type { SelfSigned } from "./lib/net/tls/self_signed.ts";
export { systemTransport } from "./lib/net/system.deno.ts";
export type {
  Certificate,
  TlsClientOptions,
  TlsInfo,
  TlsServerOptions,
} from "./lib/net/tls/options.ts";
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
export type { Credentials } from "./lib/files/auth.ts";
export type { Directory, FileOptions } from "./lib/files/file_options.ts";
export { serveFiles } from "./lib/files/files.ts";
export { serveSite } from "./lib/files/site.ts";
export type { SiteOptions } from "./lib/files/site.ts";
export type {
  ListeningTransport,
  WorkerContext,
  WorkerListenOptions,
  WorkerMain,
} from "./lib/workers/protocol.ts";
export { startWorkers } from "./lib/workers/workers.ts";
export type {
  WorkerCounts,
  WorkerEvent,
  WorkerKind,
  Workers,
  WorkersOptions,
  WorkersSummary,
} from "./lib/workers/workers.ts";
