/**
 * Checks of the arguments of a transport's methods, for all transports.
 *
 * @module
 */

import {
  ADMISSION,
  ANYTHING,
  asksForUnix,
  checkArgument,
  checkFields,
  checkOptions,
  CONN,
  FLAG,
  FUNCTION,
  having,
  HOST,
  integer,
  isInherited,
  type Kind,
  type Kinds,
  METRICS,
  optionsOf,
  PORT,
  required,
  SIGNAL,
  TEXT,
  TEXTS,
  TIMEOUT,
} from "../base/arguments.ts";
import type { DatagramOptions } from "./datagram.ts";
import type { TlsClientOptions, TlsServerOptions } from "./tls/options.ts";
import type { Endpoint } from "../base/addr.ts";
import type {
  InheritedListenOptions,
  ResolveOptions,
  TcpClientOptions,
  TcpConnectOptions,
  TcpSocketOptions,
  TlsListenOptions,
  UnixConnectOptions,
  UnixListenOptions,
} from "./transport.ts";

/** So that an address, as {@linkcode formatAddr} takes it, can be listened on and connected to. */
export const OF_ADDRESS: { readonly transport: Kind; readonly via: Kind } = {
  transport: ANYTHING,
  via: ANYTHING,
};

/** The options of an {@linkcode Endpoint}. */
export const ENDPOINT: Kinds<Endpoint> = { host: required(HOST), port: required(PORT) };

/** The same of something to connect to: nobody can have port 0. */
export const DESTINATION: Kinds<Endpoint> = { ...ENDPOINT, port: required(integer(1, 65_535)) };

/** So that what {@linkcode selfSigned} makes can be given as it is. */
export const OF_SELF_SIGNED: { readonly fingerprint: Kind } = { fingerprint: ANYTHING };

const RESOLVE: Kinds<ResolveOptions> = { ...ENDPOINT, signal: SIGNAL };

const TCP_SOCKET: Kinds<TcpSocketOptions> = { noDelay: FLAG, keepAlive: FLAG };

/** The options of a TCP socket that connects. */
export const TCP_CLIENT: Kinds<TcpClientOptions> = { ...TCP_SOCKET, localAddress: TEXT };

/** A backlog of 0 is as good as none on some systems, and the default on others. */
const BACKLOG = integer(1);

const CERTIFICATES = having(
  "a CertificateStore, such as new CertificateStore({ keyPairs: [{ cert, key }] })",
  "replace",
);

const TLS_HANDSHAKE = {
  alpnProtocols: TEXTS,
  handshakeTimeout: TIMEOUT,
  admission: ADMISSION,
  onHandshakeError: FUNCTION,
};

/** With one certificate, for good. */
const TLS_SERVER: Kinds<TlsServerOptions> = {
  cert: required(TEXT),
  key: required(TEXT),
  caCerts: TEXTS,
  certificates: CERTIFICATES,
  ...TLS_HANDSHAKE,
  ...OF_SELF_SIGNED,
};

/** With a store of certificates. */
const TLS_SERVER_STORE = { certificates: CERTIFICATES, ...TLS_HANDSHAKE };

/** The options of TLS's client. */
export const TLS_CLIENT: Kinds<TlsClientOptions> = {
  ...OF_SELF_SIGNED,
  servername: TEXT,
  caCerts: TEXTS,
  alpnProtocols: TEXTS,
  cert: TEXT,
  key: TEXT,
  insecure: FLAG,
  detectTruncation: FLAG,
  handshakeTimeout: TIMEOUT,
  signal: SIGNAL,
};

/** What is in it, {@linkcode checkListen} looks at. */
const TLS: Kind = { ...optionsOf({}), options: undefined };

const TCP_LISTEN: Kinds<TlsListenOptions> = {
  ...OF_ADDRESS,
  ...TCP_SOCKET,
  host: TEXT,
  port: PORT,
  backlog: BACKLOG,
  reusePort: FLAG,
  ipv6Only: FLAG,
  tls: TLS,
  metrics: METRICS,
};

const MODE: Kind = { ...integer(0, 0o777), takes: "an integer from 0 to 0o777" };

const UNIX_LISTEN: Kinds<UnixListenOptions> = {
  ...OF_ADDRESS,
  path: TEXT,
  mode: MODE,
  metrics: METRICS,
};

const INHERITED_LISTEN: Kinds<InheritedListenOptions> = {
  ...TCP_SOCKET,
  fd: integer(0),
  backlog: BACKLOG,
  tls: TLS,
  metrics: METRICS,
};

const TCP_CONNECT: Kinds<TcpConnectOptions> = {
  ...OF_ADDRESS,
  ...DESTINATION,
  ...TCP_CLIENT,
  signal: SIGNAL,
};

const UNIX_CONNECT: Kinds<UnixConnectOptions> = { ...OF_ADDRESS, path: TEXT, signal: SIGNAL };

const DATAGRAM: Kinds<DatagramOptions> = {
  ...OF_ADDRESS,
  host: TEXT,
  port: PORT,
  remote: optionsOf({ ...OF_ADDRESS, ...ENDPOINT }),
  broadcast: FLAG,
  signal: SIGNAL,
};

/** Throws unless `resolve()` takes it. */
export function checkResolve(endpoint: unknown): void {
  checkFields("resolve", endpoint, RESOLVE, '{ host: "localhost", port: 7 }');
}

/** Throws unless `listen()` takes it. */
export function checkListen(options: unknown): void {
  const given = Object(options);
  const kinds = isInherited(given)
    ? INHERITED_LISTEN
    : asksForUnix(given)
    ? UNIX_LISTEN
    : TCP_LISTEN;
  checkOptions("listen", options, kinds, '{ host: "localhost", port: 7 }');
  if (given.tls === undefined || kinds === UNIX_LISTEN) return;
  const tls = given.tls.certificates === undefined ? TLS_SERVER : TLS_SERVER_STORE;
  checkOptions("listen, in tls,", given.tls, tls);
}

/** Throws unless `connect()` takes it. */
export function checkConnect(options: unknown): void {
  const kinds = asksForUnix(Object(options)) ? UNIX_CONNECT : TCP_CONNECT;
  checkOptions("connect", options, kinds, '{ host: "localhost", port: 7 }');
}

/** Throws unless `startTls()` takes them. */
export function checkStartTls(conn: unknown, options: unknown): void {
  checkArgument("startTls", conn, CONN);
  checkOptions("startTls", options, TLS_CLIENT, '{ servername: "example.com" }');
  checkIdentity("startTls", options as TlsClientOptions);
}

/** Throws unless a datagram can be for it. */
export function checkDestination(to: unknown): void {
  checkFields("datagram.send, in to,", to, ENDPOINT, '{ host: "127.0.0.1", port: 7 }');
}

/** Throws if there is a certificate without its key, or a key without its certificate. */
export function checkIdentity(where: string, { cert, key }: TlsClientOptions): void {
  if (cert !== undefined) checkFields(where, { key }, { key: required(TEXT) });
  else if (key !== undefined) checkFields(where, { cert }, { cert: required(TEXT) });
}

/** Throws unless `listenDatagram()` takes it. */
export function checkListenDatagram(options: unknown): void {
  checkOptions("listenDatagram", options, DATAGRAM, '{ host: "localhost", port: 7 }');
}
