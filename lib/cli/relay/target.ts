/**
 * Where `relay` leads to, as its command line says.
 *
 * @module
 */

import type { Destination } from "../destination.ts";
import { parseEndpoint } from "../endpoint.ts";
import { type Flag, seconds, text, UsageError, type Values } from "../flags.ts";
import { TRUST_FLAGS, trustOf } from "../tls_client.ts";

/** The flags. */
export const TARGET_FLAGS: typeof TRUST_FLAGS & {
  readonly to: Flag<string>;
  readonly "connect-timeout": Flag<number>;
} = {
  to: text("TARGET", "", "where to: HOST:PORT, tls:HOST:PORT or unix:PATH"),
  ...TRUST_FLAGS,
  "connect-timeout": seconds(10, "to reach the target for a client; 0 = no limit (default 10)"),
};

/**
 * Reads the target off the flags; the URLs that servers print are understood, too. Throws a
 * {@linkcode UsageError}.
 */
export function targetOf(values: Values<typeof TARGET_FLAGS>): Destination {
  const { to } = values;
  if (to === "") throw new UsageError("relay needs a target: --to HOST:PORT");
  const [, scheme = "tcp", rest = to] = /^(tcp|tls|unix):(?:\/\/)?(.*)$/s.exec(to) ?? [];
  for (const name of ["cacert", "insecure", "cert", "key"] as const) {
    if (scheme !== "tls" && values[name]) {
      throw new UsageError(`Option --${name} is for a target with TLS: --to tls:HOST:PORT`);
    }
  }
  if (scheme === "unix") return { path: pathOf(rest) };
  const endpoint = endpointOf(rest);
  return scheme === "tls" ? { ...endpoint, tls: trustOf(values) } : endpoint;
}

function pathOf(path: string): string {
  if (path !== "") return path;
  throw new UsageError("Option --to: behind unix: stands the path of a socket file");
}

function endpointOf(text: string): ReturnType<typeof parseEndpoint> {
  try {
    return parseEndpoint(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Option --to: ${error.message}`);
  }
}
