// What Linux tells of the sockets and processes of this machine, in /proc (proc(5), proc_net_tcp(5)).
// On other systems each answer is the one that tests wait for, so that they go on at once.

import { Buffer } from "node:buffer";
import process from "node:process";
import type { Endpoint } from "../../lib/base/addr.ts";
import { nodeFs } from "../../lib/base/builtins.deno.ts";

/** Whether there is a kernel to ask. */
export const TELLS: boolean = process.platform === "linux";

/** The states of a socket, in the kernel's words. */
const [SYN_SENT, LISTEN] = ["02", "0A"];

/** The timer of a socket that has something to send, and whose peer has no room for it. */
const ZERO_WINDOW = "04";

interface Socket {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  /** How many bytes were sent that the peer has not acknowledged, or wait to be. */
  readonly unsent: number;
  /** Of a listener: how many wait to be accepted; of others: how many bytes wait to be received. */
  readonly received: number;
  /** What it waits for with a timer. */
  readonly timer: string;
}

/** The sockets in a table that are at an endpoint or connected to it: of all, there are thousands. */
function among(table: string, endpoint: Endpoint): Socket[] {
  const there = ` ${spelled(endpoint)} `;
  return table.split("\n").filter((line) => line.includes(there)).map((line) => {
    const [, local, remote, state, queues, timer] = line.trim().split(/\s+/);
    const [unsent, received] = queues.split(":").map((hex) => parseInt(hex, 16));
    return { local, remote, state, unsent, received, timer: timer.split(":")[0] };
  });
}

function sockets(protocol: "tcp" | "udp", endpoint: Endpoint): Socket[] {
  return among(nodeFs().readFileSync(`/proc/net/${protocol}`, "utf8"), endpoint);
}

/** Those of TCP that listen, which come first: to have the kernel tell of all others takes long. */
function listeners(endpoint: Endpoint): Socket[] {
  const file = nodeFs().openSync("/proc/net/tcp", "r");
  try {
    const page = Buffer.alloc(4096);
    let table = "";
    for (
      let n;
      (n = nodeFs().readSync(file, page)) > 0 && !/^ *\d+: \S+ \S+ (?!0A )/m.test(table);
    ) {
      table += page.toString("latin1", 0, n);
    }
    return among(table, endpoint).filter(({ state }) => state === LISTEN);
  } finally {
    nodeFs().closeSync(file);
  }
}

/** An endpoint of IPv4 as it stands there: the address in the order of the machine's bytes. */
function spelled({ host, port }: Endpoint): string {
  const hex = (n: number, digits: number) => n.toString(16).toUpperCase().padStart(digits, "0");
  const bytes = host.split(".").map((byte) => hex(Number(byte), 2));
  return `${bytes.reverse().join("")}:${hex(port, 4)}`;
}

/** Whether somebody listens there. */
export function isListening(endpoint: Endpoint): boolean {
  if (!TELLS) return false;
  const local = spelled(endpoint);
  return listeners(endpoint).some((socket) => socket.local === local);
}

/** Whether a socket for datagrams is there. */
export function isBound(endpoint: Endpoint): boolean {
  if (!TELLS) return false;
  const local = spelled(endpoint);
  return sockets("udp", endpoint).some((socket) => socket.local === local);
}

/** Whether the socket for datagrams that is there has taken all that came. */
export function hasTakenAll(endpoint: Endpoint): boolean {
  if (!TELLS) return true;
  const local = spelled(endpoint);
  return sockets("udp", endpoint).some((socket) => socket.local === local && socket.received === 0);
}

/** Whether somebody is kept waiting who connects there, since more than `backlog` wait already. */
export function keepsWaiting(endpoint: Endpoint, backlog: number): boolean {
  if (!TELLS) return true;
  const there = spelled(endpoint);
  return listeners(endpoint).some(({ local, received }) => local === there && received > backlog) &&
    sockets("tcp", endpoint).some(({ state, remote }) => state === SYN_SENT && remote === there);
}

/** Whether bytes wait to be received on a connection to an endpoint of this machine. */
export function holdsBytes(endpoint: Endpoint): boolean {
  if (!TELLS) return true;
  return sockets("tcp", endpoint).some(({ state, received }) => state !== LISTEN && received > 0);
}

/**
 * Whether all that was sent on the connections to an endpoint of this machine has arrived, or waits
 * since there is no room for it.
 */
export function isAtRest(endpoint: Endpoint): boolean {
  if (!TELLS) return true;
  const ends = sockets("tcp", endpoint).filter(({ state }) =>
    state !== SYN_SENT && state !== LISTEN
  );
  return ends.length > 0 &&
    ends.every(({ unsent, timer }) => unsent === 0 || timer === ZERO_WINDOW);
}

/** Whether each thread of a process stands still, since SIGSTOP has stopped it. */
export function isStopped(pid: number): boolean {
  if (!TELLS) return true;
  return nodeFs().readdirSync(`/proc/${pid}/task`).every((thread) =>
    /\) [TZX] /.test(nodeFs().readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8"))
  );
}

/**
 * How long each thread of a process has run so far. Undefined while one would go on if it had its turn;
 * nothing is left to do for a process that has ended.
 */
export function sleptSince(pid: number): string | undefined {
  if (!TELLS) return "";
  try {
    const threads = nodeFs().readdirSync(`/proc/${pid}/task`).map((thread) =>
      `/proc/${pid}/task/${thread}`
    );
    const asleep = threads.every((at) =>
      /\) [SZX] /.test(nodeFs().readFileSync(`${at}/stat`, "utf8"))
    );
    return asleep
      ? threads.map((at) => nodeFs().readFileSync(`${at}/schedstat`, "utf8")).join()
      : undefined;
  } catch {
    return nodeFs().existsSync(`/proc/${pid}`) ? undefined : "";
  }
}
