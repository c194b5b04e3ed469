/**
 * The certificate that `server.ts web` shows: from files, or one of its own making.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { selfSigned } from "../../tls_cert.ts";
import { CliError, EXIT } from "../exit.ts";
import { UsageError } from "../flags.ts";
import { isAnyHost } from "./listen.ts";

/** What the flags say. */
export interface TlsFlags {
  readonly "tls-cert": string;
  readonly "tls-key": string;
  readonly "tls-self-signed": boolean;
}

/** A certificate and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  /** The SHA-256 of one of our own making, for people to compare. */
  readonly fingerprint?: string;
}

/** Whether there is to be TLS. Throws a {@linkcode UsageError} for flags that do not go together. */
export function wantsTls(flags: TlsFlags): boolean {
  const [cert, key] = [flags["tls-cert"] !== "", flags["tls-key"] !== ""];
  if (cert !== key) throw new UsageError("Options --tls-cert and --tls-key need each other");
  if (cert && flags["tls-self-signed"]) {
    throw new UsageError("Options --tls-cert and --tls-self-signed exclude each other");
  }
  return cert || flags["tls-self-signed"];
}

/** Reads the certificate, or makes one for `host`. Rejects with a {@linkcode CliError}. */
export async function keyPair(flags: TlsFlags, host: string): Promise<KeyPair> {
  if (flags["tls-self-signed"]) return await selfSigned(hostsOf(host));
  const [cert, key] = await Promise.all([flags["tls-cert"], flags["tls-key"]].map(read));
  return { cert, key };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    const [why, next] = name === "NotCapable"
      ? ["Deno's permissions forbid it", `Run again with --allow-read=${path}.`]
      : code === "ENOENT"
      ? ["there is no such file", "Check the spelling."]
      : [message, "Check its permissions."];
    throw new CliError(EXIT.usage, `Cannot read '${path}': ${why}. ${next}`, { cause: error });
  }
}

/** The names that a site is asked for by. */
function hostsOf(host: string): string[] {
  const loopback = ["localhost", "127.0.0.1", "::1"];
  return [...new Set([...loopback, ...isAnyHost(host) ? ownAddresses() : [host]])];
}

function ownAddresses(): string[] {
  try {
    return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
      .filter(({ address }) => !/^fe80:/i.test(address)).map(({ address }) => address);
  } catch {
    return []; // Deno's permissions; it is told with the addresses
  }
}
