/**
 * A relay that is its own target: each connection would make the next, until no descriptors are left.
 *
 * @module
 */

import { resolve as absolute } from "node:path";
import { preferred, tcpAddr } from "../../../base/addr.ts";
import { formatIP, parseIP } from "../../../base/ip.ts";
import type { Endpoint } from "../../../base/addr.ts";
import type { Transport } from "../../../net/transport.ts";
import { type Destination, formatDestination } from "../../options/destination.ts";
import { UsageError } from "../../io/flags.ts";
import { ownAddresses } from "../../serving/own_addresses.ts";
import type { ListenAddress } from "../../options/listen_address.ts";

/**
 * Throws a {@linkcode UsageError} if one of the addresses that `target` stands for is where the relay
 * listens. Only addresses, localhost and the name that it listens at are looked at: what other names
 * stand for can change while it runs.
 */
export async function refuseItself(
  listenAddress: ListenAddress,
  target: Destination,
  { resolve }: Pick<Transport, "resolve">,
): Promise<void> {
  if (!await isItself(listenAddress, target, resolve)) return;
  const option = "path" in listenAddress ? "--unix" : "--port";
  throw new UsageError(
    `The relay itself would listen at its target ${
      formatDestination(target)
    }, and connect to itself ` +
      `without end: choose another --to or ${option}`,
  );
}

async function isItself(
  listenAddress: ListenAddress,
  target: Destination,
  resolve: Transport["resolve"],
): Promise<boolean> {
  if ("path" in listenAddress) {
    return "path" in target && absolute(listenAddress.path) === absolute(target.path);
  }
  if ("fd" in listenAddress) return false;
  if ("path" in target || target.port !== listenAddress.port || listenAddress.port === 0) {
    return false;
  }
  const hosts = await hostsOf(target, listenAddress.host, resolve);
  if (listenAddress.host === "") return hosts.some(isOwn);
  return hosts.length > 0 &&
    hosts.includes(canonical(preferred(await resolve(listenAddress)).host));
}

/** The addresses that are known to be tried for `target`. */
async function hostsOf(
  target: Endpoint,
  own: string,
  resolve: Transport["resolve"],
): Promise<string[]> {
  const { host } = target;
  if (parseIP(host) !== undefined) return [reached(canonical(host))];
  if (!["localhost", own.toLowerCase()].includes(host.toLowerCase())) return [];
  return (await resolve(target)).map(({ host }) => canonical(host));
}

/** An address in the one way that it is written here. */
function canonical(host: string): string {
  const { host: unmapped } = tcpAddr(host, 0);
  const bytes = parseIP(unmapped);
  return bytes === undefined ? unmapped : formatIP(bytes);
}

/** Returns the host that is reached: loopback for "any address". */
function reached(host: string): string {
  return host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
}

/** Whether this machine has an address. */
function isOwn(host: string): boolean {
  if (host.startsWith("127.") || host === "::1") return true;
  return ownAddresses()?.some(({ address }) => address === host) ?? false;
}
