/**
 * The certificates of a server: which one a client gets, and how they are replaced while it serves.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import type tls from "node:tls";
import type { Addr } from "../../base/addr.ts";
import { checkOptions, type Kind, required, TEXTS } from "../../base/arguments.ts";
import { nodeCrypto, nodeTls } from "../../base/builtins.deno.ts";
import type { SocketOp } from "../../base/error_codes.ts";
import { SocketError } from "../../base/errors.ts";
import { certificatesIn, type KeyPair, keyPairIn, pemOf } from "../../base/pem.ts";

/** The certificate and key of a server, and the authorities that it trusts. */
export interface CertificateSet {
  /**
   * Certificates, each with those of its issuers, and their private keys, in PEM; one pair at least. A
   * client gets the first one for the name that it asks for (SNI), and the first of all if there is no
   * such, or if it asks for none.
   */
  readonly keyPairs: readonly KeyPair[];
  /**
   * Certificates in PEM of who may issue those of clients; see {@linkcode TlsServerOptions.caCerts}.
   * Default: clients need none.
   */
  readonly caCerts?: readonly string[];
}

const KEY_PAIRS: Kind = {
  takes: "an array of one key pair or more, such as [{ cert, key }]",
  is: (value) => Array.isArray(value) && value.every(isPair),
  fits: (value) => (value as unknown[]).length > 0,
  instead: (value) => isPair(value) ? "[{ cert, key }]" : undefined,
};

function isPair(value: unknown): boolean {
  const { cert, key } = Object(value);
  return typeof cert === "string" && typeof key === "string";
}

/** Certificate, key and trusted authorities, in the form that `node:tls` takes on all runtimes. */
export type Identity = Pick<tls.SecureContextOptions, "cert" | "key" | "ca">;

/** The present content of a store. */
export interface Shown {
  /** The certificate for clients that ask for no name, or for a name without a certificate. */
  readonly fallback: { readonly identity: Identity; readonly context: tls.SecureContext };
  /** The certificates by name, in lower case; `*` stands for one label. */
  readonly byName: ReadonlyMap<string, tls.SecureContext>;
  /** Whether there are several, so that the name matters. */
  readonly several: boolean;
  /** Whether clients are asked for a certificate. */
  readonly asksClients: boolean;
  /** The authorities that may issue it. */
  readonly issuers: readonly X509Certificate[];
  /** All that were made, by the text of their certificate. */
  readonly made: ReadonlyMap<string, Made>;
}

/** A key pair, parsed and ready for use. */
interface Made {
  /** The text of its key. */
  readonly key: string;
  /** The texts of the issuers. */
  readonly ca: string;
  readonly identity: Identity;
  readonly context: tls.SecureContext;
  readonly names: readonly string[];
}

const SHOWN = new WeakMap<CertificateStore, Shown>();

/**
 * Holds the certificates of a listener, and chooses the one for each client by the name that it asks for
 * (SNI). They can be replaced while it listens. Give it to `listen()` as `tls: { certificates }`; several
 * listeners may share it.
 *
 * The names of a certificate are those in its subjectAltName. `*.example.com` is for each name that has
 * one label before `example.com`; a certificate for the name itself comes first.
 *
 * The constructor and {@linkcode CertificateStore.replace} throw a `TypeError` for what is not a
 * {@linkcode CertificateSet}, and `EINVAL` if a certificate or a key is not valid, or if the two do
 * not belong together.
 *
 * @example
 * ```ts
 * import { CertificateStore, selfSigned, systemTransport } from "@plainsocket/plainsocket";
 *
 * const certificates = new CertificateStore({
 *   keyPairs: [await selfSigned(["example.com"]), await selfSigned(["example.org"])],
 * });
 * using listener = await systemTransport.listen({ host: "localhost", tls: { certificates } });
 *
 * certificates.replace({ keyPairs: [await selfSigned(["example.com"])] });
 * ```
 */
export class CertificateStore {
  /** Makes a store; see the class. */
  constructor(set: CertificateSet) {
    const kinds = { keyPairs: required(KEY_PAIRS), caCerts: TEXTS };
    checkOptions("new CertificateStore", set, kinds, "{ keyPairs: [{ cert, key }] }");
    SHOWN.set(this, usable("listen", undefined, () => shownOf(set)));
  }

  /**
   * Handshakes that begin from now on get these certificates; connections that are open go on. When it
   * throws, the store stays as it was. `caCerts` must be there if the store had some from the start, and
   * must not if it had none: whether clients are asked for a certificate does not change.
   */
  replace(set: CertificateSet): void {
    const before = shownBy(this);
    const { asksClients } = before;
    const kinds = { keyPairs: required(KEY_PAIRS), ...asksClients && { caCerts: required(TEXTS) } };
    checkOptions("replace", set, kinds, "{ keyPairs: [{ cert, key }] }");
    SHOWN.set(this, usable("listen", undefined, () => shownOf(set, before.made)));
  }
}

/** The present content of a store. */
export function shownBy(store: CertificateStore): Shown {
  return SHOWN.get(store)!;
}

/** The certificate for a client that asks for a name; Deno asks here without one, too. */
export function contextFor(store: CertificateStore, servername: string): tls.SecureContext {
  const { byName, fallback } = shownBy(store);
  const name = servername.toLowerCase();
  return byName.get(name) ?? byName.get(name.replace(/^[^.]*/, "*")) ?? fallback.context;
}

/** The most certificates of a chain that are looked at. */
const MAX_CHAIN = 10;

/** Whether a chain of certificates leads to an issuer that the store has now. */
export function isIssued(store: CertificateStore, certificate: X509Certificate): boolean {
  const { issuers } = shownBy(store);
  let at = certificate;
  for (let i = 0; i < MAX_CHAIN; i++) {
    if (issuers.some((issuer) => isSame(at, issuer) || hasSigned(issuer, at))) return true;
    const next = at.issuerCertificate;
    if (next === undefined || !next.ca || !hasSigned(next, at)) return false;
    at = next;
  }
  return false;
}

function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return a.fingerprint256 === b.fingerprint256;
}

function hasSigned(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Takes what was `made` before of those that have stayed: to make it takes milliseconds for each. */
function shownOf({ keyPairs, caCerts }: CertificateSet, made?: Shown["made"]): Shown {
  const ca = caCerts && issuersOf(caCerts);
  const issuers = ca?.flatMap((text) => certificatesIn({ name: "caCerts", text })) ?? [];
  const byName = new Map<string, tls.SecureContext>();
  const all = keyPairs.map((pair, i) => {
    const one = stayed(made?.get(pair.cert), pair, ca) ?? makeOf(pair, `keyPairs[${i}].`, ca);
    for (const name of one.names) if (!byName.has(name)) byName.set(name, one.context);
    return one;
  });
  return {
    fallback: all[0],
    byName,
    several: all.length > 1,
    asksClients: ca !== undefined,
    issuers,
    made: new Map(all.map((one, i) => [keyPairs[i].cert, one])),
  };
}

function stayed(made: Made | undefined, { key }: KeyPair, ca: string[] = []): Made | undefined {
  return made?.key === key && made.ca === ca.join("") ? made : undefined;
}

function makeOf(pair: KeyPair, where: string, ca: string[] | undefined): Made {
  const identity = { ...pairOf(pair, where), ca };
  return {
    key: pair.key,
    ca: ca?.join("") ?? "",
    identity,
    context: nodeTls().createSecureContext(identity),
    names: namesOf(identity.cert),
  };
}

/** The names in the subjectAltName of the first certificate, in lower case. */
function namesOf(cert: string): string[] {
  const { subjectAltName = "" } = new (nodeCrypto().X509Certificate)(cert);
  return Array.from(
    subjectAltName.matchAll(/(?:^|, )DNS:([^\s,"]+)/g),
    ([, name]) => name.toLowerCase(),
  );
}

/** A key pair in the form that all runtimes take; `where` is what messages put before its parts. */
export function pairOf({ cert, key }: KeyPair, where: string): KeyPair {
  return keyPairIn({ name: `${where}cert`, text: cert }, { name: `${where}key`, text: key });
}

/** Issuers in the form that all runtimes take, which take anything for one. */
export function issuersOf(caCerts: readonly string[]): string[] {
  return caCerts.map((text, i) => pemOf(certificatesIn({ name: `caCerts[${i}]`, text })));
}

/** Certificates and keys as `node:tls` has them. Throws EINVAL if they are not valid. */
export function usable<T>(op: SocketOp, addr: Addr | undefined, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const why = `a certificate or its key cannot be used: ${(cause as Error).message}`;
    throw new SocketError("EINVAL", op, { addr, cause, why });
  }
}
