/**
 * The target of `relay` on its command line.
 *
 * @module
 */

import type { ClientTls } from "../../../http/client/options.ts";
import type { Destination } from "../../options/destination.ts";
import { parseEndpoint } from "../../options/endpoint.ts";
import { type Flag, ofOption, seconds, text, UsageError, type Values } from "../../io/flags.ts";
import { checkSocketPath } from "../../options/socket_path.ts";
import {
  parseServername,
  parseTrust,
  SERVERNAME_FLAG,
  TRUST_FLAGS,
} from "../../options/tls_client.ts";

/** The flags of TLS with the target. */
const TLS_FLAGS: typeof TRUST_FLAGS & { readonly servername: Flag<string> } = {
  ...TRUST_FLAGS,
  servername: SERVERNAME_FLAG,
};

/** The flags. */
export const TARGET_FLAGS: typeof TLS_FLAGS & {
  readonly to: Flag<string>;
  readonly "connect-timeout": Flag<number>;
} = {
  to: text("TARGET", "", "where to: HOST:PORT, tls:HOST:PORT or unix:PATH"),
  ...TLS_FLAGS,
  "connect-timeout": seconds(10, "to reach the target for a client; 0 = no limit (default 10)"),
};

/** TLS with a target. */
export type TargetTls = ClientTls & { readonly servername?: string };

/** The target of a relay. Plain data, which workers get, too. */
export interface TargetOptions {
  readonly target: Destination;
  /** The time to connect to it, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number;
}

/**
 * Makes the target that the flags say; the URLs that servers print are understood, too. Throws a
 * {@linkcode UsageError}.
 */
export function parseTarget(values: Values<typeof TARGET_FLAGS>): TargetOptions {
  return { target: parseDestination(values), connectTimeout: values["connect-timeout"] };
}

function parseDestination(values: Values<typeof TARGET_FLAGS>): Destination {
  const { to } = values;
  if (to === "") throw new UsageError("relay needs a target: --to HOST:PORT");
  if (!isSecure(to)) refuseTlsFlags(values);
  return readTarget(to, () => parseTargetTls(values));
}

/** Whether a target has TLS. */
export function isSecure(to: string): boolean {
  return to.startsWith("tls:");
}

/** Throws a {@linkcode UsageError} if there are flags for TLS. */
export function refuseTlsFlags(values: Values<typeof TLS_FLAGS>): void {
  for (const name of ["cacert", "insecure", "cert", "key", "servername"] as const) {
    if (values[name]) {
      throw new UsageError(`Option --${name} is for a target with TLS: --to tls:HOST:PORT`);
    }
  }
}

/** Makes the TLS of targets that the flags say. Throws a {@linkcode UsageError}. */
export function parseTargetTls(values: Values<typeof TLS_FLAGS>): TargetTls {
  return { ...parseTrust(values), ...parseServername(values) };
}

/** Parses a target. Throws a {@linkcode UsageError}, whose message has `where` after the option. */
export function readTarget(to: string, tls: () => TargetTls, where = ""): Destination {
  const [, scheme = "tcp", rest = to] = /^(tcp|tls|unix):(?:\/\/)?(.*)$/s.exec(to) ?? [];
  if (scheme === "unix") {
    return { path: ofOption(`--to ${where}unix:`, () => checkSocketPath(rest)) };
  }
  const endpoint = ofOption(`--to: ${where}`.trim(), () => parseEndpoint(rest));
  return scheme === "tls" ? { ...endpoint, tls: tls() } : endpoint;
}
