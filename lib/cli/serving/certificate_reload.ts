/**
 * The certificates of a server that runs: their files are read again on SIGHUP, and when they change.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { SocketError } from "../../base/errors.ts";
import { counted } from "../../base/counted.ts";
import { CertificateStore } from "../../net/tls/certificate_store.ts";
import type { Log } from "../io/log.ts";
import { lastDay, outOfDate } from "./certificate_dates.ts";
import type { CertificateFiles, Certificates, NamedKeyPair } from "./certificate_files.ts";

/** How often the files are looked at, in milliseconds. They are read once two looks see the same state. */
const LOOK_MS = 1000;

/** The most certificates that a line of the log names. */
const MAX_NAMED = 10;

/** Options for following the files. */
export interface Following {
  readonly clock: Clock;
  /** Logs the outcome. Undefined in a worker: its parent logs the same files. */
  readonly log: Pick<Log, "note" | "error"> | undefined;
  /** Takes what reads the files again at once. */
  onReload(reload: () => void): void;
  /** Takes what stops looking at the files. */
  onEnd(stop: () => void): void;
}

/** Makes a store with the certificates of these files, which changes with the files if there are some. */
export function followCertificates(
  files: CertificateFiles,
  certificates: Certificates,
  following: Following,
): CertificateStore {
  const store = new CertificateStore(setOf(certificates));
  if (!files.canReadAgain) return store;
  const follower = new Follower(files, store, certificates, following);
  following.onReload(() => follower.readAgain(true));
  following.onEnd(() => follower.stop());
  // A worker was given the certificates of its parent's start, which may be long ago.
  if (following.log === undefined) follower.readAgain(false);
  return store;
}

/** See {@linkcode followCertificates}. */
class Follower {
  readonly #files: CertificateFiles;
  readonly #store: CertificateStore;
  readonly #clock: Clock;
  readonly #log: Following["log"];
  #certificates: Certificates;
  /** How the files were at the last look. */
  #seen: string;
  /** How they were when they were last read. */
  #read: string;
  /** Why the last reading failed; "" if it did not. Then each look reads again. */
  #problems = "";
  #cancel: () => void;

  constructor(
    files: CertificateFiles,
    store: CertificateStore,
    certificates: Certificates,
    { clock, log }: Following,
  ) {
    this.#files = files;
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#certificates = certificates;
    this.#seen = this.#read = files.state;
    this.#cancel = clock.setTimer(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel();
  }

  /** Reads the files. Logs the result if somebody `asked` for it, and else if something has changed. */
  readAgain(asked: boolean): void {
    const state = this.#files.state;
    const before = this.#certificates;
    const { certificates, problems } = this.#files.readAgain(before, asked);
    try {
      this.#store.replace(setOf(certificates));
      this.#certificates = certificates;
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      problems.push(`${error.message} The certificates stay as they were.`);
    }
    const said = problems.join("\n");
    if (asked || state !== this.#read || said !== this.#problems) this.#report(problems, before);
    this.#problems = said;
    this.#read = state;
  }

  /** Reads them if they have changed since they were read, and not since the last look. */
  #look(): void {
    const { state } = this.#files;
    const isNew = state !== this.#read || this.#problems !== "";
    if (isNew && state === this.#seen) this.readAgain(false);
    this.#seen = state;
    this.#cancel = this.#clock.setTimer(LOOK_MS, () => this.#look());
  }

  #report(problems: readonly string[], before: Certificates): void {
    for (const problem of problems) this.#log?.error(problem);
    const { keyPairs } = this.#certificates;
    const fresh = keyPairs.filter((pair) => !before.keyPairs.includes(pair));
    for (const problem of outOfDate(fresh)) this.#log?.error(problem);
    if (fresh.length > 0) {
      this.#log?.note(`read again ${listed(fresh)}, valid until ${lastDay(fresh)}`);
    }
    const gone = before.keyPairs.filter(({ file }) => keyPairs.every((pair) => pair.file !== file));
    if (gone.length > 0) this.#log?.note(`no longer shows ${listed(gone)}`);
    if (fresh.length + gone.length + problems.length === 0) {
      this.#log?.note("read again the issuers of clients");
    }
  }
}

/** In words. */
function listed(keyPairs: readonly NamedKeyPair[]): string {
  const names = keyPairs.map(({ name }) => name).filter((name) => name !== "");
  if (names.length === 0) return "the certificate";
  const more = names.length > MAX_NAMED ? [`and ${names.length - MAX_NAMED} more`] : [];
  const some = [...names.slice(0, MAX_NAMED), ...more].join(", ");
  return `${counted(names.length, "certificate")} (${some})`;
}

function setOf({ keyPairs, caCerts }: Certificates) {
  return { keyPairs, ...caCerts && { caCerts } };
}
