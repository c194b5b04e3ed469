/**
 * The flag of a server of HTTP about the proxies in front of it.
 *
 * @module
 */

import { type Flag, UsageError } from "../io/flags.ts";
import { proxyNetworks, UNIX_PEERS } from "./access_flags.ts";

/** The flag. */
export const TRUST_PROXY_FLAG: Flag<readonly string[]> = proxyNetworks(
  "believe what these proxies say (see below); repeatable",
);

/** The part of a server's help about it. */
export const TRUST_PROXY_HELP: string =
  `--trust-proxy has the networks of proxies in front of the server; 'unix' is who connects to
--unix. What they say in Forwarded, X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host counts
as the address, scheme and host of the client: in the log, and for --allow and --deny, which
answer 403. The client is the last address that is not a proxy's. If a field is not valid, or
contradicts another, the answer is 400. The proxies may connect themselves, and have no
--max-per-address. They must set or remove all four fields, since what they let through comes from
anybody.`;

/**
 * Makes the list that the flag asks for. Throws a {@linkcode UsageError} if it does not go with where
 * the server listens.
 */
export function parseTrustProxy(
  values: { readonly "trust-proxy": readonly string[]; readonly unix: string },
): readonly string[] {
  const { "trust-proxy": trusted, unix } = values;
  // Networks beside 'unix' are those of proxies in front of the nearest one.
  if (unix !== "" && trusted.length > 0 && !trusted.includes(UNIX_PEERS)) {
    throw new UsageError(
      "Option --trust-proxy: a client of --unix has no network; say 'unix' here, too",
    );
  }
  return trusted;
}
