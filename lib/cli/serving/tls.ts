/**
 * The server's side of TLS: a certificate from files, or one of our own making, and who must show one,
 * too.
 *
 * @module
 */

import type { AccessList } from "../../serve/access.ts";
import { selfSigned } from "../../net/tls/self_signed.ts";
import type { KeyPair } from "../../base/pem.ts";
import type { TlsServerOptions } from "../../net/tls/options.ts";
import type { Log } from "../io/log.ts";
import { readCertificates, readKeyPair } from "../io/pem.ts";
import { isAnyHost } from "../options/host.ts";
import type { TlsServerChoice } from "../options/tls_server.ts";
import { ownAddresses } from "./addresses.ts";
import { tellFailure } from "./tell.ts";

/** What a server shows. */
interface Shown extends KeyPair {
  /** The SHA-256 of a certificate of our own making, for people to compare. */
  readonly fingerprint?: string;
}

/**
 * What a listener takes, with a certificate for `host`; the fingerprint of one of our own making is
 * told. Rejects with a UsageError.
 */
export async function tlsServerOptions(
  { keyPair, clientCa }: TlsServerChoice,
  host: string,
  log: Log,
): Promise<TlsServerOptions> {
  const { cert, key, fingerprint }: Shown = keyPair === "self-signed"
    ? await selfSigned(hostsOf(host))
    : readKeyPair(keyPair);
  const caCerts = clientCa && [readCertificates(clientCa)];
  if (fingerprint !== undefined) log.note(`SHA-256 of the certificate: ${fingerprint}`);
  return { cert, key, caCerts };
}

/** Keeps out who may not connect, before the handshake, and has `log` tell which handshakes fail. */
export function handshakeCallbacks(
  access: AccessList | undefined,
  log: Log,
): Pick<TlsServerOptions, "admission" | "onHandshakeError"> {
  return { admission: access, onHandshakeError: (error) => tellFailure(error, log) };
}

/** The names that a server is asked for by. Where its addresses are hidden, these are not among them. */
function hostsOf(host: string): string[] {
  const loopback = ["localhost", "127.0.0.1", "::1"];
  const own = ownAddresses()?.map(({ address }) => address) ?? [];
  return [...new Set([...loopback, ...isAnyHost(host) ? own : [host]])];
}
