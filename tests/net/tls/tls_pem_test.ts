// Certificates and keys in PEM, in whatever form people have them: what is taken, and what is said of
// what is not.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import {
  certificatesIn,
  keyPairIn,
  type Pem,
  PemError,
  privateKeyIn,
} from "../../../lib/base/pem.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import type { TlsClientOptions, TlsServerOptions } from "../../../lib/net/tls/options.ts";
import { bytes, mistakes, OWN_HOST, readText, rejects } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";

const own = await selfSigned([OWN_HOST]);
const issuer = await selfSigned(["issuer"]);

/** The key in other forms. */
const secret = createPrivateKey(own.key);
const sec1 = secret.export({ type: "sec1", format: "pem" }) as string;
const encrypt = (type: "pkcs8" | "sec1", passphrase: string) =>
  secret.export({ type, format: "pem", cipher: "aes-256-cbc", passphrase }) as string;

const NOISE = "Bag Attributes\n    friendlyName: mine\nsubject=CN = mine\n";
const PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
const PUBLIC = "-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n";
const REQUEST = PUBLIC.replaceAll("PUBLIC KEY", "CERTIFICATE REQUEST");
const OPENSSH = PUBLIC.replaceAll("PUBLIC KEY", "OPENSSH PRIVATE KEY");
/** As it looks that was read as text. */
const DER = "0\ufffd\u0001\n0\ufffd\u0001\ufffd\ufffd\u0003\u0002\u0001\u0002";
const binary = (data: Uint8Array) => Buffer.from(data).toString("utf8");
/** The same as OpenSSL makes it, whose length may be of one byte. */
const DER_KEYS = [
  secret.export({ type: "sec1", format: "der" }),
  secret.export({ type: "pkcs8", format: "der" }),
  secret.export({ type: "pkcs8", format: "der", cipher: "aes-256-cbc", passphrase: "x" }),
  generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" }),
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
    .export({ type: "pkcs1", format: "der" }),
];
/** How files of others begin: `openssl pkcs12 -export`, and `openssl crl2pkcs7 -outform der`. */
const PKCS12 = Buffer.from("308203f30201033082", "hex");
const PKCS7 = Buffer.from("308201b906092a864886f70d010702", "hex");

/** A text in UTF-16 as it looks that was read as UTF-8, and what is said of it. */
function utf16(text: string): (readonly [text: string, why: RegExp])[] {
  const little = Buffer.from(text, "utf16le");
  const big = Buffer.from(little).swap16();
  const marked = [Buffer.of(0xff, 0xfe), little];
  return [little, big, Buffer.concat(marked), Buffer.concat([Buffer.of(0xfe, 0xff), big])].map(
    (data) => [binary(data), /NAME is text in UTF-16: save it as ASCII or UTF-8$/],
  );
}

const DAMAGED = own.cert.replace(/\n[A-Za-z0-9+/]{40}/, "\nAAAA");

const both = own.cert + own.key;

for (
  const [what, cert, key] of [
    ["a certificate and its key", own.cert, own.key],
    ["the two in one text, the certificate first", both, both],
    [
      "the two in one text, the key first, as HAProxy has it",
      own.key + own.cert,
      own.key + own.cert,
    ],
    ["a mark of the byte order before them", `\ufeff${own.cert}`, `\ufeff${own.key}`],
    [
      "lines that end with CRLF",
      own.cert.replaceAll("\n", "\r\n"),
      own.key.replaceAll("\n", "\r\n"),
    ],
    ["other text around them", NOISE + own.cert + NOISE, NOISE + own.key],
    ["parameters before the key", own.cert, PARAMETERS + sec1],
    ["a chain", own.cert + issuer.cert, own.key],
    ["no newline at the end", own.cert.trimEnd(), own.key.trimEnd()],
    ["an old label", own.cert.replaceAll(" CERTIFICATE-", " X509 CERTIFICATE-"), own.key],
  ] as const
) {
  test(`PEM: on either side TLS takes ${what}`, async () => {
    const shown = { cert, key };
    using listener = await systemTransport.listen({
      host: OWN_HOST,
      tls: { ...shown, caCerts: [cert] },
    });
    const plain = await systemTransport.connect(listener.addr);
    const tls = systemTransport.startTls(plain, { ...shown, caCerts: [cert] });
    using server = await listener.accept();
    using client = await tls;
    await client.write(bytes("hello"));
    assert.equal(await readText(server, 5), "hello");
    const fingerprints = [server, client].map(({ tls }) => tls.peerCertificate?.fingerprint256);
    assert.deepEqual(fingerprints, [own.fingerprint, own.fingerprint]);
  });
}

/** The certificate, valid until the 99th of a 13th month. */
const UNDATED = (() => {
  const base64 = own.cert.replace(/-----[A-Z ]+-----|\s/g, "");
  const der = Buffer.from(base64, "base64").toString("latin1");
  const [, last] = der.match(/\d{12}Z/g)!;
  const odd = Buffer.from(der.replace(last, "271399999999Z"), "latin1").toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${odd}\n-----END CERTIFICATE-----\n`;
})();

const WRONG_CERTIFICATES: readonly (readonly [text: string, why: RegExp])[] = [
  ["", /NAME is empty/],
  [" \n\n", /NAME is empty/],
  ["\ufeff", /NAME is empty/],
  ["hello", /there is no certificate \(PEM\) in NAME$/],
  [
    own.key,
    /there is a private key in NAME, and no certificate: (are the two swapped\?|put the cert)/,
  ],
  [encrypt("pkcs8", "x"), /there is a private key in NAME, and no certificate/],
  [REQUEST, /there is a request for a certificate in NAME, and no certificate/],
  [PUBLIC, /there is no certificate \(PEM\) in NAME, only: PUBLIC KEY$/],
  [own.cert.slice(0, 200), /there is no certificate \(PEM\) in NAME: it is cut short/],
  [DER, /NAME is binary \(DER\), and PEM is text: .*'openssl x509 -inform der -in FILE'/],
  [binary(PKCS12), /NAME is binary \(PKCS #12\), .*'openssl pkcs12 -in FILE -nodes'/],
  [binary(PKCS7), /NAME is binary \(PKCS #7 in DER\), .*'openssl pkcs7 .* -print_certs -in FILE'/],
  ...utf16(own.cert),
  [DAMAGED, /the certificate in NAME is damaged: /],
  [own.cert + DAMAGED, /certificate 2 in NAME is damaged: /],
  [UNDATED, /the certificate in NAME is damaged: /],
];

const WRONG_KEYS: readonly (readonly [text: string, why: RegExp])[] = [
  ["", /NAME is empty/],
  ["hello", /there is no private key \(PEM\) in NAME$/],
  [own.cert, /there is a certificate in NAME, and no private key: are the two swapped\?/],
  [PUBLIC, /the key in NAME is the public one: take the private one/],
  [OPENSSH, /the private key in NAME is in OpenSSH's form: convert it with 'ssh-keygen /],
  [own.key.slice(0, 100), /there is no private key \(PEM\) in NAME: it is cut short/],
  [DER, /NAME is binary .*'openssl pkey -inform der -in FILE'/],
  ...DER_KEYS.map((key) =>
    [binary(key), /NAME is binary \(DER\), .*'openssl pkey -inform der -in FILE'/] as const
  ),
  [binary(PKCS12), /NAME is binary \(PKCS #12\), .*'openssl pkcs12 -in FILE -nodes'/],
  ...utf16(own.key),
  [own.key.replace(/\n\w{20}/, "\nAAAA"), /the private key in NAME is damaged: /],
  [encrypt("pkcs8", "x"), /the private key in NAME is encrypted: decrypt it with 'openssl pkey/],
  [encrypt("sec1", "x"), /the private key in NAME is encrypted: decrypt it with 'openssl pkey/],
  [issuer.key, /the private key in NAME is not that of the certificate in cert$/],
];

function fails(take: () => unknown, why: RegExp): void {
  assert.throws(take, (error) => error instanceof PemError && why.test(error.message));
}

function named(why: RegExp, name: string): RegExp {
  const source = why.source.replaceAll("NAME", name.replace(/[[\]]/g, "\\$&"));
  return new RegExp(source.replace(/\$$/, " \\(EINVAL\\)"));
}

test("PEM: what is wrong with a text is said in words, and of which text", () => {
  const pem = (text: string, name = "NAME"): Pem => ({ name, text });
  for (const [text, why] of WRONG_CERTIFICATES) fails(() => certificatesIn(pem(text)), why);
  for (const [text, why] of WRONG_KEYS) {
    fails(() => keyPairIn(pem(own.cert, "cert"), pem(text)), why);
  }
  const swapped = /there is a private key in NAME, and no certificate: are the two swapped\?$/;
  fails(() => keyPairIn(pem(own.key), pem(own.cert, "key")), swapped);
  fails(() => certificatesIn(pem(own.key)), /no certificate: put the certificate there$/);
  fails(() => keyPairIn(pem(own.cert), pem(own.cert)), /no private key: put the key there, too$/);
  fails(
    () => keyPairIn(pem(issuer.cert + own.cert, "cert"), pem(own.key)),
    /the private key in NAME is that of certificate 2 in cert: put that one first/,
  );
});

/** A key made for this test. Its passphrase is "right"; decrypted with "wrong" it has a valid padding. */
const UNLUCKY = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAik1yYQqha38QICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAvSw8X+XmnUwAnoJ0PiI9AEgZC5
lCkF3+bhD/Hur8vzrC/i9GHDWJixYsmxNgb82ziSHLIDV8PicwOIM4831Esi19uu
Hp+ARUCsMzheKLB76rlRv52zYQamLhGdMAhbtjh8bPn8ju2qr005lZ6Ey4Owg/en
Vbwt83sBbVLq9rCComdoNfUPsAwTPOkIr/Doupnm+tXwO29Mnxhx1Wol3fo9WxQ=
-----END ENCRYPTED PRIVATE KEY-----
`;

test("PEM: a passphrase decrypts a key, and a wrong one is told from none", () => {
  const why = /the private key in NAME cannot be decrypted: the passphrase is not its own, or/;
  for (const type of ["pkcs8", "sec1"] as const) {
    const pem = { name: "NAME", text: encrypt(type, "open sesame") };
    assert.ok(privateKeyIn(pem, { passphrase: "open sesame" }).equals(secret));
    for (const passphrase of ["wrong", ""]) fails(() => privateKeyIn(pem, { passphrase }), why);
  }
  // A wrong passphrase may bring out what only looks like a key: here "wrong" does.
  for (const passphrase of ["wrong", ""]) {
    fails(() => privateKeyIn({ name: "NAME", text: UNLUCKY }, { passphrase }), why);
  }
  assert.equal(
    privateKeyIn({ name: "NAME", text: UNLUCKY }, { passphrase: "right" }).type,
    "private",
  );
  // One that is not encrypted needs none.
  const open = privateKeyIn({ name: "NAME", text: own.key }, { passphrase: "x" });
  assert.ok(open.equals(secret));
});

test("PEM: listen rejects EINVAL, and says which option is wrong and why", async () => {
  const listen = async (options: Partial<TlsServerOptions>) =>
    await systemTransport.listen({ host: OWN_HOST, tls: { ...own, ...options } });
  const explained = async (options: Partial<TlsServerOptions>, why: RegExp) => {
    const { message, op } = await rejects(listen(options), "EINVAL");
    assert.equal(op, "listen");
    assert.match(message, why);
  };
  for (const [cert, why] of WRONG_CERTIFICATES) {
    await explained({ cert }, named(why, "cert"));
    await explained({ caCerts: [own.cert, cert] }, named(why, "caCerts[1]"));
  }
  for (const [key, why] of WRONG_KEYS) await explained({ key }, named(why, "key"));
  const cert = new Uint8Array(10) as unknown as string;
  await mistakes("TypeError", /cert as a string, not/, listen({ cert }));
  await mistakes("TypeError", /needs the option key/, listen({ key: undefined }));
});

test("PEM: startTls rejects EINVAL, and says which option is wrong and why", async () => {
  using listener = await systemTransport.listen({ host: OWN_HOST });
  const explained = async (options: TlsClientOptions, why: RegExp) => {
    const conn = await systemTransport.connect(listener.addr);
    const { message, op } = await rejects(systemTransport.startTls(conn, options), "EINVAL");
    assert.equal(op, "startTls");
    assert.match(message, why);
    (await listener.accept()).close();
  };
  for (const [cert, why] of WRONG_CERTIFICATES) {
    await explained({ ...own, cert }, named(why, "cert"));
    await explained({ caCerts: [cert] }, named(why, "caCerts[0]"));
  }
  for (const [key, why] of WRONG_KEYS) await explained({ ...own, key }, named(why, "key"));
  using conn = await systemTransport.connect(listener.addr);
  const { cert, key } = own;
  await mistakes("TypeError", /needs the option key/, systemTransport.startTls(conn, { cert }));
  await mistakes("TypeError", /needs the option cert/, systemTransport.startTls(conn, { key }));
});
