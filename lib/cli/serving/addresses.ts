/**
 * The addresses at which a server can be reached that listens on all of them.
 *
 * @module
 */

import { networkInterfaces } from "node:os";

type Interfaces = ReturnType<typeof networkInterfaces>;

/** Said where Deno's permissions hide the addresses. */
export const NOT_TOLD =
  "this machine's addresses are not told: run again with --allow-sys=networkInterfaces";

/** The empty host and its other names: every address that the machine has. */
export function isAnyHost(host: string): boolean {
  return ["", "::", "0.0.0.0"].includes(host);
}

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
