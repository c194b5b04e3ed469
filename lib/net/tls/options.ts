/**
 * The types of TLS: the options of either side, certificates, and what a handshake has agreed
 * on. Types only; {@linkcode Transport} has the operations.
 *
 * @module
 */

import type { Admission } from "../admission.ts";
import type { SocketError } from "../../base/errors.ts";
import type { CertificateStore } from "./certificate_store.ts";

/** The server's side of TLS. */
export interface TlsServerOptions {
  /**
   * The certificate, and after it those of its issuers, in PEM; with `key`. Other parts of the
   * text are ignored. It is needed unless there are `certificates`.
   */
  readonly cert?: string;
  /**
   * The private key of the certificate, in PEM, not encrypted. It may be the same text as that of
   * `cert`, with both in it.
   */
  readonly key?: string;
  /**
   * Several certificates. Each client gets the one for the name that it asks for, or those that
   * are replaced while the listener is open. It takes the place of `cert`, `key` and `caCerts`.
   */
  readonly certificates?: CertificateStore;
  /**
   * Certificates in PEM of who may issue those of clients: with it, a client that shows none of theirs
   * is refused, and {@linkcode TlsInfo.peerCertificate} is what it showed. Default: clients need none.
   */
  readonly caCerts?: readonly string[];
  /**
   * The protocols spoken here, best first (ALPN, RFC 7301): the first one that the client speaks too
   * is {@linkcode TlsInfo.alpnProtocol}. A client that speaks others only is refused; one without
   * ALPN is not. Default: no ALPN.
   */
  readonly alpnProtocols?: readonly string[];
  /** The time that a client gets for its handshake, in milliseconds; then it is closed. Default: 10,000. */
  readonly handshakeTimeout?: number;
  /**
   * Decides who may shake hands. Others are reset before. {@linkcode serve} asks its own
   * `admission` for the connection that comes of it: give the same to both. Default: everyone.
   */
  readonly admission?: Admission;
  /**
   * Called with the error of a handshake that failed. The connection is closed and never accepted.
   */
  readonly onHandshakeError?: (error: SocketError) => void;
}

/** Options of {@linkcode Transport.startTls}: the client's side of TLS. */
export interface TlsClientOptions {
  /**
   * The name or IP address that the peer's certificate must be for. A name is also sent to the peer,
   * which may have several (SNI). Default: the IP address that the connection goes to, or
   * `"localhost"` on a Unix socket.
   */
  readonly servername?: string;
  /** Certificates in PEM that are trusted in addition to those that the runtime trusts. */
  readonly caCerts?: readonly string[];
  /** The protocols spoken here, best first (ALPN, RFC 7301). Default: no ALPN. */
  readonly alpnProtocols?: readonly string[];
  /** A certificate to show if the peer asks for one, and those of its issuers, in PEM; with `key`. */
  readonly cert?: string;
  /** The private key of `cert`, in PEM, not encrypted; it may be the same text, with both in it. */
  readonly key?: string;
  /** Takes any certificate, from anybody: for tests only. Default: false. */
  readonly insecure?: boolean;
  /**
   * Whether the connection is to tell how it ends ({@linkcode TlsConn.truncated}). It always does on
   * Deno; on Node that takes some 40 to 85 % more processor time. Default: false.
   */
  readonly detectTruncation?: boolean;
  /** The time for the handshake, in milliseconds; 0 for no limit. Default: 10,000. */
  readonly handshakeTimeout?: number;
  /** Gives up when aborted, as that of {@linkcode TcpConnectOptions}. */
  readonly signal?: AbortSignal;
}

/** A certificate, in the form of node:crypto's `X509Certificate`. */
export interface Certificate {
  /** The subject: `CN=example.com`, further parts on lines of their own. */
  readonly subject: string;
  /** The names and addresses it is for: `DNS:example.com, IP Address:192.0.2.1`. */
  readonly subjectAltName: string | undefined;
  /** The issuer, in the same form. */
  readonly issuer: string;
  /** The time from which it is valid: `Nov 21 00:00:00 2026 GMT`. */
  readonly validFrom: string;
  /** Until when it is valid. */
  readonly validTo: string;
  /** Its SHA-256 in hex: `AA:BB:…`. */
  readonly fingerprint256: string;
  /** The whole of it, in DER. */
  readonly raw: Uint8Array;
}

/** The result of a handshake. */
export interface TlsInfo {
  /** The version: `"TLSv1.3"` or `"TLSv1.2"`. */
  readonly protocol: string | undefined;
  /** The protocol that both sides chose (ALPN), if they did. */
  readonly alpnProtocol: string | undefined;
  /** The name that the client asked for (SNI); undefined if it asked for none. */
  readonly servername: string | undefined;
  /** The certificate of the peer; undefined if it showed none, as most clients. */
  readonly peerCertificate: Certificate | undefined;
}
