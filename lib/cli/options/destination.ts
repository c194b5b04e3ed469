/**
 * The destination of a client, in words and by flags: a host and port, with TLS or without, or a
 * Unix socket.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import type { DialTlsOptions } from "../../dial.ts";
import type { Endpoint } from "../../base/addr.ts";
import { type Flag, integer, UsageError, type Values } from "../io/flags.ts";
import { hostAlone, hostFlag } from "./host.ts";
import { socketPath } from "./socket_path.ts";
import { parseDialTls, TLS_CLIENT_FLAGS } from "./tls_client.ts";

/** The options of `dial`, without its limits. */
export type Destination =
  | Endpoint & Partial<Pick<DialTlsOptions, "tls">>
  | { readonly path: string };

/** An empty one is a mistake, as of a variable in a script that is not set. */
function nameOrAddress(host: string): string {
  if (host !== "") return hostAlone(host);
  throw new UsageError("takes a name or an address, not ''; this machine is localhost");
}

/** The flags of a client that connects to `localhost`, port 10000, by default. */
export const DESTINATION_FLAGS: typeof TLS_CLIENT_FLAGS & {
  readonly host: Flag<string>;
  readonly port: Flag<number>;
  readonly unix: Flag<string>;
} = {
  host: {
    ...hostFlag("localhost", "name or address of the server (default localhost)"),
    parse: nameOrAddress,
  },
  port: integer("PORT", [1, 65535], 10000, "port of the server (default 10000)"),
  unix: socketPath("connect to this socket file instead"),
  ...TLS_CLIENT_FLAGS,
};

/** Makes the destination that the flags say. Throws a {@linkcode UsageError} if they do not go together. */
export function parseDestination(values: Values<typeof DESTINATION_FLAGS>): Destination {
  const secure = parseDialTls(values);
  const { host, port, unix } = values;
  if (unix === "") return { host, port, ...secure };
  const other = (["tls", "host", "port"] as const).find((name) =>
    values[name] !== DESTINATION_FLAGS[name].fallback
  );
  if (other === undefined) return { path: unix };
  throw new UsageError(`Options --unix and --${other} exclude each other`);
}

/** In words. */
export function describeDestination(destination: Destination): string {
  return "path" in destination ? destination.path : `${destination.host} port ${destination.port}`;
}

/** As it is written on the command line. */
export function formatDestination(destination: Destination): string {
  if ("path" in destination) return destination.path;
  return formatAddr({ host: destination.host, port: destination.port });
}
