/**
 * What certificates and keys mean to `node:tls`, on either side.
 *
 * @module
 */

import tls from "node:tls";
import type { SocketOp } from "../../base/error_codes.ts";
import { SocketError } from "../../base/errors.ts";
import type { Addr } from "../../base/addr.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";
import { certificatesIn, type KeyPair, keyPairIn, pemOf } from "../../base/pem.ts";

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
