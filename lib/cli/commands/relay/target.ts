/**
 * The target of `relay` on its command line.
 *
 * @module
 */

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

/** The flags. */
export const TARGET_FLAGS: typeof TRUST_FLAGS & {
  readonly to: Flag<string>;
  readonly servername: Flag<string>;
  readonly "connect-timeout": Flag<number>;
} = {
  to: text("TARGET", "", "where to: HOST:PORT, tls:HOST:PORT or unix:PATH"),
  ...TRUST_FLAGS,
  servername: SERVERNAME_FLAG,
  "connect-timeout": seconds(10, "to reach the target for a client; 0 = no limit (default 10)"),
};

/** The target of a relay. Plain data, which workers get, too. */
export interface TargetOptions {
  readonly target: Destination;
  /** The number of milliseconds that it may take to reach it. 0 means no limit. */
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
  const [, scheme = "tcp", rest = to] = /^(tcp|tls|unix):(?:\/\/)?(.*)$/s.exec(to) ?? [];
  for (const name of ["cacert", "insecure", "cert", "key", "servername"] as const) {
    if (scheme !== "tls" && values[name]) {
      throw new UsageError(`Option --${name} is for a target with TLS: --to tls:HOST:PORT`);
    }
  }
  if (scheme === "unix") return { path: ofOption("--to unix:", () => checkSocketPath(rest)) };
  const endpoint = ofOption("--to:", () => parseEndpoint(rest));
  return scheme === "tls"
    ? { ...endpoint, tls: { ...parseTrust(values), ...parseServername(values) } }
    : endpoint;
}
