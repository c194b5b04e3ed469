/**
 * Certificates and private keys in PEM (RFC 7468), as people have them: with other things around
 * them, in one text or in two, with any line ends. Both runtimes get them in one form. The
 * error for anything else says what it is.
 *
 * @module
 */

import type { KeyObject, X509Certificate } from "node:crypto";
import { nodeCrypto } from "./builtins.deno.ts";

/** A text is not what it should be. The message names it and says why, as the middle of a sentence. */
export class PemError extends Error {
  override readonly name = "PemError";
}

/** A text in PEM. */
export interface Pem {
  /** Its name in messages: `tls.cert`, or the name of a file in quotes. */
  readonly name: string;
  readonly text: string;
}

/** The labels of certificates. */
const CERTIFICATE = /^(X509 |TRUSTED )?CERTIFICATE$/;

/** The labels of private keys that OpenSSL reads. */
const PRIVATE_KEY = /^(RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY$/;

/** As text in UTF-16 begins, which was read as another: half of its bytes are 0. */
const UTF16 = /^(?:\ufffd\ufffd|\xff\xfe|\xfe\xff)?(?:(?:[^\0]\0){4}|(?:\0[^\0]){4})/;

/**
 * As what is not text begins, which was read as text, and how openssl converts it: a sequence, whose
 * length stands in the next bytes, and what is first in it. In DER the length is of several bytes, or
 * a version or an algorithm comes first.
 */
const BINARY: readonly (readonly [start: RegExp, form: string, convert?: string])[] = [
  [/^0[^]{1,5}?\cB\cA\cC/, "PKCS #12", "pkcs12 -in FILE -nodes"],
  [
    /^0[^]{1,5}?\cF\cI\*[^]{2,5}\cM\cA\cG/,
    "PKCS #7 in DER",
    "pkcs7 -inform der -print_certs -in FILE",
  ],
  [/^0(?:[\x80-\x84\ufffd]|[\0-\x7f](?:\cB\cA[\0-\cD]|0[\0-\cZ]\cF))/, "DER"],
];

interface Block {
  readonly label: string;
  readonly text: string;
}

function blocksIn({ text }: Pem): Block[] {
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g);
  return Array.from(blocks, ([text, label]) => ({ label, text }));
}

/**
 * The certificates in a text, in their order, one at least; `beside` is the text of their key, if there
 * is one. Throws a {@linkcode PemError}.
 */
export function certificatesIn(pem: Pem, beside?: Pem): X509Certificate[] {
  const blocks = blocksIn(pem);
  const certificates = blocks.filter(({ label }) => CERTIFICATE.test(label));
  if (certificates.length === 0) throw new PemError(whyNoCertificate(pem, blocks, beside));
  return certificates.map(({ text }, i) => {
    try {
      return checkDates(new (nodeCrypto().X509Certificate)(text));
    } catch (error) {
      const which = certificates.length === 1 ? "the certificate" : `certificate ${i + 1}`;
      throw damaged(`${which} in ${pem.name}`, error);
    }
  });
}

/** Throws if one of the dates is not valid, as Deno's constructor does. */
function checkDates(certificate: X509Certificate): X509Certificate {
  const { validFrom, validTo } = certificate;
  if (Number.isNaN(Date.parse(validFrom) + Date.parse(validTo))) throw new Error("invalid date");
  return certificate;
}

/** Whether a text has a private key in it, of whatever form. */
export function hasPrivateKey({ text }: Pem): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
}

/**
 * The first private key in a text, with `beside` as the text of its certificate, if there is one;
 * `decrypt` says how to have one decrypted where it is encrypted and there is no passphrase. Throws a {@linkcode PemError}.
 */
export function privateKeyIn(
  pem: Pem,
  { passphrase, decrypt = "decrypt it with 'openssl pkey -in FILE'", beside }: {
    readonly passphrase?: string;
    readonly decrypt?: string;
    readonly beside?: Pem;
  } = {},
): KeyObject {
  const blocks = blocksIn(pem);
  const block = blocks.find(({ label }) => PRIVATE_KEY.test(label));
  if (block === undefined) throw new PemError(whyNoKey(pem, blocks, beside));
  const { text, label } = block;
  const key = `the private key in ${pem.name}`;
  const isEncrypted = label.startsWith("ENCRYPTED") || /^Proc-Type: *4, *ENCRYPTED/m.test(text);
  if (isEncrypted && passphrase === undefined) {
    throw new PemError(`${key} is encrypted: ${decrypt}`);
  }
  try {
    return nodeCrypto().createPrivateKey({ key: text, ...isEncrypted && { passphrase } });
  } catch (error) {
    if (!isEncrypted) throw damaged(key, error);
    // OpenSSL says the same of an unknown cipher and, now and then, of what a wrong passphrase brings out.
    const why = /unsupported/i.test((error as Error).message)
      ? "it is encrypted in a way that this runtime does not know: encrypt it again with " +
        "'openssl pkcs8 -topk8 -v2 aes256'"
      : "it is damaged";
    const wrong = `${key} cannot be decrypted: the passphrase is not its own, or ${why}`;
    throw new PemError(wrong, { cause: error });
  }
}

/** A certificate with those of its issuers, and its key. */
export interface KeyPair {
  /** The certificate, and after it those of its issuers, in PEM. */
  readonly cert: string;
  /** Its private key, in PEM, not encrypted. */
  readonly key: string;
}

/**
 * Takes the key pair out of the texts that hold its parts, which may be one and the same. Throws a
 * {@linkcode PemError} if a part is missing or does not fit the other.
 */
export function keyPairIn(
  cert: Pem,
  key: Pem,
  options: { readonly passphrase?: string; readonly decrypt?: string } = {},
): KeyPair {
  const chain = certificatesIn(cert, key);
  const own = privateKeyIn(key, { ...options, beside: cert });
  const whose = chain.findIndex((certificate) => certificate.checkPrivateKey(own));
  if (whose > 0) {
    throw new PemError(
      `the private key in ${key.name} is that of certificate ${whose + 1} in ${cert.name}: ` +
        "put that one first, and those of its issuers after it",
    );
  }
  if (whose < 0) {
    throw new PemError(
      `the private key in ${key.name} is not that of the certificate in ${cert.name}`,
    );
  }
  return { cert: pemOf(chain), key: own.export({ type: "pkcs8", format: "pem" }) as string };
}

/** Certificates in the one form that all runtimes take. */
export function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map(String).join("");
}

function whyNoCertificate(pem: Pem, blocks: readonly Block[], beside?: Pem): string {
  const { name } = pem;
  if (hasPrivateKey(pem)) {
    const next = beside !== undefined && beside.name !== pem.name
      ? "are the two swapped?"
      : "put the certificate there";
    return `there is a private key in ${name}, and no certificate: ${next}`;
  }
  if (blocks.some(({ label }) => label.endsWith("CERTIFICATE REQUEST"))) {
    return `there is a request for a certificate in ${name}, and no certificate: take what the ` +
      "issuer has made of it";
  }
  return whyNone(pem, blocks, "certificate", "x509");
}

function whyNoKey(pem: Pem, blocks: readonly Block[], beside?: Pem): string {
  const { name } = pem;
  const has = (label: RegExp) => blocks.some((block) => label.test(block.label));
  if (has(/^OPENSSH PRIVATE KEY$/)) {
    return `the private key in ${name} is in OpenSSH's form: convert it with ` +
      "'ssh-keygen -p -m PKCS8 -f FILE'";
  }
  if (has(/PUBLIC KEY$/)) return `the key in ${name} is the public one: take the private one`;
  if (has(CERTIFICATE)) {
    const next = beside !== undefined && beside.name !== pem.name
      ? "are the two swapped?"
      : "put the key there, too";
    return `there is a certificate in ${name}, and no private key: ${next}`;
  }
  return whyNone(pem, blocks, "private key", "pkey");
}

/** Why there is no `what` in a text; `tool` of openssl reads one in DER. */
function whyNone({ name, text }: Pem, blocks: readonly Block[], what: string, tool: string) {
  if (text.trim() === "") return `${name} is empty`;
  if (UTF16.test(text)) return `${name} is text in UTF-16: save it as ASCII or UTF-8`;
  const binary = BINARY.find(([start]) => start.test(text));
  if (binary !== undefined) {
    const [, form, convert = `${tool} -inform der -in FILE`] = binary;
    return `${name} is binary (${form}), and PEM is text: convert it with 'openssl ${convert}'`;
  }
  if (blocks.length === 0 && text.includes("-----BEGIN ")) {
    return `there is no ${what} (PEM) in ${name}: it is cut short`;
  }
  const others = [...new Set(blocks.map(({ label }) => label))];
  return `there is no ${what} (PEM) in ${name}` +
    (others.length === 0 ? "" : `, only: ${others.join(", ")}`);
}

function damaged(what: string, cause: unknown): PemError {
  return new PemError(`${what} is damaged: ${(cause as Error).message}`, { cause });
}
