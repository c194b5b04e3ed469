/**
 * The kernel's tables of this machine's sockets, in `/proc/net`. Only on Linux, and on Deno
 * with all permissions: with fewer, Deno would ask the user for them.
 *
 * @module
 */

import { endianness } from "node:os";
import { nodeFs } from "../../base/builtins.deno.ts";
import { formatIP } from "../../base/ip.ts";
import { mayReadProc } from "../../base/proc.deno.ts";
import { ownAddresses } from "../serving/own_addresses.ts";

/** The addresses of this machine; undefined where they are unknown. */
export function machineAddresses(): ReturnType<typeof ownAddresses> {
  return mayReadProc() ? ownAddresses() : undefined;
}

/** A socket of this machine that listens, or takes datagrams. */
export interface OwnSocket {
  /** An IP address; `0.0.0.0` and `::` are all addresses. */
  readonly host: string;
  readonly port: number;
  /** The number of connections that wait to be accepted. */
  readonly waiting: number;
  /** The number of its inode, which the descriptors of processes name. */
  readonly inode: string;
}

/** The most bytes of a table that are read. */
const MAX_TABLE = 4 * 1024 * 1024;

/** The states of sockets that listen, and of those for datagrams that have no peer. */
const STATES = { tcp: "0A", udp: "07" } as const;

/**
 * The sockets that listen (`tcp`), or take datagrams of anybody (`udp`). Undefined where they are
 * unknown.
 */
export function ownSockets(kind: "tcp" | "udp"): OwnSocket[] | undefined {
  if (!mayReadProc()) return undefined;
  const tables = [kind, `${kind}6`].map((name) => socketsIn(`/proc/net/${name}`, kind));
  if (tables.every((table) => table === undefined)) return undefined;
  return tables.flatMap((table) => table ?? []);
}

function socketsIn(path: string, kind: "tcp" | "udp"): OwnSocket[] | undefined {
  const found: OwnSocket[] = [];
  try {
    for (const line of linesOf(path)) {
      // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
      const [, local = "", , state, queues = "", , , , , inode = ""] = line.trim().split(/\s+/);
      const [host, port] = local.split(":");
      if (state === STATES[kind]) {
        const waiting = parseInt(queues.split(":")[1], 16);
        found.push({ host: addressOf(host), port: parseInt(port, 16), waiting, inode });
      } else if (kind === "tcp") {
        // The kernel lists listening sockets first. The rest are connections.
        break;
      }
    }
  } catch {
    return undefined;
  }
  return found;
}

/** Yields the lines of a table without its head, and reads the file only as far as needed. */
function* linesOf(path: string): Generator<string> {
  const fd = nodeFs().openSync(path, "r");
  try {
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    let rest = "";
    for (let read = 0, n; read < MAX_TABLE && (n = nodeFs().readSync(fd, buffer)) > 0; read += n) {
      const lines = (rest + decoder.decode(buffer.subarray(0, n), { stream: true })).split("\n");
      rest = lines.pop()!;
      yield* read === 0 ? lines.slice(1) : lines;
    }
  } finally {
    nodeFs().closeSync(fd);
  }
}

/** An address as the kernel writes it: words of 32 bits, in the order of the machine. */
function addressOf(hex: string): string {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  if (endianness() === "LE") {
    for (let word = 0; word < bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  }
  const mapped = bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((byte) => byte === 0);
  return formatIP([...mapped ? bytes.subarray(12) : bytes]);
}

/** A process that has a socket. */
export interface Owner {
  readonly name: string;
  readonly pid: number;
}

/** A process that has a socket, if it is found before `isLate`. The youngest are looked at first. */
export function ownerOf(inode: string, isLate: () => boolean): Owner | undefined {
  const wanted = `socket:[${inode}]`;
  const pids = numbersIn("/proc").sort((a, b) => Number(b) - Number(a));
  for (const pid of pids) {
    if (isLate()) return undefined;
    for (const fd of numbersIn(`/proc/${pid}/fd`)) {
      if (linkOf(`/proc/${pid}/fd/${fd}`) !== wanted) continue;
      return { name: textOf(`/proc/${pid}/comm`)?.trim() ?? "?", pid: Number(pid) };
    }
  }
  return undefined;
}

/** The sockets that this process has itself, such as that of its live page. */
export function inodesOfThisProcess(): Set<string> {
  const links = numbersIn("/proc/self/fd").map((fd) => linkOf(`/proc/self/fd/${fd}`));
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link ?? "")?.[1] ?? []));
}

function numbersIn(folder: string): string[] {
  try {
    return nodeFs().readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return nodeFs().readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The text of a small file of the system; undefined if it cannot be read. */
export function textOf(path: string): string | undefined {
  if (!mayReadProc()) return undefined;
  try {
    return nodeFs().readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Whether a host in the same network answers, by `/proc/net/arp`. Undefined if it has no entry. */
export function isNeighbour(host: string): boolean | undefined {
  for (const line of textOf("/proc/net/arp")?.split("\n") ?? []) {
    const [address, , flags] = line.trim().split(/\s+/);
    if (address === host) return (Number(flags) & 0x2) !== 0;
  }
  return undefined;
}
