/**
 * Which server a client connects to, by flags: a host and port, with TLS or without, or a Unix socket.
 *
 * @module
 */

import type { DialOptions, DialUnixOptions } from "../dial.ts";
import { type Flag, integer, path, text, UsageError, type Values } from "./flags.ts";
import { TLS_CLIENT_FLAGS, tlsOf } from "./tls_client.ts";

/** The flags. */
export const TARGET_FLAGS: typeof TLS_CLIENT_FLAGS & {
  readonly host: Flag<string>;
  readonly port: Flag<number>;
  readonly unix: Flag<string>;
} = {
  host: text("HOST", "localhost", "name or address of the server (default localhost)"),
  port: integer("PORT", [1, 65535], 10000, "port of the server (default 10000)"),
  unix: path("connect to this socket file instead"),
  ...TLS_CLIENT_FLAGS,
};

/** What `dial` takes. Throws a {@linkcode UsageError} for flags that do not go together. */
export function targetOf(values: Values<typeof TARGET_FLAGS>): DialOptions | DialUnixOptions {
  const secure = tlsOf(values);
  const { host, port, unix } = values;
  if (unix === "") return { host, port, ...secure };
  const other = (["tls", "host", "port"] as const).find((name) =>
    values[name] !== TARGET_FLAGS[name].fallback
  );
  if (other === undefined) return { path: unix };
  throw new UsageError(`Options --unix and --${other} exclude each other`);
}

/** In words. */
export function describeTarget(target: DialOptions | DialUnixOptions): string {
  return "path" in target ? target.path : `${target.host} port ${target.port}`;
}
