/**
 * Certificates for tests and for machines without a name: signed by their own key (RFC 5280).
 *
 * @module
 */

import { checkArgument, type Kind, TEXTS } from "../../base/arguments.ts";
import type { SelfSigned } from "./self_signed_certificate.ts";

const HOSTS: Kind = {
  ...TEXTS,
  takes: 'an array of one host or more, such as ["localhost"]',
  fits: (hosts) => (hosts as string[]).length > 0,
};

/**
 * Makes a key (ECDSA, P-256) and a certificate for it, valid for a year, that is signed by that very
 * key. `hosts` are the names and IP addresses it is for, one at least. Servers can show it, and clients,
 * too. Peers do not trust it unless they are given it, as one of {@linkcode TlsClientOptions.caCerts}
 * or {@linkcode TlsServerOptions.caCerts}.
 *
 * Throws a `TypeError` if `hosts` is empty.
 *
 * @example
 * ```ts
 * import { selfSigned } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * const { cert, fingerprint } = await selfSigned(["localhost", "127.0.0.1"]);
 * assert.match(cert, /^-----BEGIN CERTIFICATE-----/);
 * assert.equal(fingerprint.length, 95);
 * ```
 */
export async function selfSigned(hosts: readonly string[]): Promise<SelfSigned> {
  checkArgument("selfSigned", hosts, HOSTS);
  const { signedByItself } = await import("./self_signed_certificate.ts");
  return await signedByItself(hosts);
}
