/**
 * The listen address of a server: its flags, and the options of a transport's `listen` that they
 * make.
 *
 * @module
 */

import { type Flag, integer, needing, optional, UsageError, type Values } from "../io/flags.ts";
import { hostFlag, isAnyHost } from "./host.ts";
import { socketPath } from "./socket_path.ts";

/** File permissions in octal, as chmod(1) has them. */
function mode(help: string): Flag<number | undefined> {
  const parse = (value: string) => {
    if (/^[0-7]{3,4}$/.test(value) && parseInt(value, 8) <= 0o777) return parseInt(value, 8);
    throw new UsageError(`takes permissions in octal, as 600 or 660, not '${value}'`);
  };
  return { arg: "MODE", help, fallback: undefined, parse };
}

/** The flags of a Unix socket. */
export const UNIX_FLAGS: {
  readonly unix: Flag<string>;
  readonly "unix-mode": Flag<number | undefined>;
} = {
  unix: socketPath("listen on a Unix socket instead"),
  "unix-mode": needing("unix", mode("permissions of its file, as 600 (default by the umask)")),
};

/** The flags of where a server listens. */
type PlaceFlagSet = typeof UNIX_FLAGS & {
  readonly host: Flag<string | undefined>;
  readonly port: Flag<number | undefined>;
  readonly backlog: Flag<number | undefined>;
};

/** The flags of where a server listens, by default on `port` of localhost. */
export function placeFlags(port: number): PlaceFlagSet {
  return {
    host: optional(
      hostFlag("", "address; 0.0.0.0, :: or '' for any (default localhost)"),
    ),
    port: optional(
      integer("PORT", [0, 65535], port, `port; 0 lets the kernel choose (default ${port})`),
    ),
    backlog: optional(
      integer("N", [1, 65535], 511, "connections that may wait to be accepted (default 511)"),
    ),
    ...UNIX_FLAGS,
  };
}

/** A port to listen at. */
export interface InetPlace {
  /** "" is any address. */
  readonly host: string;
  readonly port: number;
  readonly backlog: number | undefined;
}

/** A place to listen at: what a transport takes. */
export type Place = InetPlace | { readonly path: string; readonly mode: number | undefined };

/**
 * The place that --unix names, if it was given. Throws a {@linkcode UsageError} if one of `others` was
 * given beside it, which are named by what they hold: something else than undefined or false.
 */
export function unixPlace(
  flags: Values<typeof UNIX_FLAGS>,
  others: Readonly<Record<string, unknown>>,
): Place & { readonly path: string } | undefined {
  const { unix: path, "unix-mode": mode } = flags;
  if (path === "") return undefined;
  const given = Object.keys(others).find((name) =>
    others[name] !== undefined && others[name] !== false
  );
  if (given !== undefined) {
    const option = given === "tls" ? "TLS" : `--${given}`;
    throw new UsageError(`Option --unix goes without ${option}`);
  }
  return { path, mode };
}

/** Makes the place that the flags say. Throws a {@linkcode UsageError} if they do not go together. */
export function parsePlace(flags: Values<PlaceFlagSet>, defaultPort: number, tls: boolean): Place {
  const { host, port, backlog } = flags;
  const unix = unixPlace(flags, { host, port, tls, backlog });
  if (unix !== undefined) return unix;
  const anywhere = host !== undefined && isAnyHost(host);
  return { host: anywhere ? "" : host ?? "localhost", port: port ?? defaultPort, backlog };
}

/** In words. */
export function describePlace(place: Place): string {
  if ("path" in place) return place.path;
  return `${place.host === "" ? "any address" : place.host} port ${place.port}`;
}
