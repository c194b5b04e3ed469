/**
 * Handshakes over streams, on either side, through `node:tls`, which both runtimes have; and what
 * certificates and keys mean to it.
 *
 * @module
 */

import process from "node:process";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type tls from "node:tls";
import type { Addr } from "../../base/addr.ts";
import { nodeTls } from "../../base/builtins.deno.ts";
import { Deadline } from "../../base/wait.ts";
import type { SocketOp } from "../../base/error_codes.ts";
import { abortError, SocketError } from "../../base/errors.ts";
import { parseIP } from "../../base/ip.ts";
import { describeDistrust, isDistrust, translateTls, whyOtherName } from "../../base/tls_errors.ts";
import {
  CertificateStore,
  contextFor,
  isIssued,
  issuersOf,
  pairOf,
  shownBy,
  usable,
} from "./certificate_store.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";

/** The time that a handshake may take by default, in milliseconds. */
export const HANDSHAKE_TIMEOUT = 10_000;

const isDeno = "deno" in process.versions;

/**
 * Deno resumes each session that began in this process, whatever listener and whichever issuers it began
 * with, and does not verify its certificate again.
 */
const resumesAny = isDeno;

/**
 * For a client that trusts more than the roots, Deno parses all of them at each handshake: it looks for
 * the issuers of the server's certificate, for the check of its name, which does not need them.
 */
const looksForIssuers = isDeno;

/**
 * Why the client of a server's socket is not let in, if it is not: left to the runtimes, Node says
 * ECONNRESET, and Deno lets it in.
 */
export function refusal(
  socket: tls.TLSSocket,
  store: CertificateStore,
  addr: Addr,
): SocketError | undefined {
  if (!shownBy(store).asksClients) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return untrusted("acceptTls", addr, "", "the client has shown none");
  }
  if (resumesAny && socket.isSessionReused() && !isIssued(store, certificate)) {
    return untrusted("acceptTls", addr, "", "its session is from before its issuer was taken away");
  }
  // A tls.Server sets `authorized` from it. A socket without a server, as on Deno, has nothing else.
  const { ssl } = socket as unknown as { ssl: { verifyError(): unknown } };
  const error = ssl.verifyError();
  if (!error) return undefined;
  const code = (error as { code?: string }).code ?? String(error);
  return untrusted("acceptTls", addr, code, code, error);
}

/** The server's end of TLS over a stream. {@linkcode shakeHands} comes next. */
export function serverSocket(
  stream: Duplex,
  store: CertificateStore,
  options: TlsServerOptions,
): tls.TLSSocket {
  const { alpnProtocols } = options;
  const { TLSSocket } = nodeTls();
  return new TLSSocket(stream as tls.TLSSocket, {
    isServer: true,
    secureContext: shownBy(store).fallback.context,
    ...choosing(store),
    ALPNProtocols: alpnProtocols && [...alpnProtocols],
    ...clientCertificates(store),
  });
}

/** The name that the client of a server's socket asked for. */
export function askedFor(socket: tls.TLSSocket): string | undefined {
  // The type lacks it.
  return (socket as { servername?: string | false | null }).servername || undefined;
}

/** The peer that a client wants to reach. */
interface Peer {
  /** The name or IP address that the certificate must be for. */
  readonly name: string;
  /** The name that is sent to the peer; an address is verified, but it is not a name to ask for (RFC 6066). */
  readonly asksFor: string | undefined;
}

/** Returns the peer that a client of a connection to `addr` wants to reach. */
export function peerNamed({ servername }: TlsClientOptions, addr: Addr): Peer {
  const name = servername ?? (addr.transport === "tcp" ? addr.host : "localhost");
  return { name, asksFor: parseIP(name) === undefined ? name : undefined };
}

/**
 * The client's end of TLS over a stream that goes to `addr`. {@linkcode shakeHands} comes next. Throws
 * EINVAL if its certificates and keys are not valid.
 */
export function clientSocket(
  stream: Duplex,
  peer: Peer,
  addr: Addr,
  options: TlsClientOptions,
): tls.TLSSocket {
  const { cert, key, caCerts, alpnProtocols, insecure = false } = options;
  const socket = nodeTls().connect({
    socket: stream,
    host: peer.name,
    servername: peer.asksFor ?? "",
    secureContext: clientContext({ cert, key, caCerts }, addr),
    ALPNProtocols: alpnProtocols && [...alpnProtocols],
    rejectUnauthorized: !insecure,
    allowHalfOpen: true,
  } as tls.ConnectionOptions);
  if (looksForIssuers) {
    const { getPeerCertificate } = socket;
    Object.assign(socket, { getPeerCertificate: () => getPeerCertificate.call(socket, false) });
  }
  return socket;
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
      // Errors after it was given up are of no interest.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error) => settle(handshakeError(socket, error, op, addr));
    const onClose = () => settle(gone(op, addr));
    // TLS handles the last bytes first.
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
  // Node says so, and Deno by the code alone.
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

/**
 * The store of a listener at `addr`, which is made of `cert` and `key` if the options have none. Throws
 * EINVAL if these are not valid.
 */
export function storeOf(options: TlsServerOptions, addr: Addr | undefined): CertificateStore {
  const { certificates, cert, key, caCerts } = options;
  if (certificates !== undefined) return certificates;
  // Checked here, where the error can name the listener.
  const pair = usable("listen", addr, () => {
    if (caCerts !== undefined) issuersOf(caCerts);
    return pairOf({ cert: cert!, key: key! }, "");
  });
  return new CertificateStore({ keyPairs: [pair], ...caCerts && { caCerts } });
}

/**
 * Returns the options with which `node:tls` chooses a certificate by name. They are empty with one
 * certificate: with an SNICallback, Deno reads certificate and key once more for each client.
 */
export function choosing(store: CertificateStore): Pick<tls.TlsOptions, "SNICallback"> {
  if (!shownBy(store).several) return {};
  return { SNICallback: (name, done) => done(null, contextFor(store, name)) };
}

/** The client is asked for a certificate if somebody is trusted; `refusal` looks at it. */
export function clientCertificates(store: CertificateStore): tls.CommonConnectionOptions {
  return shownBy(store).asksClients ? { requestCert: true, rejectUnauthorized: false } : {};
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
    const ca = caCerts && [...nodeTls().rootCertificates, ...issuersOf(caCerts)];
    const isSomebody = cert !== undefined || key !== undefined;
    const own = isSomebody && pairOf({ cert: cert!, key: key! }, "");
    return nodeTls().createSecureContext({ ...own, ca });
  });
  last = { options: { cert, key, caCerts: caCerts && [...caCerts] }, context };
  return context;
}
