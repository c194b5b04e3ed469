/**
 * The flag of toxiproxy's API, and the flags that need a target.
 *
 * @module
 */

import { type Flag, integer, optional, UsageError, type Values } from "../../../io/flags.ts";
import { INSTRUMENT_FLAGS, MAX_SEED } from "../../../options/instrument_flags.ts";
import type { ServingOptions } from "../../../options/serving.ts";
import type { ToxiproxyOptions } from "./server.ts";

/** The flags; the seed is for toxics, too. */
export const TOXIPROXY_FLAGS: {
  readonly "toxiproxy-api": Flag<number | undefined>;
  readonly seed: Flag<number | undefined>;
} = {
  "toxiproxy-api": optional(
    integer("PORT", [0, 65535], 8474, "take toxiproxy's clients at this port of 127.0.0.1"),
  ),
  seed: { ...INSTRUMENT_FLAGS.seed, needs: undefined },
};

/** The flags of a relay that mean nothing without a target. */
const OF_TARGET = [
  ...["cacert", "insecure", "cert", "key", "servername"],
  ...["host", "port", "backlog", "unix", "unix-mode", "metrics"],
  ...[
    "tls-cert",
    "tls-key",
    "tls-key-passphrase-file",
    "tls-dir",
    "tls-self-signed",
    "tls-client-ca",
  ],
];

/** Parses the options of the API. Undefined without its flag. Throws a {@linkcode UsageError}. */
export function parseToxiproxy(
  values: Values<typeof TOXIPROXY_FLAGS> & {
    readonly fault: readonly string[];
    readonly to: readonly string[];
    readonly "connect-timeout": number;
    readonly workers: number | undefined;
  },
  { limits }: ServingOptions,
): ToxiproxyOptions | undefined {
  const { "toxiproxy-api": port, seed, fault, to, workers } = values;
  if (port === undefined) {
    if (seed === undefined || fault.length > 0) return undefined;
    throw new UsageError("Option --seed needs --fault or --toxiproxy-api");
  }
  if (workers !== undefined && workers > 0) {
    throw new UsageError("Option --toxiproxy-api cannot be used with --workers");
  }
  const given = Object.entries(values).find(([name, value]) => OF_TARGET.includes(name) && value);
  if (to.length === 0 && given !== undefined) {
    throw new UsageError(`Option --${given[0]} is for a relay with a target: --to HOST:PORT`);
  }
  const chance = Math.floor(Math.random() * (MAX_SEED + 1));
  return { port, seed: seed ?? chance, limits, connectTimeout: values["connect-timeout"] };
}
