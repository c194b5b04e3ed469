/**
 * The common options of servers: where they listen, who may connect and for how long,
 * as their flags say.
 *
 * @module
 */

import type { Values } from "../io/flags.ts";
import { ACCESS_FLAGS, type AccessOptions, parseAccess, shareOf } from "./access_flags.ts";
import { LIMIT_FLAGS, type LimitOptions, parseLimits } from "./limits.ts";
import { METRICS_FLAGS, type MetricsOptions, parseMetrics } from "./metrics.ts";
import { type ListenAddress, listenFlags, parseListenAddress } from "./listen_address.ts";
import { PROXY_FLAGS } from "./proxy_protocol.ts";
import { SERVICE_FLAGS } from "./service_manager.ts";
import { parseTls, TLS_FLAGS, type TlsServerChoice } from "./tls_server.ts";

/** The flags of a server that listens on `port` of localhost by default. */
export function servingFlags(
  port: number,
):
  & ReturnType<typeof listenFlags>
  & typeof SERVICE_FLAGS
  & typeof METRICS_FLAGS
  & typeof TLS_FLAGS
  & typeof ACCESS_FLAGS
  & typeof PROXY_FLAGS
  & typeof LIMIT_FLAGS {
  return {
    ...listenFlags(port),
    ...SERVICE_FLAGS,
    ...METRICS_FLAGS,
    ...TLS_FLAGS,
    ...ACCESS_FLAGS,
    ...PROXY_FLAGS,
    ...LIMIT_FLAGS,
  };
}

/** The part of a server's help about permissions; `flags` are what it needs with --host 127.0.0.1. */
export function permissionsHelp(flags: string): string {
  return `With Deno and --host 127.0.0.1, these are enough, and --allow-read for files that are named:
  ${flags}
docs/operate.md has the flags of each job, also those of 'node --permission'.`;
}

/** The listen address of a server. */
export interface ListeningOptions {
  /** A socket that systemd passes goes before it. */
  readonly listenAddress: ListenAddress;
  /** Whether systemd has started it. */
  readonly systemd: boolean;
  /** Undefined: no metrics. */
  readonly metrics: MetricsOptions | undefined;
  /** Undefined: no TLS. */
  readonly tls: TlsServerChoice | undefined;
  /** The clients that may connect. Undefined is all. */
  readonly access: AccessOptions | undefined;
}

/** The listen address of a server, and its limits. */
export interface ServingOptions extends ListeningOptions {
  readonly limits: LimitOptions;
}

/**
 * Makes what the flags of {@linkcode servingFlags} say. Throws a UsageError for flags that do not go
 * together.
 */
export function parseServing(
  values: Values<ReturnType<typeof servingFlags>>,
  defaultPort: number,
): ServingOptions {
  const tls = parseTls(values);
  const listenAddress = parseListenAddress(values, defaultPort, tls !== undefined);
  const access = parseAccess(values, shareOf(values.host, values));
  const { systemd } = values;
  const metrics = parseMetrics(values, systemd ? {} : listenAddress);
  return { listenAddress, systemd, metrics, tls, access, limits: parseLimits(values) };
}
