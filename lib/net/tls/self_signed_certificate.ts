/**
 * The certificate of {@linkcode selfSigned}, and its key: what is in it, in ASN.1.
 *
 * @module
 */

import * as asn1 from "asn1js";
import { Buffer } from "node:buffer";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  sign,
} from "node:crypto";
import { promisify } from "node:util";
import { parseIP } from "../../base/ip.ts";

/** A certificate with its key. */
export interface SelfSigned {
  /** The certificate, in PEM. */
  readonly cert: string;
  /** Its private key, in PEM (PKCS #8). */
  readonly key: string;
  /** The SHA-256 of the certificate, by which people can compare it: `AA:BB:…`, 32 bytes. */
  readonly fingerprint: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Clocks differ: it is valid since yesterday, and for a year. */
const VALID_DAYS = { before: 1, after: 365 };

const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
};

/** Makes a key, and a certificate of these hosts that it signs. */
export async function signedByItself(hosts: readonly string[]): Promise<SelfSigned> {
  const { privateKey } = await promisify(generateKeyPair)("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const body = toBeSigned(hosts, spki, Date.now());
  const signature = sign("sha256", Buffer.from(body.toBER()), createPrivateKey(privateKey));
  const certificate = Buffer.from(
    sequence(
      body,
      sequence(oid(OID.ecdsaWithSha256)),
      new asn1.BitString({ valueHex: view(signature) }),
    ).toBER(),
  );
  return {
    cert: pem("CERTIFICATE", certificate),
    key: privateKey,
    fingerprint: createHash("sha256").update(certificate).digest("hex").toUpperCase()
      .match(/../g)!.join(":"),
  };
}

/** The TBSCertificate (RFC 5280 section 4.1). */
function toBeSigned(hosts: readonly string[], spki: Uint8Array, now: number): asn1.Sequence {
  const serial = randomBytes(16);
  // Positive, and not shorter than it looks.
  serial[0] = serial[0] & 0x7f | 0x40;
  const name = sequence(
    new asn1.Set({
      value: [sequence(oid(OID.commonName), new asn1.Utf8String({ value: hosts[0].slice(0, 64) }))],
    }),
  );
  return sequence(
    tagged(0, new asn1.Integer({ value: 2 })), // version 3
    new asn1.Integer({ valueHex: view(serial) }),
    sequence(oid(OID.ecdsaWithSha256)),
    name,
    sequence(time(now - VALID_DAYS.before * DAY_MS), time(now + VALID_DAYS.after * DAY_MS)),
    name,
    asn1.fromBER(view(spki)).result,
    tagged(3, sequence(...extensions(hosts, spki))),
  );
}

function extensions(hosts: readonly string[], spki: Uint8Array): asn1.Sequence[] {
  // The bit string at the end of P-256's SPKI is the point, 65 bytes (RFC 5480).
  const keyId = createHash("sha1").update(spki.subarray(-65)).digest();
  return [
    extension(OID.subjectAltName, false, sequence(...hosts.map(generalName))),
    // It signs nothing but itself: rustls takes no certificate authority for a server.
    extension(OID.basicConstraints, true, sequence()),
    // digitalSignature, the first bit of nine.
    extension(OID.keyUsage, true, new asn1.BitString({ valueHex: view([0x80]), unusedBits: 7 })),
    extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
    extension(OID.subjectKeyIdentifier, false, new asn1.OctetString({ valueHex: view(keyId) })),
  ];
}

function extension(id: string, critical: boolean, value: asn1.BaseBlock): asn1.Sequence {
  return sequence(
    oid(id),
    ...(critical ? [new asn1.Boolean({ value: true })] : []),
    new asn1.OctetString({ valueHex: value.toBER() }),
  );
}

/** dNSName [2] or iPAddress [7] (RFC 5280 section 4.2.1.6). */
function generalName(host: string): asn1.Primitive {
  const address = parseIP(host);
  return new asn1.Primitive({
    idBlock: { tagClass: 3, tagNumber: address === undefined ? 2 : 7 },
    valueHex: view(address ?? Buffer.from(host)),
  });
}

function sequence(...value: asn1.BaseBlock[]): asn1.Sequence {
  return new asn1.Sequence({ value });
}

function oid(value: string): asn1.ObjectIdentifier {
  return new asn1.ObjectIdentifier({ value });
}

function tagged(tagNumber: number, value: asn1.BaseBlock): asn1.Constructed {
  return new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber }, value: [value] });
}

/** UTCTime, which certificates have for the years up to 2049, and to the second. */
function time(ms: number): asn1.UTCTime {
  return new asn1.UTCTime({ valueDate: new Date(ms) });
}

/** A copy as the library takes it, that nothing else is behind. */
function view(bytes: Iterable<number>): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
