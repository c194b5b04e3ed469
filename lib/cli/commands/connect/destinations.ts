/**
 * The destinations of `connect` on its command line.
 *
 * @module
 */

import type { OnEof } from "../../../protocols/join.ts";
import type { Endpoint } from "../../../base/addr.ts";
import type { Destination } from "../../options/destination.ts";
import { noMoreThanEndpoint, parseEndpoint } from "../../options/endpoint.ts";
import { UsageError, type Values } from "../../io/flags.ts";
import { socatHint } from "../../advice/socat.ts";
import { parseDialTls, type TLS_CLIENT_FLAGS } from "../../options/tls_client.ts";

/** The flags that say where to. */
export interface DestinationValues extends Values<typeof TLS_CLIENT_FLAGS> {
  readonly unix: string;
  readonly quiet: boolean;
  readonly probe: boolean;
  readonly hex: boolean;
  readonly crlf: boolean;
  readonly udp: boolean;
  readonly broadcast: boolean;
  readonly "on-eof": OnEof | undefined;
  readonly "idle-timeout": number;
}

/** A peer for datagrams. */
export type DatagramPeer = Endpoint & { readonly udp: true; readonly broadcast: boolean };

/**
 * Makes the destination that the command line says; with a range of ports, which only `--probe` takes, all
 * of them. Throws a {@linkcode UsageError}.
 */
export function parseDestinations(
  values: DestinationValues,
  positionals: string[],
): (Destination | DatagramPeer)[] {
  checkCombination(values);
  const { unix } = values;
  const secure = parseDialTls(values);
  if (unix !== "") {
    if (positionals.length > 0) {
      throw new UsageError(`Option --unix says where to connect to: leave '${positionals[0]}' out`);
    }
    return [{ path: unix }];
  }
  const endpoints = endpointsOf(positionals, values.quiet);
  if (endpoints.length > 1 && !values.probe) {
    throw new UsageError(`'${positionals[0]}': only --probe (-z) takes a range of ports`);
  }
  const { broadcast } = values;
  if (values.udp) return endpoints.map((endpoint) => ({ ...endpoint, udp: true, broadcast }));
  return endpoints.map((endpoint) => ({ ...endpoint, ...secure }));
}

const EXCLUDE_EACH_OTHER = [
  ["unix", "tls"],
  ["udp", "unix"],
  ["udp", "tls"],
  // A probe sends and receives nothing, and without that there is nothing to see over UDP.
  ["probe", "udp"],
  ["probe", "hex"],
  ["probe", "crlf"],
  ["probe", "on-eof"],
  ["probe", "idle-timeout"],
] as const;

function checkCombination(values: DestinationValues): void {
  for (const [one, other] of EXCLUDE_EACH_OTHER) {
    if (values[one] && values[other]) {
      throw new UsageError(`Options --${one} and --${other} exclude each other`);
    }
  }
  if (values.udp && values["on-eof"] === "wait") {
    throw new UsageError("Option --on-eof cannot be wait over UDP, where no end of the peer comes");
  }
}

function endpointsOf([text, ...more]: readonly string[], quiet: boolean): Endpoint[] {
  if (text === undefined) throw new UsageError("connect needs HOST:PORT, or --unix PATH");
  // socat has stdin as its first address.
  const [address, next] = /^(-|STDIO)$/i.test(text) ? more : [text, more[0]];
  const socat = address === undefined ? undefined : socatHint(address, next);
  if (socat !== undefined) throw new UsageError(`'${address}' is not HOST:PORT; ${socat}`);
  // As nc has it, where -q takes seconds.
  if (quiet && /^\d+$/.test(text) && more.length > 0) {
    throw new UsageError(`Option -q is --quiet and takes no value: leave '${text}' out`);
  }
  noMoreThanEndpoint(text, more, "what is sent comes on stdin");
  const [, start, last] = /^(.*:\d+)-(\d+)$/.exec(text) ?? [, text];
  const first = parseEndpoint(start);
  const { host, port } = last === undefined ? first : parseEndpoint(start.replace(/\d+$/, last));
  if (port < first.port) {
    throw new UsageError(`'${text}' is not a range: write the lower port first`);
  }
  return Array.from({ length: port - first.port + 1 }, (_, i) => ({ host, port: first.port + i }));
}
