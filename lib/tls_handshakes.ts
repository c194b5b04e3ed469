/**
 * The handshakes of Node's TLS listeners, through a `tls.Server`: they go on beside each other, so
 * that nobody waits for a client that takes its time. Deno's listeners have `handshakes.ts`.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import tls from "node:tls";
import { tcpAddr } from "./addr.ts";
import type { QueueListener } from "./queue_listener.ts";
import { type Below, TlsStreamConn, translateTls } from "./tls_conn.ts";
import {
  askedFor,
  clientCertificates,
  HANDSHAKE_TIMEOUT,
  refusal,
  serverContext,
} from "./tls_stream.ts";
import type { TlsServerOptions } from "./tls.ts";
import type { TcpAddr } from "./transport.ts";

/** What says whose socket it is. */
type Owner = Pick<tls.TLSSocket, "remoteAddress" | "remotePort">;

/** A socket of `node:net`, as far as it matters. */
interface Socket extends Duplex, Owner {
  resetAndDestroy(): unknown;
}

/** A handshake under way. */
interface Handshake {
  readonly socket: Socket;
  readonly peer: TcpAddr;
  readonly below: Below;
}

/** The socket and the TLS over it have it in common; after a reset there is none any more. */
function keyOf({ remoteAddress, remotePort }: Owner): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Who is at the other end of a TLS socket. */
function peerOf(socket: tls.TLSSocket): TcpAddr | undefined {
  // Node has the socket under it, which remembers its peer when the kernel has forgotten it: who has
  // reset the connection is still to be named.
  const { _parent: under } = socket as unknown as { _parent?: Owner | null };
  const { remoteAddress, remotePort } = socket.remoteAddress === undefined && under
    ? under
    : socket;
  return remoteAddress === undefined ? undefined : tcpAddr(remoteAddress, remotePort!);
}

/** Shakes hands with those who connect to one listener; see the module. */
export class TlsHandshakes {
  readonly #options: TlsServerOptions;
  readonly #most: number;
  readonly #server: tls.Server;
  readonly #underWay = new Map<string, Handshake>();

  /**
   * At most `most` handshakes are under way; who comes on top is closed. Throws EINVAL, for a listener
   * at `addr`, if the certificates and keys are none.
   */
  constructor(options: TlsServerOptions, addr: TcpAddr | undefined, most: number) {
    const { cert, key, caCerts, alpnProtocols, handshakeTimeout = HANDSHAKE_TIMEOUT } = options;
    serverContext(options, addr);
    this.#options = options;
    this.#most = most;
    this.#server = tls.createServer({
      cert,
      key,
      ca: caCerts && [...caCerts],
      ...clientCertificates(options),
      ALPNProtocols: alpnProtocols && [...alpnProtocols],
      handshakeTimeout,
    });
  }

  /** Gives `listener` the connections that come of it. */
  deliverTo(listener: QueueListener): void {
    this.#server.on("secureConnection", (socket: tls.TLSSocket) => {
      const key = keyOf(socket);
      const handshake = this.#underWay.get(key);
      // Gone before it was accepted.
      if (handshake === undefined) return void socket.destroy();
      this.#end(key, handshake);
      const { peer, below } = handshake;
      const refused = refusal(socket, this.#options, peer);
      if (refused !== undefined) {
        socket.destroy();
        return this.#options.onHandshakeError?.(refused);
      }
      const localAddr = tcpAddr(socket.localAddress!, socket.localPort!);
      listener.deliver(new TlsStreamConn(socket, localAddr, peer, askedFor(socket), below));
    });
    this.#server.on("tlsClientError", (error, socket) => {
      const peer = peerOf(socket);
      socket.destroy();
      this.#options.onHandshakeError?.(translateTls(error, "acceptTls", peer));
    });
  }

  /** Begins one with who has connected. */
  begin(socket: Socket, peer: TcpAddr, below: Below): void {
    if (this.#underWay.size >= this.#most) return void socket.destroy();
    if (this.#options.admission?.admit(peer) === false) return void socket.resetAndDestroy();
    const key = keyOf(socket);
    const handshake = { socket, peer, below };
    this.#underWay.set(key, handshake);
    socket.once("close", () => this.#end(key, handshake));
    this.#server.emit("connection", socket);
  }

  /** Closes those who still shake hands. */
  close(): void {
    for (const { socket } of this.#underWay.values()) socket.destroy();
  }

  #end(key: string, { peer }: Handshake): void {
    if (this.#underWay.delete(key)) this.#options.admission?.release(peer);
  }
}
