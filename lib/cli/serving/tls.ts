/**
 * The server's side of TLS: a certificate from files, or one of our own making, and who must show one,
 * too.
 *
 * @module
 */

import { selfSigned } from "../../net/tls/self_signed.ts";
import type { CertificateStore } from "../../net/tls/certificate_store.ts";
import type { Log } from "../io/log.ts";
import { isAnyHost } from "../options/host.ts";
import type { TlsServerChoice } from "../options/tls_server.ts";
import type { Session } from "../session.ts";
import { ownAddresses } from "./own_addresses.ts";
import { outOfDate } from "./certificate_dates.ts";
import { CertificateFiles, type Certificates, type NamedKeyPair } from "./certificate_files.ts";
import { followCertificates } from "./certificate_reload.ts";

/** The certificates of a server, and what its workers need to have the same. */
export interface OpenedTls {
  readonly certificates: CertificateStore;
  /** Plain data. */
  readonly read: Certificates;
  /** Whether they change with their files. */
  readonly isFollowed: boolean;
}

/**
 * Reads the certificates, or makes one for `host` and logs its fingerprint. From then on they change
 * with their files. Rejects with a UsageError.
 */
export async function openTls(
  choice: TlsServerChoice,
  host: string,
  session: Session,
): Promise<OpenedTls> {
  const { log, io: { clock } } = session;
  const files = new CertificateFiles(choice);
  const isOwn = choice.keyPair === "self-signed";
  const read = { ...files.read(), ...isOwn && { keyPairs: [await makeKeyPair(host, log)] } };
  for (const problem of outOfDate(read.keyPairs)) log.error(problem);
  const certificates = followCertificates(files, read, {
    clock,
    log,
    onReload: (reload) => session.onReload(reload),
    onEnd: (stop) => session.onEnd(stop),
  });
  return { certificates, read, isFollowed: files.canReadAgain };
}

async function makeKeyPair(host: string, log: Log): Promise<NamedKeyPair> {
  const { cert, key, fingerprint } = await selfSigned(hostsOf(host));
  log.note(`SHA-256 of the certificate: ${fingerprint}`);
  return { name: "", file: "", cert, key };
}

/** The names by which clients ask for a server, with its addresses if those are known. */
function hostsOf(host: string): string[] {
  const loopback = ["localhost", "127.0.0.1", "::1"];
  const own = ownAddresses()?.map(({ address }) => address) ?? [];
  return [...new Set([...loopback, ...isAnyHost(host) ? own : [host]])];
}
