/**
 * The codes of errors: what each means, and what to do about it.
 *
 * @module
 */

/** The operation that failed. */
export type SocketOp =
  | "resolve"
  | "listen"
  | "accept"
  | "connect"
  | "startTls"
  | "acceptTls"
  | "acceptProxy"
  | "read"
  | "write"
  | "closeWrite"
  | "receive"
  | "send";

/** The meaning of a code, and the next step. */
export interface ErrorCodeInfo {
  /** Why it failed, as the middle of a sentence. */
  readonly why: string;
  /** The next step, as a sentence. */
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
    next: "Check the name after the % (`ip link` shows those there are).",
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
    why: "it is not a socket",
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
    next: "Check that the peer speaks TLS there, and in which versions; the cause says more.",
  },
  EUNKNOWN: {
    why: "the system reported an error we have no name for",
    next: "See the cause.",
  },
};
