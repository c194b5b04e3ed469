/**
 * The files with certificates and keys that the command line names: read, looked at, and named in
 * what is said of them.
 *
 * @module
 */

import {
  certificatesIn,
  hasPrivateKey,
  type KeyPair,
  keyPairIn,
  type Pem,
  PemError,
  pemOf,
} from "../../base/pem.ts";
import { readTextFile } from "./files.ts";
import { ofOption, UsageError } from "./flags.ts";

/** A file, and the option that names it, without its dashes. */
export interface NamedFile {
  readonly option: string;
  readonly file: string;
}

/** The certificates in a file. Throws a {@linkcode UsageError}. */
export function readCertificates(from: NamedFile): string {
  return about(from, () => pemOf(certificatesIn(read(from))));
}

/** The files of a key pair. */
export interface KeyPairFiles {
  readonly cert: NamedFile;
  /** The file of the key. `""` is the file of the certificate. */
  readonly key: NamedFile;
  /** The file whose first line decrypts the key, if there is one. */
  readonly passphrase?: NamedFile;
}

/** A certificate and its key from files. Throws a {@linkcode UsageError}. */
export function readKeyPair({ cert, key, passphrase }: KeyPairFiles): KeyPair {
  const certPem = read(cert);
  const alone = key.file === "";
  // A file that is read once may be a pipe.
  const inOne = alone || key.file === cert.file;
  const keyPem = inOne ? certPem : read(key);
  about(cert, () => certificatesIn(certPem, keyPem));
  if (alone && !hasPrivateKey(certPem)) {
    throw new UsageError(
      `Options --${cert.option} and --${key.option} need each other: there is no private key in ` +
        certPem.name,
    );
  }
  const options = optionsOf(passphrase);
  return about(inOne ? cert : key, () => keyPairIn(certPem, keyPem, options));
}

function optionsOf(passphrase: NamedFile | undefined) {
  if (passphrase === undefined) return {};
  const { option, file } = passphrase;
  if (file === "") {
    return { decrypt: `say --${option} FILE, or decrypt it with 'openssl pkey -in FILE'` };
  }
  const { name, text } = read(passphrase);
  const [line] = text.split(/\r?\n/, 1);
  if (line === "") throw new UsageError(`Option --${option}: there is no passphrase in ${name}`);
  return { passphrase: line };
}

function read({ option, file }: NamedFile): Pem {
  return { name: `'${file}'`, text: ofOption(`--${option}`, () => readTextFile(file)) };
}

/** Has an error tell which option it is about. */
function about<T>({ option }: NamedFile, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    throw new UsageError(`Option --${option}: ${error.message}`);
  }
}
