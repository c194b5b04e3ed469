/**
 * Why nobody takes a connection: what can be checked on this machine, without connecting once more.
 *
 * @module
 */

import { type Endpoint, formatAddr, type TcpAddr } from "../../base/addr.ts";
import { isLoopback, parseIP } from "../../base/ip.ts";
import { counted } from "../../base/counted.ts";
import {
  inodesOfThisProcess,
  isNeighbour,
  machineAddresses,
  ownerOf,
  type OwnSocket,
  ownSockets,
  textOf,
} from "./kernel_sockets.ts";
import type { Manner } from "./next_command.ts";

/** A cause: why it failed, and the next step, as sentences. */
export interface Cause {
  readonly why: string;
  readonly next: string;
}

/** The most ports that are named. */
const MOST_PORTS = 4;

/** All addresses of a family, and how this machine reaches itself there. */
const LOOPBACK: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Whether an address is one of this machine; undefined where nothing tells. */
export function isOwn(host: string): boolean | undefined {
  if (host in LOOPBACK || parseIP(host) !== undefined && isLoopback(host)) return true;
  return machineAddresses()?.some(({ address }) => address === host);
}

/** Whether a socket takes what comes for `host`. On Linux that of `::` takes IPv4 as well, as a rule. */
export function takes(socket: OwnSocket, host: string): boolean {
  if (socket.host === host) return true;
  if (socket.host === "::") return !host.includes(":") ? dualStack() : true;
  return socket.host === "0.0.0.0" && !host.includes(":");
}

/** The address at which this machine reaches a socket of its own. */
export function reachable({ host, port }: OwnSocket): Endpoint {
  return { host: LOOPBACK[host] ?? host, port };
}

function dualStack(): boolean {
  return textOf("/proc/sys/net/ipv6/bindv6only")?.trim() !== "1";
}

/** A process in words: `deno, pid 12`; `""` if it is not known. */
export function describeOwner({ inode }: OwnSocket, isLate: () => boolean): string {
  const owner = ownerOf(inode, isLate);
  return owner === undefined ? "" : ` (${owner.name}, pid ${owner.pid})`;
}

/** Why the `tried` addresses refused. Undefined if nothing could be checked. */
export function whyRefused(
  tried: readonly TcpAddr[],
  manner: Manner,
  isLate: () => boolean,
): Cause | undefined {
  const [{ port }] = tried;
  if (tried.some(({ host }) => isOwn(host) === undefined)) return undefined;
  if (!tried.every(({ host }) => isOwn(host))) {
    return {
      why: `The host answered that port ${port} takes no connections: the network is in order`,
      next: "Check the port, and that the server listens on that address and not on its localhost",
    };
  }
  const sockets = ownSockets("tcp");
  if (sockets === undefined) return undefined;
  const there = sockets.filter((socket) => socket.port === port);
  if (there.length === 0) return nothingThere(port, sockets, manner, tried[0]);
  const taking = there.find((socket) => tried.some(({ host }) => takes(socket, host)));
  if (taking !== undefined) {
    return {
      why: `A server listens there now${describeOwner(taking, isLate)}: it has just started, or ` +
        "a firewall of this machine refuses",
      next: "Try again",
    };
  }
  const [first] = there;
  const near = reachable(first);
  const not = tried.map((addr) => formatAddr(addr)).join(" or ");
  return {
    why: `A server listens at ${formatAddr(near)}${
      describeOwner(first, isLate)
    }, but not at ${not}`,
    next: manner.at(near),
  };
}

function nothingThere(
  port: number,
  sockets: readonly OwnSocket[],
  manner: Manner,
  { host }: TcpAddr,
): Cause {
  const why = `Nothing listens at port ${port} of this machine`;
  if (ownSockets("udp")?.some((socket) => socket.port === port)) {
    return {
      why: `${why}, but a program takes datagrams there`,
      next: manner.datagrams({ host, port }),
    };
  }
  const own = inodesOfThisProcess();
  const others = sockets.filter((socket) => takes(socket, host) && !own.has(socket.inode));
  const ports = [...new Set(others.map(({ port }) => port))]
    .sort((a, b) => Math.abs(a - port) - Math.abs(b - port));
  if (ports.length === 0) return { why, next: "Start the server, and try again" };
  // One digit too many, too few or wrong is what happens to ports.
  const near = ports.find((other) => Math.abs(other - port) <= 10);
  const more = ports.length > MOST_PORTS ? " and others" : "";
  const list = `${ports.slice(0, MOST_PORTS).sort((a, b) => a - b).join(", ")}${more}`;
  return {
    why: `${why}. Servers listen at ${list}`,
    next: near === undefined
      ? "Start the server, or check the port"
      : `Start the server, or check the port. ${manner.at({ host, port: near })}`,
  };
}

/** Why none of the `tried` addresses answered in time. Undefined if nothing could be checked. */
export function whySilent(tried: readonly TcpAddr[], isLate: () => boolean): Cause | undefined {
  if (tried.some(({ host }) => isOwn(host) === undefined)) return undefined;
  const own = tried.filter(({ host }) => isOwn(host));
  if (own.length === 0) return whyFarSilent(tried);
  const sockets = ownSockets("tcp");
  if (sockets === undefined) return undefined;
  const there = sockets.find((socket) =>
    own.some(({ host, port }) => socket.port === port && takes(socket, host))
  );
  if (there === undefined) {
    return {
      why: `Nothing listens there, and no refusal came: a firewall of this machine drops it`,
      next: "See 'nft list ruleset', as root",
    };
  }
  const who = describeOwner(there, isLate);
  return {
    why: there.waiting > 0
      ? `A server listens there${who} and accepts nobody: ${
        counted(there.waiting, "connection")
      } in its queue`
      : `A server listens there${who}, and no answer came: a firewall of this machine drops it`,
    next: there.waiting > 0
      ? "Wait until it accepts some, or start it anew"
      : "See 'nft list ruleset', as root",
  };
}

function whyFarSilent(tried: readonly TcpAddr[]): Cause {
  const [{ host }] = tried;
  const answers = isNeighbour(host);
  if (answers === true) {
    return {
      why: "The host is up, as its answer in the network (ARP) says, and sends no refusal: a " +
        "firewall drops what is sent to that port",
      next: "Check the port, or ask who runs that host's firewall",
    };
  }
  if (answers === false) {
    return {
      why: "No host with that address answers in this network (ARP)",
      next: "Check the address, and that the host is up",
    };
  }
  return {
    why: "No answer came at all, and no refusal: a firewall drops it, or the host is not up",
    next: "Check the address, or ask who runs that host's firewall",
  };
}

/** Why there is no way to an address. Undefined if nothing could be checked. */
export function whyUnreachable({ host }: Endpoint): Cause | undefined {
  const all = machineAddresses();
  if (all === undefined || parseIP(host) === undefined) return undefined;
  // An address of the loopback is reached from there, and all others from a network.
  const loopback = isLoopback(host);
  const own = all.filter(({ internal }) => internal === loopback);
  const six = host.includes(":");
  const [family, other] = six ? ["IPv6", "IPv4"] : ["IPv4", "IPv6"];
  if (own.some(({ address }) => address.includes(":") === six)) return undefined;
  const kind = loopback ? "loopback address" : "address of a network";
  if (own.length > 0) {
    const use = loopback ? LOOPBACK[six ? "0.0.0.0" : "::"] : `an address of ${other}`;
    return { why: `This machine has no ${family} ${kind}`, next: `Use ${use}` };
  }
  return {
    why: `This machine has no ${kind}`,
    next: loopback ? "See 'ip link show lo'" : "Connect it to a network, and try again",
  };
}
