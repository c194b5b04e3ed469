/**
 * The client's side of TLS on the command line: the issuers to trust, and the own certificate.
 *
 * @module
 */

import type { DialTlsOptions } from "../../dial.ts";
import type { ClientTls } from "../../http/client/options.ts";
import { parseIP } from "../../base/ip.ts";
import { type Flag, needing, path, text, toggle, UsageError, type Values } from "../io/flags.ts";
import { readCertificates, readKeyPair } from "../io/pem.ts";

/** The flags of the issuers to trust and of the own certificate. */
export const TRUST_FLAGS: {
  readonly cacert: Flag<string>;
  readonly insecure: Flag<boolean>;
  readonly cert: Flag<string>;
  readonly key: Flag<string>;
} = {
  cacert: path("trust the certificates (PEM) in FILE, too", "FILE"),
  insecure: toggle("trust any certificate, of anybody: for tests only", "k"),
  cert: path("show this certificate (PEM) to a server that asks for one", "FILE"),
  key: path("its private key (PEM), unless it is in that file, too", "FILE"),
};

/** The flag of the server's name, where that can differ from the host. */
export const SERVERNAME_FLAG: Flag<string> = {
  ...text("NAME", "", "the name in the server's certificate (default the host)"),
  parse: (name) => {
    if (parseIP(name) !== undefined || /^[^\s:/[\]]+$/.test(name)) return name;
    throw new UsageError(`takes a name or an address alone, not '${name}'`);
  },
};

/** The flags of TLS, where it is spoken on demand. */
export const TLS_CLIENT_FLAGS: typeof TRUST_FLAGS & {
  readonly servername: Flag<string>;
  readonly tls: Flag<boolean>;
  readonly alpn: Flag<string>;
} = {
  tls: toggle("speak TLS; the certificate of the server is verified"),
  servername: needing("tls", SERVERNAME_FLAG),
  cacert: needing("tls", TRUST_FLAGS.cacert),
  insecure: needing("tls", TRUST_FLAGS.insecure),
  cert: needing("tls", TRUST_FLAGS.cert),
  key: needing("tls", TRUST_FLAGS.key),
  alpn: needing(
    "tls",
    text("NAMES", "", "the protocols to offer over TLS, best first: h2,http/1.1"),
  ),
};

/**
 * Reads the issuers to trust and the own certificate from the files of the flags. Throws a
 * {@linkcode UsageError} if that fails.
 */
export function parseTrust({ cacert, insecure, cert, key }: Values<typeof TRUST_FLAGS>): ClientTls {
  if (cert === "" && key !== "") throw new UsageError("Options --cert and --key need each other");
  return {
    insecure,
    ...cacert !== "" && { caCerts: [readCertificates({ option: "cacert", file: cacert })] },
    ...cert !== "" && readKeyPair({
      cert: { option: "cert", file: cert },
      key: { option: "key", file: key },
    }),
  };
}

/** Parses the name that the server must have, if it is given. */
export function parseServername(
  { servername }: { readonly servername: string },
): { servername?: string } {
  return servername === "" ? {} : { servername };
}

/** Parses the options of `dial` for TLS. Empty without TLS. Throws a {@linkcode UsageError}. */
export function parseDialTls(
  values: Values<typeof TLS_CLIENT_FLAGS>,
): Partial<Pick<DialTlsOptions, "tls">> {
  if (!values.tls) return {};
  const alpnProtocols = values.alpn === "" ? undefined : values.alpn.split(",");
  return { tls: { ...parseTrust(values), ...parseServername(values), alpnProtocols } };
}
