/**
 * The client's side of TLS on the command line: whom to trust, and who to be.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import type { DialTlsOptions } from "../dial.ts";
import type { ClientTls } from "../http/client/client.ts";
import { type Flag, needing, path, text, toggle, UsageError, type Values } from "./flags.ts";
import { whyUnreadable } from "./unreadable.ts";

/** The flags of whom to trust and who to be, where TLS may be spoken. */
export const TRUST_FLAGS: {
  readonly cacert: Flag<string>;
  readonly insecure: Flag<boolean>;
  readonly cert: Flag<string>;
  readonly key: Flag<string>;
} = {
  cacert: path("trust the certificates (PEM) in FILE, too", "FILE"),
  insecure: toggle("trust any certificate, of anybody: for tests only", "k"),
  cert: path("show this certificate (PEM) to a server that asks for one", "FILE"),
  key: path("the private key of the certificate (PEM)", "FILE"),
};

/** The flags of TLS, where it is spoken on demand. */
export const TLS_CLIENT_FLAGS: typeof TRUST_FLAGS & {
  readonly tls: Flag<boolean>;
  readonly alpn: Flag<string>;
} = {
  tls: toggle("speak TLS; the certificate of the server is verified"),
  cacert: needing("tls", TRUST_FLAGS.cacert),
  insecure: needing("tls", TRUST_FLAGS.insecure),
  cert: needing("tls", TRUST_FLAGS.cert),
  key: needing("tls", TRUST_FLAGS.key),
  alpn: needing(
    "tls",
    text("NAMES", "", "the protocols to offer over TLS, best first: h2,http/1.1"),
  ),
};

/** Reads whom to trust and who to be. Throws a {@linkcode UsageError} if that cannot be read. */
export function trustOf({ cacert, insecure, cert, key }: Values<typeof TRUST_FLAGS>): ClientTls {
  if ((cert === "") !== (key === "")) {
    throw new UsageError("Options --cert and --key need each other");
  }
  return {
    insecure,
    ...cacert !== "" && { caCerts: [certificatesIn(cacert)] },
    ...cert !== "" && { cert: read("cert", cert), key: read("key", key) },
  };
}

function certificatesIn(file: string): string {
  const pem = read("cacert", file);
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new UsageError(`Option --cacert: there is no certificate (PEM) in '${file}'`);
}

function read(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`Option --${option} cannot read '${file}': ${whyUnreadable(file, error)}`);
  }
}

/** What `dial` takes beside a place for TLS, or nothing. Throws a {@linkcode UsageError}. */
export function tlsOf(
  values: Values<typeof TLS_CLIENT_FLAGS>,
): Partial<Pick<DialTlsOptions, "tls">> {
  if (!values.tls) return {};
  const alpnProtocols = values.alpn === "" ? undefined : values.alpn.split(",");
  return { tls: { ...trustOf(values), alpnProtocols } };
}
