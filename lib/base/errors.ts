/**
 * The one error class of the library, and the table of its codes.
 *
 * @module
 */

import { formatAddr } from "./addr.ts";
import type { UdpAddr } from "../net/datagram.ts";
import { adviceFor } from "./error_advice.ts";
import { escapeText } from "./escape.ts";
import type { Addr, Endpoint } from "../net/transport.ts";

/** The operation that failed. */
export type SocketOp =
  | "resolve"
  | "listen"
  | "accept"
  | "connect"
  | "startTls"
  | "acceptTls"
  | "read"
  | "write"
  | "closeWrite"
  | "receive"
  | "send";

/** What a code means, and what to do about it. */
export interface ErrorCodeInfo {
  /** Why it failed, as the middle of a sentence. */
  readonly why: string;
  /** What to do next, as a sentence. */
  readonly next: string;
}

/** Why an operation failed: a key of {@linkcode ERROR_CODES}. */
export type SocketErrorCode =
  | "EACCES"
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "EAFNOSUPPORT"
  | "EAGAIN"
  | "EAI_AGAIN"
  | "EBUSY"
  | "ECANCELED"
  | "ECERT"
  | "ECLOSED"
  | "ECONNABORTED"
  | "ECONNREFUSED"
  | "ECONNRESET"
  | "EHOSTDOWN"
  | "EHOSTUNREACH"
  | "EINVAL"
  | "EMFILE"
  | "EMSGSIZE"
  | "ENETDOWN"
  | "ENETUNREACH"
  | "ENFILE"
  | "ENOBUFS"
  | "ENODEV"
  | "ENOENT"
  | "ENOMEM"
  | "ENOSPC"
  | "ENOTCAPABLE"
  | "ENOTCONN"
  | "ENOTFOUND"
  | "ENOTSOCK"
  | "ENOTSUP"
  | "EPERM"
  | "EPIPE"
  | "EPROTO"
  | "EPROTOTYPE"
  | "ETIMEDOUT"
  | "ETLS"
  | "EUNKNOWN";

/**
 * Every code a {@linkcode SocketError} can carry. POSIX names where there is one; ECERT,
 * ECLOSED, ENOTFOUND, EAI_AGAIN, ENOTCAPABLE, ETLS and EUNKNOWN are not errno values of Linux.
 */
export const ERROR_CODES: Readonly<Record<SocketErrorCode, ErrorCodeInfo>> = {
  EACCES: {
    why: "permission denied",
    next:
      "Ports below 1024 are privileged: choose one from 1024 up, or run with the right to bind.",
  },
  EADDRINUSE: {
    why: "the address is already in use",
    next:
      "Stop the program that has it (`ss -lxtunp` shows it), or choose another address or port.",
  },
  EADDRNOTAVAIL: {
    why: "this machine does not have that address",
    next: "Choose one of its own (`ip addr` shows them), localhost, or the empty host for all.",
  },
  EAFNOSUPPORT: {
    why: "this machine does not have that address family",
    next: "Choose an address of the other family.",
  },
  EAGAIN: {
    why: "so many wait to be accepted already that it takes no more",
    next: "Try again when the server has accepted some.",
  },
  EAI_AGAIN: {
    why: "the name could not be looked up now",
    next: "Check the network and the name server, then try again.",
  },
  EBUSY: {
    why: "the same operation is already under way",
    next: "Await it before starting the next one.",
  },
  ECANCELED: { why: "it was aborted", next: "The error's cause is the signal's reason." },
  ECERT: {
    why: "the certificate of the peer is not trusted",
    next:
      "Check that this is the right server. If it is, trust the certificate of its issuer, too.",
  },
  ECLOSED: {
    why: "it was closed on this side",
    next: "Nothing more can be done with it; open a new one.",
  },
  ECONNABORTED: {
    why: "the connection was aborted before it was accepted",
    next: "Accept the next one.",
  },
  ECONNREFUSED: {
    why: "the connection was refused",
    next: "Check that a server is listening there, and that the address is right.",
  },
  ECONNRESET: {
    why: "the peer reset the connection",
    next: "The other program ended or gave up; its log may say why.",
  },
  EHOSTDOWN: {
    why: "the host does not answer in its network",
    next: "Check that it is up, and that the address is right.",
  },
  EHOSTUNREACH: {
    why: "the host cannot be reached",
    next: "Check the address and the route to it.",
  },
  EINVAL: { why: "an argument is not valid", next: "Correct it, and try again." },
  EMFILE: {
    why: "this process has too many open files",
    next: "Close some connections, or raise the limit (`ulimit -n`).",
  },
  EMSGSIZE: {
    why: "the datagram is too large",
    next:
      "Send at most 65,507 bytes at once on IPv4 and 65,527 on IPv6; 1,200 pass everywhere whole.",
  },
  ENETDOWN: {
    why: "the network interface is down",
    next: "Bring it up (`ip link` shows it), or use an address of another one.",
  },
  ENETUNREACH: {
    why: "the network cannot be reached",
    next: "Check that this machine has an address of that family and a route.",
  },
  ENFILE: { why: "the system has too many open files", next: "Close some programs." },
  ENOBUFS: { why: "the system is out of buffers", next: "Wait, or close some connections." },
  ENODEV: {
    why: "there is no such network interface",
    next: "Check the name behind the % (`ip link` shows those there are).",
  },
  ENOENT: {
    why: "there is no such file or folder",
    next: "Check the path and its folder, and that the server to connect to has started.",
  },
  ENOMEM: { why: "the system is out of memory", next: "Wait, or close some connections." },
  ENOSPC: {
    why: "there is no space left on the device",
    next: "Make room there, or choose a path on another one.",
  },
  ENOTCAPABLE: {
    why: "Deno's permissions forbid it",
    next:
      "Run again with --allow-net (Unix sockets need --allow-read and --allow-write, too), or with " +
      "-A for all permissions.",
  },
  ENOTCONN: { why: "it is not connected", next: "Open a new connection." },
  ENOTFOUND: { why: "the name does not resolve", next: "Check its spelling." },
  ENOTSOCK: {
    why: "it is no socket",
    next: "Name the descriptor or the path of a socket.",
  },
  ENOTSUP: {
    why: "this transport cannot do that",
    next: "Do without it, or use another transport or runtime.",
  },
  EPERM: {
    why: "the system does not permit it",
    next:
      "A firewall or a security policy of this machine forbids it (`nft list ruleset` shows the first).",
  },
  EPIPE: {
    why: "the stream can take no more bytes",
    next: "It was half-closed on this side, or the peer no longer reads.",
  },
  EPROTO: {
    why: "the protocol was not kept",
    next: "Open a new connection.",
  },
  EPROTOTYPE: {
    why: "the socket there is of another kind: it takes datagrams, and no connections",
    next: "Name a socket that a server accepts connections at (`ss -xl` shows str for these).",
  },
  ETIMEDOUT: {
    why: "it took too long",
    next: "Check that the other side is up and answering, or allow more time.",
  },
  ETLS: {
    why: "speaking TLS with the peer failed",
    next: "Check that the peer speaks TLS there, and in which versions; the cause tells more.",
  },
  EUNKNOWN: {
    why: "the system reported an error we have no name for",
    next: "See the cause.",
  },
};

/** What had not come when an operation timed out. */
const WHAT_WAS_LATE: Readonly<Partial<Record<SocketOp, string>>> = {
  resolve: "the name was not looked up",
  connect: "no answer",
  startTls: "no handshake",
  acceptTls: "no handshake",
};

/** What {@linkcode SocketError} is made of. */
export interface SocketErrorInit {
  /** The address or endpoint it was about, where there is one. */
  readonly addr?: Addr | Endpoint;
  /** The error underneath: the runtime's, or the reason of an abort. */
  readonly cause?: unknown;
  /** Why it failed, in place of the code's general words. */
  readonly why?: string;
  /** What to do next, in place of what fits the code and what was tried. */
  readonly next?: string;
}

const PHRASES: Record<SocketOp, string> = {
  resolve: "resolve",
  listen: "listen on",
  accept: "accept on",
  connect: "connect to",
  startTls: "start TLS with",
  acceptTls: "accept TLS from",
  read: "read from",
  write: "write to",
  closeWrite: "half-close",
  receive: "receive on",
  send: "send to",
};

/**
 * The only error that transports, connections and listeners reject with. Decide by `code`; the
 * message is for people and says what was tried, where, why it failed and what to do next. The stack
 * of one of connecting or listening leads to the call; on Node, those of reading and writing do not.
 *
 * @example
 * ```ts
 * import { SocketError, systemTransport } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(
 *   systemTransport.connect({ host: "127.0.0.1", port: 1 }),
 *   (error) => error instanceof SocketError && error.code === "ECONNREFUSED",
 * );
 * ```
 */
export class SocketError extends Error {
  /** Always `"SocketError"`. */
  override readonly name = "SocketError";
  /** Why it failed. */
  readonly code: SocketErrorCode;
  /** What was tried. */
  readonly op: SocketOp;
  /** Where, if that is known. */
  readonly addr: Addr | Endpoint | undefined;

  /** Makes an error with the message that fits `code`, `op` and `init`. */
  constructor(code: SocketErrorCode, op: SocketOp, init: SocketErrorInit = {}) {
    const where = init.addr === undefined ? "socket" : shown(init.addr, op);
    const why = init.why ?? nameless(code, init.cause) ?? ERROR_CODES[code].why;
    const next = init.next ?? adviceFor(code, op, init.addr) ?? ERROR_CODES[code].next;
    super(
      // A path, a certificate or a server's words may be in it.
      escapeText(`Cannot ${PHRASES[op]} ${where}: ${why} (${code}). ${next}`),
      init.cause === undefined ? undefined : { cause: init.cause },
    );
    this.code = code;
    this.op = op;
    this.addr = init.addr;
  }
}

/** A name is looked up with a port, or without one, which is 0. */
function shown(addr: Addr | UdpAddr | Endpoint, op: SocketOp): string {
  return op === "resolve" && "host" in addr && addr.port === 0 ? addr.host : formatAddr(addr);
}

/** What the runtime says of an error that has no name here. */
function nameless(code: SocketErrorCode, cause: unknown): string | undefined {
  if (code !== "EUNKNOWN" || !(cause instanceof Error) || cause.message === "") return undefined;
  return `${ERROR_CODES.EUNKNOWN.why}: ${cause.message}`;
}

/** Names the code of a runtime's error that carries a POSIX `code`; EUNKNOWN if it has none of ours. */
export function codeOf(error: unknown): SocketErrorCode {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code)
    ? code as SocketErrorCode
    : "EUNKNOWN";
}

/** The reason of an abort after a time: each operation that it ends says itself what was late. */
export class TimeLimit extends Error {
  /** As that of the reason of `AbortSignal.timeout()`. */
  override readonly name = "TimeoutError";
  /** How long it was, in milliseconds. */
  readonly limit: number;

  /** Makes the reason. */
  constructor(limit: number) {
    super(`not done within ${limit / 1000} s`);
    this.limit = limit;
  }
}

/** Makes the error of an operation that was not done within `limit` milliseconds: `why` says what not. */
export function timedOut(
  op: SocketOp,
  addr: Addr | Endpoint,
  limit: number,
  why: string = WHAT_WAS_LATE[op] ?? "not done",
): SocketError {
  return new SocketError("ETIMEDOUT", op, { addr, why: `${why} within ${limit / 1000} s` });
}

/**
 * Makes the error of an aborted operation: ETIMEDOUT if the reason is a `TimeoutError`. `late` is what
 * was waited for.
 */
export function abortError(
  op: SocketOp,
  addr: Addr | Endpoint,
  signal: AbortSignal,
  late?: string,
): SocketError {
  const cause = signal.reason;
  if (cause instanceof SocketError) return cause;
  if (cause instanceof TimeLimit) return timedOut(op, addr, cause.limit, late);
  const code = (cause as Error | null)?.name === "TimeoutError" ? "ETIMEDOUT" : "ECANCELED";
  return new SocketError(code, op, { addr, cause });
}

/** Throws ENOTSUP if one of `options` is asked for, which `whose` does not have. */
export function refuseOptions(
  op: SocketOp,
  addr: Addr | UdpAddr | Endpoint,
  options: Readonly<Record<string, string | boolean | undefined>>,
  whose: string,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === false) continue;
    throw new SocketError("ENOTSUP", op, { addr, why: `${name} is not supported ${whose}` });
  }
}
