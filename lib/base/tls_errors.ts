/**
 * Errors of TLS, and the next steps, in the words of users.
 *
 * @module
 */

import type { Addr } from "./addr.ts";
import type { SocketOp } from "./error_codes.ts";
import { codeOf, SocketError, type SocketErrorInit } from "./errors.ts";

/**
 * Results of verification (openssl-verification-options(1)), and the next step where it is not to
 * trust more.
 */
const REASONS: Readonly<Record<string, readonly [why: string, next?: string]>> = {
  CERT_HAS_EXPIRED: [
    "it has expired",
    "Have it renewed; if it should be valid, set the clock of this machine.",
  ],
  CERT_NOT_YET_VALID: [
    "it is not valid yet",
    "Set the clock of this machine, if that is wrong; if not, take one that is valid now.",
  ],
  CERT_REVOKED: ["it was revoked", "Take another one: its issuer has withdrawn this one."],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["it is self-signed"],
  INVALID_PURPOSE: [
    "it is not meant for that end of a connection",
    "Take one whose extended key usage has this end: servers or clients.",
  ],
  SELF_SIGNED_CERT_IN_CHAIN: ["its root is self-signed and unknown here"],
  UNABLE_TO_GET_ISSUER_CERT: ["its issuer is unknown here"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["its issuer is unknown here"],
  // Deno says so of others that are not valid, too.
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    "its issuer is unknown here, or it is not valid for this",
    "Check that this is the right server, and whether its certificate has expired. Only if it is " +
    "right and valid, trust its issuer, too.",
  ],
};

const OTHER_NAME =
  "Connect by a name that it is for. Where the address is right all the same, say " +
  "that name as `servername` (`--servername` of echo, connect and relay).";

/** Whether a code of `node:tls` says that a certificate is not trusted. */
export function isDistrust(code: string): boolean {
  return Object.hasOwn(REASONS, code) || /ALTNAME|^CERT_/.test(code);
}

/** The most names of a certificate in a message. */
const MOST_NAMES = 5;

/** The fields of an error of `node:tls` about a certificate for other names. */
interface OtherName {
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } };
}

/**
 * Says for which names the certificate of an error of `node:tls` is. Undefined if the error does
 * not have them.
 */
export function whyOtherName(error: object): string | undefined {
  const { host, cert }: OtherName = error;
  if (host === undefined || cert === undefined) return undefined;
  const names = (cert.subjectaltname ?? cert.subject?.CN ?? "").split(", ")
    .map((name) => name.replace(/^(DNS|IP Address):/, ""))
    .filter((name) => name !== "");
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : "";
  const others = names.length === 0 ? "" : `, but for ${names.slice(0, MOST_NAMES).join(", ")}`;
  return `it is not for ${host.replace(/\.$/, "")}${others}${more}`;
}

/** Why, and what to do next; `reason` is what is known where the code is another one. */
export function describeDistrust(
  code: string,
  reason: string,
): Required<Pick<SocketErrorInit, "why">> & Pick<SocketErrorInit, "next"> {
  const [why = reason, next = /ALTNAME/.test(code) ? OTHER_NAME : undefined] =
    Object.hasOwn(REASONS, code) ? REASONS[code] : [];
  return { why: `the certificate of the peer is not trusted: ${why}`, next };
}

/** Whether an ECERT with this cause is over once the issuer is trusted, as far as is known. */
export function helpsToTrust(cause: unknown): boolean {
  const code = String((cause as { code?: unknown } | null)?.code);
  const { next } = describeDistrust(code, "");
  return next === undefined || code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
}

/** Turns what `node:tls` reports into our error. */
export function translateTls(error: unknown, op: SocketOp, addr: Addr | undefined): SocketError {
  if (error instanceof SocketError) return error;
  const { code, reason, message } = error as { code?: string; reason?: string; message: string };
  const known = code === "ERR_TLS_HANDSHAKE_TIMEOUT" ? "ETIMEDOUT" : codeOf(error);
  if (known !== "EUNKNOWN") return new SocketError(known, op, { addr, cause: error });
  const why =
    /WRONG_VERSION_NUMBER|HTTP_REQUEST/.test(code ?? "") || /InvalidContentType/.test(message)
      ? "the peer does not speak TLS"
      : isAboutUs(`${code} ${message}`)
      ? `the ${op === "acceptTls" ? "client" : "peer"} does not trust our certificate`
      : `TLS with the peer failed: ${reason ?? message}`;
  return new SocketError("ETLS", op, { addr, cause: error, why });
}

/**
 * Whether it is one of the alerts about our certificate (RFC 8446 section 6.2): OpenSSL writes
 * `TLSV1_ALERT_UNKNOWN_CA`, and Deno `alert: UnknownCA`.
 */
function isAboutUs(text: string): boolean {
  return /alert(badcertificate|unsupportedcertificate|certificate(revoked|expired|unknown)|unknownca)/
    .test(text.toLowerCase().replace(/[_: ]/g, ""));
}
