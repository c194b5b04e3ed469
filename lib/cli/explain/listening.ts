/**
 * Why a server cannot listen: who has the address, or what is missing.
 *
 * @module
 */

import { formatAddr, type TcpAddr } from "../../base/addr.ts";
import { type Cause, describeOwner } from "./connecting.ts";
import { machineAddresses, ownSockets, textOf } from "./kernel_sockets.ts";

/** The most addresses that are named. */
const MOST_ADDRESSES = 6;

/** Finds the program that listens on the port. Undefined if that was not possible. */
export function whyInUse({ host, port }: TcpAddr, isLate: () => boolean): Cause | undefined {
  const kinds = ["tcp", "udp"] as const;
  const sockets = kinds.flatMap((kind) => ownSockets(kind) ?? []);
  const all = ["0.0.0.0", "::"];
  const having = sockets.filter((socket) => socket.port === port);
  const found = having.find((socket) => socket.host === host) ??
    having.find((socket) => all.includes(socket.host) || all.includes(host));
  if (found === undefined) return undefined;
  const owner = describeOwner(found, isLate);
  return {
    why: `A program${owner} has ${formatAddr(found)}`,
    next: "Stop the program that has it, or choose another address or port",
  };
}

/** Why a port needs a right. Undefined if that could not be found. */
export function whyPrivileged({ port }: TcpAddr): Cause | undefined {
  const path = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  const first = Number(textOf(path) ?? NaN);
  if (!(port < first)) return undefined;
  return {
    why: `Ports below ${first} are privileged: this machine says so in ${path}`,
    next: `Choose one from ${first} up, or run with the right to bind`,
  };
}

/** Finds the addresses of this machine. Undefined if that was not possible. */
export function whyNotOwn(): Cause | undefined {
  const own = machineAddresses();
  if (own === undefined || own.length === 0) return undefined;
  const list = own.slice(0, MOST_ADDRESSES).map(({ address }) => address).join(", ");
  return { why: "", next: `Choose one of its own (${list}), or the empty host for all` };
}
