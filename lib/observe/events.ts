/**
 * The events of sockets: each step as a typed event.
 *
 * @module
 */

import type { Addr, Endpoint, TcpAddr, UdpAddr, UnixAddr } from "../base/addr.ts";
import type { SocketOp } from "../base/error_codes.ts";
import type { SocketError } from "../base/errors.ts";
import type { Certificate } from "../net/tls/options.ts";

/**
 * One step of a socket. `type` is the kind, `time` is in milliseconds of the clock
 * given to {@linkcode observe}, and `socket` numbers the sockets of an observed transport from 1.
 * `data` is a copy, and the sink's to keep.
 */
export type SocketEvent =
  & { readonly time: number }
  & (
    /** A name was resolved; the addresses are in the system's order. */
    | { readonly type: "resolve"; readonly endpoint: Endpoint; readonly addrs: readonly TcpAddr[] }
    /** A socket was bound; the address is the real one, with the port the kernel chose. */
    | { readonly type: "bind"; readonly socket: number; readonly addr: Addr | UdpAddr }
    /** A socket began to wait for connections. */
    | { readonly type: "listen"; readonly socket: number; readonly addr: Addr }
    /** An attempt to connect began. It ends in `connected` or in `error`. */
    | { readonly type: "connect"; readonly socket: number; readonly endpoint: Endpoint | UnixAddr }
    /** An attempt to connect succeeded; a socket for datagrams has its one peer. */
    | {
      readonly type: "connected";
      readonly socket: number;
      readonly localAddr: Addr | UdpAddr;
      readonly remoteAddr: Addr | UdpAddr;
    }
    /** The socket `listener` accepted a connection. */
    | {
      readonly type: "accept";
      readonly socket: number;
      readonly listener: number;
      readonly localAddr: Addr;
      readonly remoteAddr: Addr;
    }
    /** A handshake of TLS is done; what follows on the socket goes through TLS. */
    | {
      readonly type: "handshake";
      readonly socket: number;
      readonly protocol: string | undefined;
      readonly alpnProtocol: string | undefined;
      readonly peerCertificate: Certificate | undefined;
    }
    /** TLS was on the wire, as it was before it was decrypted or after it was encrypted. */
    | {
      readonly type: "wire";
      readonly socket: number;
      readonly direction: "recv" | "send";
      readonly data: Uint8Array;
    }
    /** A secret of TLS that decrypts what is on the wire: a line of the NSS key log format. */
    | { readonly type: "keylog"; readonly socket: number; readonly line: string }
    /** Bytes were received: a part of the stream, or the datagram that came `from` somebody. */
    | {
      readonly type: "recv";
      readonly socket: number;
      readonly data: Uint8Array;
      readonly from?: UdpAddr;
    }
    /** The peer's FIN was received: there is no more to read. Comes once. */
    | { readonly type: "eof"; readonly socket: number }
    /** Bytes, or a datagram `to` somebody, are to be sent; an `error` follows if that fails. */
    | {
      readonly type: "send";
      readonly socket: number;
      readonly data: Uint8Array;
      readonly to?: Endpoint;
    }
    /** FIN is to be sent: {@linkcode Conn.closeWrite}. */
    | { readonly type: "shutdown"; readonly socket: number }
    /** A socket was closed on this side, by {@linkcode Conn.reset} if `reset`. */
    | {
      readonly type: "close";
      readonly socket: number;
      readonly bytesRead: number;
      readonly bytesWritten: number;
      readonly reset: boolean;
    }
    /** Two connections were joined: what comes on one is sent on the other. */
    | { readonly type: "link"; readonly socket: number; readonly peer: number }
    /** A fault was applied on purpose; `fault` is its name, and `detail` what it did. */
    | {
      readonly type: "fault";
      readonly socket: number | undefined;
      /** `"up"` is towards the server, `"down"` towards the client; undefined for both. */
      readonly direction: "up" | "down" | undefined;
      readonly fault: string;
      readonly detail: string;
    }
    /** An operation failed, other than by being closed on this side. Resolving has no socket. */
    | {
      readonly type: "error";
      readonly socket: number | undefined;
      readonly op: SocketOp;
      readonly error: SocketError;
    }
  );

/** Takes events, one at a time and in order. It must not throw. */
export type EventSink = (event: SocketEvent) => void;
