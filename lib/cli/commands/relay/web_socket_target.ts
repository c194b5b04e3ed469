/**
 * The target of `relay`: a socket that carries bytes by itself, or a WebSocket that they are sent
 * over.
 *
 * @module
 */

import type { ClientTls } from "../../../http/client/options.ts";
import { UsageError, type Values } from "../../io/flags.ts";
import { type Destination, formatDestination } from "../../options/destination.ts";
import { parseTrust } from "../../options/tls_client.ts";
import type { ProxyVersion } from "./send_proxy.ts";
import { parseTarget, type TARGET_FLAGS, type TargetOptions } from "./target.ts";

/** A WebSocket that bytes go to, as binary messages. */
export interface WebSocketPlace {
  readonly url: string;
  /** Undefined without TLS. */
  readonly wss: ClientTls | undefined;
}

/** A target of a relay. */
export type RelayTarget = Destination | WebSocketPlace;

/** The target of a relay. Plain data, which workers get, too. */
export interface RelayTargetOptions extends Omit<TargetOptions, "target"> {
  readonly target: RelayTarget;
  /** Undefined: the target is not told who the client is. */
  readonly sendProxy?: ProxyVersion;
}

/** As it is written on the command line. */
export function formatTarget(target: RelayTarget): string {
  return "url" in target ? target.url : formatDestination(target);
}

/** The destination of its socket. */
export function placeOf(target: RelayTarget): Destination {
  if (!("url" in target)) return target;
  const { hostname, port, protocol } = new URL(target.url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return { host, port: Number(port) || (protocol === "wss:" ? 443 : 80) };
}

/** Makes the target that the flags say. Throws a {@linkcode UsageError}. */
export function parseRelayTarget(values: Values<typeof TARGET_FLAGS>): RelayTargetOptions {
  const { to, servername, "connect-timeout": connectTimeout } = values;
  if (!/^wss?:/.test(to)) return parseTarget(values);
  const secure = to.startsWith("wss:");
  if (!/^wss?:\/\//.test(to) || !URL.canParse(to) || /[#@]/.test(to)) {
    throw new UsageError(`Option --to: '${to}' is not ws://HOST:PORT/PATH`);
  }
  const given = (["cacert", "insecure", "cert", "key"] as const).find((name) => values[name]);
  if (!secure && given !== undefined) {
    throw new UsageError(`Option --${given} is for a target with TLS: --to wss://HOST:PORT/PATH`);
  }
  if (servername !== "") {
    throw new UsageError("Option --servername cannot be used with ws:// and wss://");
  }
  return { target: { url: to, wss: secure ? parseTrust(values) : undefined }, connectTimeout };
}
