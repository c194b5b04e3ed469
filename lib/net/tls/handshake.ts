/**
 * Handshakes over streams, on either side, through `node:tls`, which both runtimes have; and what
 * certificates and keys mean to it.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import tls from "node:tls";
import { systemClock } from "../../base/clock.ts";
import { ConnStream } from "../conn_to_duplex.ts";
import type { SocketOp } from "../../base/error_codes.ts";
import { abortError, SocketError, timedOut } from "../../base/errors.ts";
import { parseIP } from "../../base/ip.ts";
import { type Below, TlsStreamConn, translateTls } from "./conn.ts";
import { describeDistrust, isDistrust, whyOtherName } from "./distrust.ts";
import { certificatesIn, type KeyPair, keyPairIn, pemOf } from "./pem.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";
import type { Addr } from "../../base/addr.ts";
import type { TlsConn } from "../transport.ts";

/** How long a handshake may take unless told otherwise, in milliseconds. */
export const HANDSHAKE_TIMEOUT = 10_000;

/** What `node:tls` makes of certificates and keys. Throws EINVAL if it can make nothing of them. */
export function usable<T>(op: SocketOp, addr: Addr | undefined, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const why = `a certificate or its key cannot be used: ${(cause as Error).message}`;
    throw new SocketError("EINVAL", op, { addr, cause, why });
  }
}

/** Who one is, and whom one trusts, in the form that `node:tls` takes on all runtimes. */
export type Identity = Pick<tls.SecureContextOptions, "cert" | "key" | "ca">;

/** The certificate of a server, and whom it trusts. Throws a `PemError` if they are none. */
export function serverIdentity({ cert, key, caCerts }: TlsServerOptions): Identity {
  // Deno finds out at the handshake only, and the runtimes take anything for an issuer.
  return { ...pairOf(cert, key), ca: caCerts && issuersOf(caCerts) };
}

/** The same for who shakes hands without a `tls.Server`. Throws EINVAL if they are none. */
export function serverContext(
  options: TlsServerOptions,
  addr: Addr | undefined,
): tls.SecureContext {
  return usable("listen", addr, () => tls.createSecureContext(serverIdentity(options)));
}

function pairOf(cert: string, key: string): KeyPair {
  return keyPairIn({ name: "cert", text: cert }, { name: "key", text: key });
}

function issuersOf(caCerts: readonly string[]): string[] {
  return caCerts.map((text, i) => pemOf(certificatesIn({ name: `caCerts[${i}]`, text })));
}

/** The client is asked for a certificate if somebody is trusted; {@linkcode refusal} looks at it. */
export function clientCertificates({ caCerts }: TlsServerOptions): tls.CommonConnectionOptions {
  return caCerts === undefined ? {} : { requestCert: true, rejectUnauthorized: false };
}

/**
 * Why the client of a server's socket is not let in, if it is not: left to the runtimes, Node says
 * ECONNRESET, and Deno lets it in.
 */
export function refusal(
  socket: tls.TLSSocket,
  { caCerts }: TlsServerOptions,
  addr: Addr,
): SocketError | undefined {
  if (caCerts === undefined) return undefined;
  if (socket.getPeerX509Certificate() === undefined) {
    return untrusted("acceptTls", addr, "", "the client has shown none");
  }
  // What a tls.Server makes `authorized` of; a socket alone, as on Deno, has nothing else.
  const { ssl } = socket as unknown as { ssl: { verifyError(): unknown } };
  const error = ssl.verifyError();
  if (!error) return undefined;
  const code = (error as { code?: string }).code ?? String(error);
  return untrusted("acceptTls", addr, code, code, error);
}

type ClientContext = Pick<TlsClientOptions, "cert" | "key" | "caCerts">;

let last: { readonly options: ClientContext; readonly context: tls.SecureContext } | undefined;

/** The last one is kept: parsing all roots takes longer than a handshake, and most want the same. */
function clientContext(options: ClientContext, addr: Addr): tls.SecureContext {
  const { cert, key, caCerts } = options;
  const same = last !== undefined && last.options.cert === cert && last.options.key === key &&
    String(last.options.caCerts) === String(caCerts);
  if (last !== undefined && same) return last.context;
  const context = usable("startTls", addr, () => {
    const ca = caCerts && [...tls.rootCertificates, ...issuersOf(caCerts)];
    const isSomebody = cert !== undefined || key !== undefined;
    return tls.createSecureContext({ ...isSomebody && pairOf(cert!, key!), ca });
  });
  last = { options: { cert, key, caCerts: caCerts && [...caCerts] }, context };
  return context;
}

/** Shakes hands as the server over `stream`, which is destroyed if that fails. */
export async function acceptTlsOver<A extends Addr>(
  stream: Duplex,
  localAddr: A,
  remoteAddr: A,
  context: tls.SecureContext,
  options: TlsServerOptions,
  signal: AbortSignal,
  below?: Below,
): Promise<TlsStreamConn<A>> {
  const { alpnProtocols, handshakeTimeout } = options;
  try {
    const socket = new tls.TLSSocket(stream as tls.TLSSocket, {
      isServer: true,
      secureContext: context,
      ALPNProtocols: alpnProtocols && [...alpnProtocols],
      ...clientCertificates(options),
    });
    const endedFirst = endOf(stream, socket);
    await shakenHands(socket, stream, "acceptTls", remoteAddr, { handshakeTimeout, signal });
    const refused = refusal(socket, options, remoteAddr);
    if (refused !== undefined) throw refused;
    const under = { ...below, endedFirst };
    return new TlsStreamConn(socket, localAddr, remoteAddr, askedFor(socket), under);
  } catch (error) {
    // The alert that tells the client why has to leave.
    stream.end(() => stream.destroy());
    throw error;
  }
}

/** The name that the client of a server's socket asked for. */
export function askedFor(socket: tls.TLSSocket): string | undefined {
  // The type lacks it.
  return (socket as { servername?: string | false | null }).servername || undefined;
}

/** Shakes hands as the client over `stream`, which is destroyed if that fails. */
export async function startTlsOver<A extends Addr>(
  stream: Duplex,
  localAddr: A,
  remoteAddr: A,
  options: TlsClientOptions,
  below?: Below,
): Promise<TlsConn<A>> {
  const { cert, key, caCerts, alpnProtocols, insecure = false } = options;
  const name = options.servername ??
    (remoteAddr.transport === "tcp" ? remoteAddr.host : "localhost");
  // An address is verified, but it is no name to ask for (RFC 6066).
  const isAddress = parseIP(name) !== undefined;
  try {
    const socket = tls.connect({
      socket: stream,
      host: name,
      servername: isAddress ? "" : name,
      secureContext: clientContext({ cert, key, caCerts }, remoteAddr),
      ALPNProtocols: alpnProtocols && [...alpnProtocols],
      rejectUnauthorized: !insecure,
      allowHalfOpen: true,
    } as tls.ConnectionOptions);
    const endedFirst = endOf(stream, socket);
    await shakenHands(socket, stream, "startTls", remoteAddr, options);
    const under = { ...below, endedFirst };
    return new TlsStreamConn(socket, localAddr, remoteAddr, isAddress ? undefined : name, under);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/**
 * Tells whether the stream below has ended before TLS did, which then was not ended by close_notify.
 * Undefined as long as neither has, or where TLS reads from the socket itself and nobody can tell.
 */
function endOf(stream: Duplex, socket: tls.TLSSocket): () => boolean | undefined {
  if (!(stream instanceof ConnStream)) return () => undefined;
  let first: boolean | undefined;
  // Before TLS hears of it, and when it has decrypted all that came before.
  stream.prependListener("end", () => first ??= !hasEnded(socket));
  socket.prependListener("end", () => first ??= false);
  return () => first;
}

/** Whether nothing more comes of a stream but what it holds. */
function hasEnded(stream: Duplex): boolean {
  return (stream as unknown as { _readableState: { ended: boolean } })._readableState.ended;
}

function shakenHands(
  socket: tls.TLSSocket,
  stream: Duplex,
  op: "acceptTls" | "startTls",
  addr: Addr,
  { handshakeTimeout = HANDSHAKE_TIMEOUT, signal }: TlsClientOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: SocketError) => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
      socket.removeListener("error", onError);
      socket.removeListener("close", onClose);
      stream.removeListener("end", onEnd);
      if (error === undefined) return resolve();
      // What it says once it is given up is of no interest.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error) => settle(handshakeError(socket, error, op, addr));
    const onClose = () => settle(gone(op, addr));
    // What TLS makes of the last bytes comes first.
    const onEnd = () => setImmediate(onClose);
    const onAbort = () => settle(abortError(op, addr, signal!));
    const cancel = handshakeTimeout === 0
      ? () => {}
      : systemClock.setTimer(handshakeTimeout, () => {
        settle(timedOut(op, addr, handshakeTimeout));
      });
    socket.once(op === "startTls" ? "secureConnect" : "secure", () => settle());
    socket.once("error", onError);
    socket.once("close", onClose);
    stream.once("end", onEnd);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort);
  });
}

function gone(op: SocketOp, addr: Addr, cause?: unknown): SocketError {
  const why = "the peer ended the connection during the handshake";
  return new SocketError("ECONNRESET", op, { addr, cause, why });
}

/** Why a client was closed that shook hands for longer than all others when there were too many. */
export function madeRoom(addr: Addr): SocketError {
  const why = "its handshake was the oldest when more clients came than may shake hands at once";
  return new SocketError("ETIMEDOUT", "acceptTls", { addr, why });
}

function handshakeError(
  socket: tls.TLSSocket,
  error: Error,
  op: SocketOp,
  addr: Addr,
): SocketError {
  const { code = "", reason } = error as { code?: string; reason?: string };
  // Node tells so, and Deno by the code alone.
  if (socket.authorizationError || isDistrust(code)) {
    return untrusted(op, addr, code, whyOtherName(error) ?? reason ?? error.message, error);
  }
  // node:tls says ECONNRESET to a FIN, too.
  if (code === "ECONNRESET") return gone(op, addr, error);
  return translateTls(error, op, addr);
}

function untrusted(
  op: SocketOp,
  addr: Addr,
  code: string,
  reason: string,
  cause?: unknown,
): SocketError {
  return new SocketError("ECERT", op, { addr, cause, ...describeDistrust(code, reason) });
}
