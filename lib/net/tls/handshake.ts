/**
 * Handshakes over streams, on either side, through `node:tls`, which both runtimes have; and what
 * certificates and keys mean to it.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import tls from "node:tls";
import type { Addr } from "../../base/addr.ts";
import { Deadline } from "../../base/deadline.ts";
import type { SocketOp } from "../../base/error_codes.ts";
import { abortError, SocketError } from "../../base/errors.ts";
import { parseIP } from "../../base/ip.ts";
import { certificatesIn, type KeyPair, keyPairIn, pemOf } from "../../base/pem.ts";
import { describeDistrust, isDistrust, translateTls, whyOtherName } from "../../base/tls_errors.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";

/** How long a handshake may take unless told otherwise, in milliseconds. */
export const HANDSHAKE_TIMEOUT = 10_000;

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

/** The server's end of TLS over a stream. {@linkcode shakeHands} comes next. */
export function serverSocket(
  stream: Duplex,
  context: tls.SecureContext,
  options: TlsServerOptions,
): tls.TLSSocket {
  const { alpnProtocols } = options;
  return new tls.TLSSocket(stream as tls.TLSSocket, {
    isServer: true,
    secureContext: context,
    ALPNProtocols: alpnProtocols && [...alpnProtocols],
    ...clientCertificates(options),
  });
}

/** The name that the client of a server's socket asked for. */
export function askedFor(socket: tls.TLSSocket): string | undefined {
  // The type lacks it.
  return (socket as { servername?: string | false | null }).servername || undefined;
}

/** Whom a client wants to speak to. */
interface Peer {
  /** The name or IP address that the certificate must be for. */
  readonly name: string;
  /** The name that is sent to the peer; an address is verified, but it is no name to ask for (RFC 6066). */
  readonly asksFor: string | undefined;
}

/** Whom the client of a connection to `addr` wants to speak to. */
export function peerNamed({ servername }: TlsClientOptions, addr: Addr): Peer {
  const name = servername ?? (addr.transport === "tcp" ? addr.host : "localhost");
  return { name, asksFor: parseIP(name) === undefined ? name : undefined };
}

/**
 * The client's end of TLS over a stream that goes to `addr`. {@linkcode shakeHands} comes next. Throws
 * EINVAL if its certificates and keys are none.
 */
export function clientSocket(
  stream: Duplex,
  peer: Peer,
  addr: Addr,
  options: TlsClientOptions,
): tls.TLSSocket {
  const { cert, key, caCerts, alpnProtocols, insecure = false } = options;
  return tls.connect({
    socket: stream,
    host: peer.name,
    servername: peer.asksFor ?? "",
    secureContext: clientContext({ cert, key, caCerts }, addr),
    ALPNProtocols: alpnProtocols && [...alpnProtocols],
    rejectUnauthorized: !insecure,
    allowHalfOpen: true,
  } as tls.ConnectionOptions);
}

/** Resolves when both have shaken hands. Destroys the socket, but not the stream, if that fails. */
export function shakeHands(
  socket: tls.TLSSocket,
  stream: Duplex,
  op: "acceptTls" | "startTls",
  addr: Addr,
  { handshakeTimeout = HANDSHAKE_TIMEOUT, signal }: TlsClientOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: SocketError) => {
      deadline[Symbol.dispose]();
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
    const deadline = new Deadline({ signal, timeout: handshakeTimeout });
    const onAbort = () => settle(abortError(op, addr, deadline.signal));
    socket.once(op === "startTls" ? "secureConnect" : "secure", () => settle());
    socket.once("error", onError);
    socket.once("close", onClose);
    stream.once("end", onEnd);
    if (deadline.signal.aborted) onAbort();
    else deadline.signal.addEventListener("abort", onAbort);
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

/** The client is asked for a certificate if somebody is trusted; `refusal` looks at it. */
export function clientCertificates({ caCerts }: TlsServerOptions): tls.CommonConnectionOptions {
  return caCerts === undefined ? {} : { requestCert: true, rejectUnauthorized: false };
}

type ClientContext = Pick<TlsClientOptions, "cert" | "key" | "caCerts">;

let last: { readonly options: ClientContext; readonly context: tls.SecureContext } | undefined;

/** The last one is kept: parsing all roots takes longer than a handshake, and most want the same. */
export function clientContext(options: ClientContext, addr: Addr): tls.SecureContext {
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
