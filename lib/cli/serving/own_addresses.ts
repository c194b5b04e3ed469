/**
 * The addresses at which a server can be reached: its URL, and the addresses of one that listens on
 * all of them.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import { type Addr, formatAddr, type UdpAddr } from "../../base/addr.ts";

type Interfaces = ReturnType<typeof networkInterfaces>;

/** Said where Deno's permissions hide the addresses. */
export const NOT_TOLD =
  "this machine's addresses are not told: run again with --allow-sys=networkInterfaces";

/**
 * The machine's addresses; those of IPv4 first, since they are easier to type. Those that are good
 * on one link only (`fe80:`) are left out. Undefined if Deno's permissions hide them.
 */
export function ownAddresses(
  interfaces: () => Interfaces = networkInterfaces,
): { readonly address: string; readonly internal: boolean }[] | undefined {
  let all;
  try {
    all = Object.values(interfaces()).flatMap((addresses) => addresses ?? []);
  } catch {
    return undefined;
  }
  const usable = all.filter(({ address }) => !/^fe80:/i.test(address));
  return [
    ...usable.filter(({ family }) => family === "IPv4"),
    ...usable.filter(({ family }) => family !== "IPv4"),
  ];
}

/** The URL of where it listens: `tcp://127.0.0.1:10000`, `tls://…`, `unix:/run/echo.sock`. */
export function urlOf(addr: Addr | UdpAddr, scheme: string = addr.transport): string {
  return addr.transport === "unix" ? `unix:${addr.path}` : `${scheme}://${formatAddr(addr)}`;
}

/** Lines that tell at which addresses a server can be reached that listens on all of them. */
export function describeReach(port: number, scheme: string): string[] {
  const addresses = ownAddresses();
  if (addresses === undefined) return [NOT_TOLD];
  return addresses.map(({ address }) =>
    `reachable at ${scheme}://${formatAddr({ host: address, port })}`
  );
}
