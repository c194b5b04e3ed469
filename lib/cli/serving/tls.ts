/**
 * The server's side of TLS on the command line: a certificate from files, or one of our own making,
 * and who must show one, too.
 *
 * @module
 */

import type { AccessList } from "../../serve/access.ts";
import { selfSigned } from "../../net/tls/self_signed.ts";
import type { KeyPair } from "../../net/tls/pem.ts";
import type { TlsServerOptions } from "../../net/tls/options.ts";
import { type Flag, needing, path, toggle, UsageError, type Values } from "../io/flags.ts";
import type { Log } from "../io/log.ts";
import { readCertificates, readKeyPair } from "../io/pem.ts";
import { isAnyHost, ownAddresses } from "./addresses.ts";
import { tellFailure } from "./tell.ts";

/** The flags. */
export const TLS_FLAGS: {
  readonly "tls-cert": Flag<string>;
  readonly "tls-key": Flag<string>;
  readonly "tls-key-passphrase-file": Flag<string>;
  readonly "tls-self-signed": Flag<boolean>;
  readonly "tls-client-ca": Flag<string>;
} = {
  "tls-cert": path("speak TLS, with this certificate and those behind it (PEM)", "FILE"),
  "tls-key": path("its private key (PEM), unless it is in that file, too", "FILE"),
  "tls-key-passphrase-file": needing(
    "tls-cert",
    path("the first line of FILE decrypts the private key", "FILE"),
  ),
  "tls-self-signed": toggle("speak TLS, with a certificate of our own making"),
  "tls-client-ca": path("let in only clients with a certificate of these issuers (PEM)", "FILE"),
};

/** What the flags say. */
export type TlsFlags = Values<typeof TLS_FLAGS>;

/** What a server shows. */
interface Shown extends KeyPair {
  /** The SHA-256 of a certificate of our own making, for people to compare. */
  readonly fingerprint?: string;
}

/** Whether there is to be TLS. Throws a {@linkcode UsageError} for flags that do not go together. */
export function wantsTls(flags: TlsFlags): boolean {
  const [cert, key] = [flags["tls-cert"] !== "", flags["tls-key"] !== ""];
  if (key && !cert) throw new UsageError("Options --tls-cert and --tls-key need each other");
  if (cert && flags["tls-self-signed"]) {
    throw new UsageError("Options --tls-cert and --tls-self-signed exclude each other");
  }
  const secure = cert || flags["tls-self-signed"];
  if (!secure && flags["tls-client-ca"] !== "") {
    throw new UsageError("Option --tls-client-ca needs --tls-cert or --tls-self-signed");
  }
  return secure;
}

/**
 * What a listener takes, with a certificate for `host`; the fingerprint of one of our own making is
 * told. Rejects with a {@linkcode UsageError}.
 */
export async function tlsServerOptions(
  flags: TlsFlags,
  host: string,
  log: Log,
): Promise<TlsServerOptions> {
  const { cert, key, fingerprint } = await keyPair(flags, host);
  const clientCa = flags["tls-client-ca"];
  const caCerts = clientCa === "" ? undefined : [
    readCertificates({ option: "tls-client-ca", file: clientCa }),
  ];
  if (fingerprint !== undefined) log.note(`SHA-256 of the certificate: ${fingerprint}`);
  return { cert, key, caCerts };
}

/** Keeps out who may not connect, before the handshake, and has `log` tell which handshakes fail. */
export function handshakeCallbacks(
  access: AccessList | undefined,
  log: Log,
): Pick<TlsServerOptions, "admission" | "onHandshakeError"> {
  return { admission: access, onHandshakeError: (error) => tellFailure(error, log) };
}

/** Reads the certificate, or makes one for `host`. */
async function keyPair(flags: TlsFlags, host: string): Promise<Shown> {
  if (flags["tls-self-signed"]) return await selfSigned(hostsOf(host));
  return readKeyPair({
    cert: { option: "tls-cert", file: flags["tls-cert"] },
    key: { option: "tls-key", file: flags["tls-key"] },
    passphrase: { option: "tls-key-passphrase-file", file: flags["tls-key-passphrase-file"] },
  });
}

/** The names that a server is asked for by. Where its addresses are hidden, these are not among them. */
function hostsOf(host: string): string[] {
  const loopback = ["localhost", "127.0.0.1", "::1"];
  const own = ownAddresses()?.map(({ address }) => address) ?? [];
  return [...new Set([...loopback, ...isAnyHost(host) ? own : [host]])];
}
