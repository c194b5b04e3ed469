/**
 * The server's side of TLS on the command line: which certificate, and who must show one, too.
 *
 * @module
 */

import { type Flag, needing, path, toggle, UsageError, type Values } from "../io/flags.ts";
import type { KeyPairFiles, NamedFile } from "../io/pem.ts";

/** The flags. */
export const TLS_FLAGS: {
  readonly "tls-cert": Flag<string>;
  readonly "tls-key": Flag<string>;
  readonly "tls-key-passphrase-file": Flag<string>;
  readonly "tls-dir": Flag<string>;
  readonly "tls-self-signed": Flag<boolean>;
  readonly "tls-client-ca": Flag<string>;
} = {
  "tls-cert": path("speak TLS, with this certificate and those after it (PEM)", "FILE"),
  "tls-key": path("its private key (PEM), unless it is in that file, too", "FILE"),
  "tls-key-passphrase-file": needing(
    "tls-cert",
    path("the first line of FILE decrypts the private key", "FILE"),
  ),
  "tls-dir": path("speak TLS, with the certificates in DIR, chosen by name (SNI)", "DIR"),
  "tls-self-signed": toggle("speak TLS, with a certificate of our own making"),
  "tls-client-ca": path("let in only clients with a certificate of these issuers (PEM)", "FILE"),
};

/** The help text of servers about these flags. */
export const TLS_HELP =
  `In --tls-dir a certificate is NAME.crt beside its key NAME.key, or fullchain.pem beside privkey.pem
in a folder NAME. A client gets the one for the name that it asks for. If there is none, it gets the
one that is called default, or else the first by NAME. Certificates are read again on SIGHUP, and
about 2 s after their files have changed. If one is not right then, the old one stays.`;

/** The certificates of a server, and whether clients need one. The files are not read yet. */
export interface TlsServerChoice {
  /** The files of the certificate and its key, a folder of such, or one that the program makes itself. */
  readonly keyPair: KeyPairFiles | { readonly dir: NamedFile } | "self-signed";
  /** The issuers whose certificates clients must show one of. Default: clients show none. */
  readonly clientCa?: NamedFile;
}

/**
 * Makes what the flags ask for; undefined if there is to be no TLS. Throws a {@linkcode UsageError} for
 * flags that do not go together.
 */
export function parseTls(values: Values<typeof TLS_FLAGS>): TlsServerChoice | undefined {
  const { "tls-cert": cert, "tls-key": key, "tls-dir": dir, "tls-self-signed": selfSigned } =
    values;
  const { "tls-client-ca": ca, "tls-key-passphrase-file": passphrase } = values;
  if (key !== "" && cert === "") {
    throw new UsageError("Options --tls-cert and --tls-key need each other");
  }
  const given = ["tls-cert", "tls-dir", "tls-self-signed"].filter((name) =>
    values[name as keyof typeof values]
  );
  if (given.length > 1) {
    throw new UsageError(`Options --${given[0]} and --${given[1]} exclude each other`);
  }
  const clientCa = ca === "" ? {} : { clientCa: { option: "tls-client-ca", file: ca } };
  if (selfSigned) return { keyPair: "self-signed", ...clientCa };
  if (dir !== "") return { keyPair: { dir: { option: "tls-dir", file: dir } }, ...clientCa };
  if (cert === "") {
    if (ca === "") return undefined;
    throw new UsageError("Option --tls-client-ca needs --tls-cert, --tls-dir or --tls-self-signed");
  }
  const keyPair = {
    cert: { option: "tls-cert", file: cert },
    key: { option: "tls-key", file: key },
    passphrase: { option: "tls-key-passphrase-file", file: passphrase },
  };
  return { keyPair, ...clientCa };
}
