/**
 * The files of a server's certificates: where they are, what is in them, and whether they have changed.
 *
 * @module
 */

import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { KeyPair } from "../../base/pem.ts";
import { checkReadableAgain, whyUnreadable } from "../io/files.ts";
import { ofOption, UsageError } from "../io/flags.ts";
import { type KeyPairFiles, type NamedFile, readCertificates, readKeyPair } from "../io/pem.ts";
import type { TlsServerChoice } from "../options/tls_server.ts";

/** The most key pairs in a folder. */
const MAX_PAIRS = 1000;

/** A key pair; in a folder, what its files are called. */
export interface NamedKeyPair extends KeyPair {
  readonly name: string;
  /** The file of its certificate; "" if it has none. */
  readonly file: string;
}

/** The certificate and key of a server, and the authorities that it trusts: plain data. */
export interface Certificates {
  readonly keyPairs: readonly NamedKeyPair[];
  readonly caCerts?: readonly string[];
}

/** The place of a key pair. */
interface Source {
  readonly name: string;
  readonly files: KeyPairFiles;
}

/** The files that the options name. A self-signed certificate has none. */
export class CertificateFiles {
  readonly #choice: TlsServerChoice;
  /** How the files of those that were right were when they were read, by the file of the certificate. */
  #states = new Map<string, string>();

  constructor(choice: TlsServerChoice) {
    this.#choice = choice;
  }

  /** Reads all of them. Throws a {@linkcode UsageError} for the first that is not right. */
  read(): Certificates {
    const { keyPair } = this.#choice;
    const isFolder = keyPair !== "self-signed" && "dir" in keyPair;
    const sources = this.#sources();
    // A folder is read again and again; a pipe in it would also hold up the start until somebody writes.
    if (isFolder) sources.flatMap(filesOf).forEach(checkAgain);
    const keyPairs = sources.map((source) => readSource(source, this.#states));
    return { keyPairs, ...this.#readIssuers() };
  }

  /**
   * Reads them again. A certificate that is not valid now is kept as it was `before`, and `problems`
   * says why. A new one that is not valid is left out. Unless `all` is true, those that were right and
   * whose files have not changed are not read: many take seconds, in which nobody is served.
   */
  readAgain(before: Certificates, all = true): { certificates: Certificates; problems: string[] } {
    const problems: string[] = [];
    const states = new Map<string, string>();
    const or = <T>(read: () => T, otherwise: T, then: string): T => {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        problems.push(`${error.message}. ${then}.`);
        return otherwise;
      }
    };
    const readOne = (source: Source): NamedKeyPair[] => {
      const { file } = source.files.cert;
      const old = before.keyPairs.filter((pair) => pair.file === file);
      const known = this.#states.get(file);
      if (!all && old.length > 0 && known !== undefined && known === stateOfFiles(source)) {
        states.set(file, known);
        return old;
      }
      const what = source.name === "" ? "The certificate" : `The certificate '${source.name}'`;
      const then = old.length > 0 ? `${what} stays as it was` : `${what} is left out`;
      const read = () => {
        filesOf(source).forEach(checkAgain);
        return [readSource(source, states)];
      };
      return or(read, old, then);
    };
    const keyPairs = this.#choice.keyPair === "self-signed" ? before.keyPairs : or(
      () => this.#sources().flatMap(readOne),
      before.keyPairs,
      "The certificates stay as they were",
    );
    this.#states = states;
    const readIssuers = () => {
      if (this.#choice.clientCa !== undefined) checkAgain(this.#choice.clientCa);
      return this.#readIssuers();
    };
    const issuers = or(
      readIssuers,
      { caCerts: before.caCerts },
      "The issuers of clients stay as they were",
    );
    // None that were there before, and none of those that are new, can be read.
    if (keyPairs.length === 0) return { certificates: before, problems };
    return { certificates: { keyPairs, ...issuers }, problems };
  }

  /** Whether the files can be read again: there are some, and no file is a pipe. */
  get canReadAgain(): boolean {
    const { keyPair } = this.#choice;
    if (keyPair !== "self-signed" && "dir" in keyPair) return true;
    const paths = this.#paths();
    return paths.length > 0 && paths.every(isRegular);
  }

  /** A text that differs once a file is changed, added or removed. */
  get state(): string {
    try {
      return this.#paths().map((path) => `${path} ${stateOf(path)}`).join("\n");
    } catch (error) {
      return (error as Error).message;
    }
  }

  #paths(): string[] {
    const named = [this.#choice.clientCa, ...this.#sources().flatMap(filesOf)];
    return named.filter((from) => from !== undefined).map(({ file }) => file);
  }

  #sources(): Source[] {
    const { keyPair } = this.#choice;
    if (keyPair === "self-signed") return [];
    return "dir" in keyPair ? sourcesIn(keyPair.dir) : [{ name: "", files: keyPair }];
  }

  #readIssuers(): Pick<Certificates, "caCerts"> {
    const { clientCa } = this.#choice;
    return clientCa === undefined ? {} : { caCerts: [readCertificates(clientCa)] };
  }
}

/** Reads a key pair, and notes how its files were. */
function readSource(source: Source, states: Map<string, string>): NamedKeyPair {
  const { name, files } = source;
  // A change while it is read is noticed later.
  const state = stateOfFiles(source);
  const pair = readKeyPair(files);
  states.set(files.cert.file, state);
  return { name, file: files.cert.file, ...pair };
}

function stateOfFiles(source: Source): string {
  return filesOf(source).map(({ file }) => stateOf(file)).join("\n");
}

/** The files of a key pair that have a name of their own. */
function filesOf({ files: { cert, key, passphrase } }: Source): NamedFile[] {
  return [cert, key, passphrase].filter((from): from is NamedFile => (from?.file ?? "") !== "");
}

function checkAgain({ option, file }: NamedFile): void {
  ofOption(`--${option}`, () => checkReadableAgain(file));
}

/**
 * The key pairs of a folder: `NAME.crt` beside `NAME.key`, and `fullchain.pem` beside `privkey.pem` in a
 * folder NAME. The one with the name `default` is the first, and the others follow by name. Throws a
 * {@linkcode UsageError} if the folder has no certificate, or too many.
 */
function sourcesIn({ option, file: dir }: NamedFile): Source[] {
  const entries = namesIn(dir, option);
  const found = entries.flatMap((entry): Source[] => {
    const of = (name: string, cert: string, key: string) => [{
      name,
      files: { cert: { option, file: join(dir, cert) }, key: { option, file: join(dir, key) } },
    }];
    if (entry.startsWith(".")) return [];
    if (entry.endsWith(".crt")) {
      const name = entry.slice(0, -".crt".length);
      return of(name, entry, `${name}.key`);
    }
    const chain = join(entry, "fullchain.pem");
    return isThere(join(dir, chain)) ? of(entry, chain, join(entry, "privkey.pem")) : [];
  });
  if (found.length === 0) {
    const why = whyNoCertificate(dir, entries);
    throw new UsageError(`Option --${option}: there is no certificate in '${dir}': ${why}`);
  }
  if (found.length > MAX_PAIRS) {
    throw new UsageError(
      `Option --${option}: there are more than ${MAX_PAIRS} certificates in '${dir}'`,
    );
  }
  // A name has no NUL. Of two with one name, the order of their files is that of every reading.
  const rank = ({ name, files }: Source) => `${name === "default" ? "" : name}\0${files.cert.file}`;
  return found.sort((a, b) => rank(a) < rank(b) ? -1 : 1);
}

/**
 * Says what is wrong with the first entry of a folder that looks like a part of a key pair. Without
 * one it says what to put there.
 */
function whyNoCertificate(dir: string, entries: readonly string[]): string {
  for (const entry of entries) {
    if (entry === "fullchain.pem") {
      return "'fullchain.pem' is looked for in the folders of this one: name the folder above";
    }
    if (entry.endsWith(".key")) {
      return `'${entry}' is there without '${entry.slice(0, -".key".length)}.crt'`;
    }
    const chain = join(entry, "fullchain.pem");
    const key = join(entry, "privkey.pem");
    if (isThere(join(dir, key))) return `'${key}' is there without '${chain}'`;
  }
  return "put NAME.crt and NAME.key there, or fullchain.pem and privkey.pem in a folder NAME";
}

function namesIn(dir: string, option: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    const { code } = error as { code?: string };
    const why = code === "ENOTDIR"
      ? "it is not a folder"
      : code === "ENOENT"
      ? "there is no such folder"
      : whyUnreadable(dir, error);
    throw new UsageError(`Option --${option} cannot read '${dir}': ${why}`);
  }
}

/** Whether there is something; a link counts, so that reading says of one that leads nowhere what is wrong. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function isRegular(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function stateOf(path: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
  } catch (error) {
    return (error as Error).message;
  }
}
