/**
 * What to do about an error, where its code alone would mislead: what was tried, and on what, decide.
 *
 * @module
 */

import type { Addr, Endpoint, UdpAddr } from "./addr.ts";
import type { SocketErrorCode, SocketOp } from "./error_codes.ts";
import { parseIP } from "./ip.ts";

/** What an operation was on. */
type Kind = "tcp" | "udp" | "unix";

/** A rule: the advice for a code where the operation is one of `ops`, on one of `kinds`; all if not told. */
interface Rule {
  readonly ops?: readonly SocketOp[];
  readonly kinds?: readonly Kind[];
  readonly next: string;
}

const POLICY = "a firewall or a security policy of this machine forbids it";

/** The first rule that fits counts. */
const RULES: Readonly<Partial<Record<SocketErrorCode, readonly Rule[]>>> = {
  EACCES: [
    { kinds: ["unix"], next: "Check who may write to the socket file, and to its folder." },
    {
      kinds: ["udp"],
      ops: ["connect", "send", "receive"],
      next:
        "A broadcast address takes the option `broadcast` (`connect --udp --broadcast`); if it " +
        `is none, ${POLICY}.`,
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
      "Check the address to connect from; if there is none, no local port is free: close some " +
      "connections.",
  }],
  ECERT: [{
    ops: ["acceptTls"],
    next: "If this client may come in, trust the certificate of its issuer, too.",
  }],
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

/** What to do next; undefined where the code says it all. */
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
