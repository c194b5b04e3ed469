/**
 * The one error class of the library, and what its messages advise.
 *
 * @module
 */

import { type Addr, type Endpoint, formatAddr, type UdpAddr } from "./addr.ts";
import { ERROR_CODES, type SocketErrorCode, type SocketOp } from "./error_codes.ts";
import { escapeText } from "./escape.ts";
import { parseIP } from "./ip.ts";

/** The event that had not come when an operation timed out. */
const WHAT_WAS_LATE: Readonly<Partial<Record<SocketOp, string>>> = {
  resolve: "the name was not looked up",
  connect: "no answer",
  startTls: "no handshake",
  acceptTls: "no handshake",
  acceptProxy: "the header was not whole",
};

/** The parts of {@linkcode SocketError}. */
export interface SocketErrorInit {
  /** The address or endpoint it was about, where there is one. */
  readonly addr?: Addr | Endpoint;
  /** The error underneath: the runtime's, or the reason of an abort. */
  readonly cause?: unknown;
  /** Why it failed, in place of the code's general words. */
  readonly why?: string;
  /** The next step, in place of what fits the code and what was tried. */
  readonly next?: string;
}

const PHRASES: Record<SocketOp, string> = {
  resolve: "resolve",
  listen: "listen on",
  accept: "accept on",
  connect: "connect to",
  startTls: "start TLS with",
  acceptTls: "accept TLS from",
  acceptProxy: "accept a PROXY protocol header from",
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
  /** The operation. */
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
    ADVICE.set(this, escapeText(next));
  }
}

/**
 * The advice of the messages. No property, since an error is compared and shown with all of these.
 */
const ADVICE = new WeakMap<SocketError, string>();

/** The end of the message of an error: what to do next. */
export function adviceOf(error: SocketError): string {
  return ADVICE.get(error) ?? "";
}

/** The message of an error without its end: what was tried, where, and why it failed. */
export function factOf(error: SocketError): string {
  const { message } = error;
  return message.slice(0, message.length - adviceOf(error).length).trimEnd();
}

/** A name is looked up with a port, or without one, which is 0. */
function shown(addr: Addr | UdpAddr | Endpoint, op: SocketOp): string {
  return op === "resolve" && "host" in addr && addr.port === 0 ? addr.host : formatAddr(addr);
}

/** The message of the runtime for an error that has no code here. */
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
  /** The limit, in milliseconds. */
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
  { reason: cause }: { readonly reason: unknown },
  late?: string,
): SocketError {
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

/** The kind of the socket. */
type Kind = "tcp" | "udp" | "unix";

/**
 * A rule: the advice for a code where the operation is one of `ops`, on one of `kinds`. Default:
 * all.
 */
interface Rule {
  readonly ops?: readonly SocketOp[];
  readonly kinds?: readonly Kind[];
  readonly next: string;
}

const SENDS_HEADER =
  "Check that the proxy there sends the header first (HAProxy: `send-proxy-v2`), and at once.";

const POLICY = "a firewall or a security policy of this machine forbids it";

/** The first rule that fits counts. */
const RULES: Readonly<Partial<Record<SocketErrorCode, readonly Rule[]>>> = {
  EACCES: [
    { kinds: ["unix"], next: "Check who may write to the socket file, and to its folder." },
    {
      kinds: ["udp"],
      ops: ["connect", "send", "receive"],
      next: "A broadcast address takes the option `broadcast` (`connect --udp --broadcast`). For " +
        `other addresses, ${POLICY}.`,
    },
    {
      ops: ["connect"],
      next:
        `If it is a broadcast address of a network, nobody can connect to it; if not, ${POLICY}.`,
    },
  ],
  EADDRINUSE: [
    {
      kinds: ["unix"],
      next: "Stop the program that listens there (`ss -lxp` shows it), or choose another path.",
    },
    {
      ops: ["connect"],
      next:
        "Choose no local address, or wait until the connections that were closed are forgotten.",
    },
  ],
  EADDRNOTAVAIL: [{
    ops: ["connect"],
    next:
      "Check the address to connect from. Without one, no local port is free: close some connections.",
  }],
  ECERT: [{
    ops: ["acceptTls"],
    next: "If this client may come in, trust the certificate of its issuer, too.",
  }],
  ECONNRESET: [{ ops: ["acceptProxy"], next: SENDS_HEADER }],
  EPROTO: [{ ops: ["acceptProxy"], next: SENDS_HEADER }],
  ECONNREFUSED: [
    { kinds: ["unix"], next: "Nobody listens at that file any more: start the server again." },
    {
      kinds: ["udp"],
      next: "Check that a program receives datagrams there, and that the address is right.",
    },
  ],
  ENOENT: [{ ops: ["listen"], next: "Make its folder first, or choose another path." }],
  ETIMEDOUT: [
    { ops: ["resolve"], next: "Check the network and the name server, or allow more time." },
    {
      ops: ["startTls"],
      next: "Check that the server speaks TLS there and is answering, or allow more time.",
    },
    { ops: ["acceptTls"], next: "Check that the client speaks TLS, or allow more time." },
    { ops: ["acceptProxy"], next: SENDS_HEADER },
  ],
  ETLS: [{
    ops: ["acceptTls"],
    next: "Check that the client speaks TLS, in which versions, and which certificates it trusts.",
  }],
};

/** Ports from here on are anybody's, on most systems. */
const FIRST_UNPRIVILEGED = 1024;

/** Whether an address is that of many hosts: of multicast, or the broadcast address of all. */
function isGroup(host: string): boolean {
  const [first, ...rest] = parseIP(host) ?? [];
  if (rest.length === 15) return first === 0xff;
  return first >= 224 && first < 240 || first === 255 && rest.every((byte) => byte === 255);
}

/** The next step; undefined where the code says it all. */
export function adviceFor(
  code: SocketErrorCode,
  op: SocketOp,
  addr: Addr | UdpAddr | Endpoint | undefined,
): string | undefined {
  const kind = addr !== undefined && "transport" in addr ? addr.transport : "tcp";
  if (
    kind === "tcp" && op === "connect" && addr !== undefined && "host" in addr && isGroup(addr.host)
  ) {
    return "Nobody can connect to a broadcast or multicast address: datagrams go there " +
      "(`connect --udp`).";
  }
  const rule = RULES[code]?.find(({ ops, kinds }) =>
    (ops?.includes(op) ?? true) && (kinds?.includes(kind) ?? true)
  );
  if (rule !== undefined) return rule.next;
  const others = code === "EACCES" && addr !== undefined && "port" in addr;
  if (others && addr.port >= FIRST_UNPRIVILEGED) {
    return `The port needs no privilege, so ${POLICY}: choose another, or allow it there.`;
  }
  return undefined;
}
