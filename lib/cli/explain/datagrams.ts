/**
 * Why datagrams get no answer: what can be checked on this machine, without sending one more.
 *
 * @module
 */

import { formatAddr, type UdpAddr } from "../../base/addr.ts";
import { type Cause, describeOwner, isOwn, reachable, takes } from "./connecting.ts";
import { ownSockets } from "./kernel_sockets.ts";
import type { Manner } from "./next_command.ts";

/** Why `peer` refused datagrams, or did not answer them. Undefined if nothing could be checked. */
export function whyUnanswered(
  peer: UdpAddr,
  manner: Manner,
  isLate: () => boolean,
): Cause | undefined {
  const { host, port } = peer;
  const sockets = isOwn(host) ? ownSockets("udp") : undefined;
  if (sockets === undefined) return undefined;
  const there = sockets.filter((socket) => socket.port === port);
  const taking = there.find((socket) => takes(socket, host));
  if (taking !== undefined) {
    return {
      why: `A program takes datagrams there${describeOwner(taking, isLate)}: the port is right`,
      next: "Check what it expects, and that it answers",
    };
  }
  const [other] = there;
  if (other !== undefined) {
    const addr = reachable(other);
    return {
      why: `A program takes datagrams at ${formatAddr(addr)}${describeOwner(other, isLate)}, ` +
        `but not at ${formatAddr(peer)}`,
      next: `${manner.at(addr)} --udp`,
    };
  }
  const why = `Nothing takes datagrams at port ${port} of this machine`;
  const isServer = ownSockets("tcp")?.some((socket) => socket.port === port && takes(socket, host));
  return isServer
    ? { why: `${why}, but a server takes connections there`, next: "Try it without --udp" }
    : { why, next: "Start the server, or check the port" };
}
