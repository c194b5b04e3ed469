// What the kernel tells of the sockets of this machine, in /proc/net (proc_net_tcp(5)).

import { readFileSync } from "node:fs";
import type { Endpoint } from "../lib/transport.ts";

/** The states of a socket, in the kernel's words. */
const [SYN_SENT, LISTEN] = ["02", "0A"];

interface Socket {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  /** Of a listener: how many wait to be accepted; of others: how many bytes wait to be received. */
  readonly received: number;
}

function sockets(protocol: "tcp" | "udp"): Socket[] {
  return readFileSync(`/proc/net/${protocol}`, "utf8").trimEnd().split("\n").slice(1)
    .map((line) => {
      const [, local, remote, state, queues] = line.trim().split(/\s+/);
      return { local, remote, state, received: parseInt(queues.split(":")[1], 16) };
    });
}

/** An endpoint of IPv4 as it stands there: the address in the order of the machine's bytes. */
function spelled({ host, port }: Endpoint): string {
  const hex = (n: number, digits: number) => n.toString(16).toUpperCase().padStart(digits, "0");
  const bytes = host.split(".").map((byte) => hex(Number(byte), 2));
  return `${bytes.reverse().join("")}:${hex(port, 4)}`;
}

/** Whether somebody listens there. */
export function isListening(endpoint: Endpoint): boolean {
  const local = spelled(endpoint);
  return sockets("tcp").some((socket) => socket.state === LISTEN && socket.local === local);
}

/** Whether a socket for datagrams is there. */
export function isBound(endpoint: Endpoint): boolean {
  const local = spelled(endpoint);
  return sockets("udp").some((socket) => socket.local === local);
}

/** Whether the socket for datagrams that is there has taken all that came. */
export function hasTakenAll(endpoint: Endpoint): boolean {
  const local = spelled(endpoint);
  return sockets("udp").some((socket) => socket.local === local && socket.received === 0);
}

/** Whether somebody is kept waiting who connects there, since more than `backlog` wait already. */
export function keepsWaiting(endpoint: Endpoint, backlog: number): boolean {
  const there = spelled(endpoint);
  const all = sockets("tcp");
  return all.some(({ state, remote }) => state === SYN_SENT && remote === there) &&
    all.some(({ state, local, received }) =>
      state === LISTEN && local === there && received > backlog
    );
}
