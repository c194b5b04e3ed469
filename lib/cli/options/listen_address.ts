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
type ListenFlagSet = typeof UNIX_FLAGS & typeof FD_FLAGS & {
  readonly host: Flag<string | undefined>;
  readonly port: Flag<number | undefined>;
  readonly backlog: Flag<number | undefined>;
};

/** The flags of where a server listens, by default on `port` of localhost. */
export function listenFlags(port: number): ListenFlagSet {
  return {
    host: optional(
      hostFlag("", "address; 0.0.0.0, :: or '' for any (default localhost)"),
    ),
    port: optional(
      integer("PORT", [0, 65535], port, `port; 0 lets the kernel choose (default ${port})`),
    ),
    backlog: optional(
      integer("N", [1, 65535], 4096, "connections that may wait to be accepted (default 4096)"),
    ),
    ...UNIX_FLAGS,
    ...FD_FLAGS,
  };
}

/** The flag of a socket that is bound already. */
export const FD_FLAGS: { readonly fd: Flag<number | undefined> } = {
  fd: optional(
    integer("N", [0, 65535], 0, "serve at the socket it inherits as descriptor N (Node only)"),
  ),
};

/** A port to listen at. */
export interface InetListenAddress {
  /** "" is any address. */
  readonly host: string;
  readonly port: number;
  readonly backlog: number | undefined;
  /** Whether other processes may listen there, too. Default: no. */
  readonly reusePort?: boolean;
}

/** The same, where the port may be open. */
export interface OpenListenAddress extends Pick<InetListenAddress, "host" | "reusePort"> {
  readonly port: number | undefined;
}

/** A Unix socket to listen at. */
export interface UnixListenAddress {
  readonly path: string;
  /** The permissions of its file. */
  readonly mode: number | undefined;
}

/** A socket that is bound already. */
export interface InheritedListenAddress {
  /** Its descriptor. */
  readonly fd: number;
}

/** A listen address, as a transport takes it. */
export type ListenAddress = InetListenAddress | UnixListenAddress | InheritedListenAddress;

/**
 * The listen address that --unix or --fd names, if one was given. Throws a {@linkcode UsageError} if one of
 * `others` was given beside it, which are named by what they hold: something else than undefined or
 * false. TLS goes with --fd.
 */
export function namedListenAddress(
  flags: Values<typeof UNIX_FLAGS & typeof FD_FLAGS>,
  { tls, ...others }: Readonly<Record<string, unknown>>,
): UnixListenAddress | InheritedListenAddress | undefined {
  const { unix: path, "unix-mode": mode, fd } = flags;
  const refuse = (option: string, refused: Readonly<Record<string, unknown>>) => {
    const given = Object.keys(refused).find((name) =>
      refused[name] !== undefined && refused[name] !== false
    );
    if (given === undefined) return;
    throw new UsageError(
      `Option ${option} cannot be used with ${given === "tls" ? "TLS" : `--${given}`}`,
    );
  };
  if (path !== "") {
    refuse("--unix", { ...others, tls, fd });
    return { path, mode };
  }
  if (fd === undefined) return undefined;
  refuse("--fd", others);
  return { fd };
}

/** Makes the listen address that the flags say. Throws a {@linkcode UsageError} if they do not go together. */
export function parseListenAddress(
  flags: Values<ListenFlagSet>,
  defaultPort: number,
  tls: boolean,
): ListenAddress {
  const { host, port, backlog } = flags;
  const named = namedListenAddress(flags, { host, port, tls, backlog });
  if (named !== undefined) return named;
  const anywhere = host !== undefined && isAnyHost(host);
  return { host: anywhere ? "" : host ?? "localhost", port: port ?? defaultPort, backlog };
}

/** In words. */
export function describeListenAddress(listenAddress: ListenAddress): string {
  if ("path" in listenAddress) return listenAddress.path;
  if ("fd" in listenAddress) return `the socket of descriptor ${listenAddress.fd}`;
  return `${
    listenAddress.host === "" ? "any address" : listenAddress.host
  } port ${listenAddress.port}`;
}
