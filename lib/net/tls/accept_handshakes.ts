/**
 * The handshakes of Node's TLS listeners, through a `tls.Server`: they go on beside each other, so
 * that nobody waits for a client that takes its time. Deno's listeners have `handshakes.ts`.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import tls from "node:tls";
import { formatAddr, tcpAddr } from "../../base/addr.ts";
import type { QueueListener } from "../queue_listener.ts";
import { type Below, TlsStreamConn, translateTls } from "./conn.ts";
import {
  askedFor,
  clientCertificates,
  HANDSHAKE_TIMEOUT,
  madeRoom,
  refusal,
  serverIdentity,
  usable,
} from "./handshake.ts";
import type { TlsServerOptions } from "./options.ts";
import type { TcpAddr } from "../../base/addr.ts";

/** What says whose socket it is. */
type Owner = Pick<tls.TLSSocket, "remoteAddress" | "remotePort">;

/** A socket of `node:net`, as far as it matters. */
interface Socket extends Duplex, Owner {
  allowHalfOpen: boolean;
  resetAndDestroy(): unknown;
}

/** A handshake under way. */
interface Handshake {
  readonly socket: Socket;
  readonly peer: TcpAddr;
  readonly below: Below;
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
  /** By the client's address, which its socket and the TLS over it have in common; the oldest first. */
  readonly #underWay = new Map<string, Handshake>();

  /**
   * At most `most` handshakes are under way; for who comes on top, the oldest makes room. Throws
   * EINVAL, for a listener at `addr`, if the certificates and keys are none.
   */
  constructor(options: TlsServerOptions, addr: TcpAddr | undefined, most: number) {
    const { alpnProtocols, handshakeTimeout = HANDSHAKE_TIMEOUT } = options;
    this.#options = options;
    this.#most = most;
    this.#server = usable("listen", addr, () =>
      tls.createServer({
        ...serverIdentity(options),
        ...clientCertificates(options),
        ALPNProtocols: alpnProtocols && [...alpnProtocols],
        handshakeTimeout,
      }));
  }

  /** Gives `listener` the connections that come of it. */
  deliverTo(listener: QueueListener): void {
    this.#server.on("secureConnection", (socket: tls.TLSSocket) => {
      const handshake = this.#find(peerOf(socket));
      // Gone before it was accepted.
      if (handshake === undefined) return void socket.destroy();
      this.#end(handshake);
      const { peer, below } = handshake;
      socket.allowHalfOpen = handshake.socket.allowHalfOpen = true;
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
      const handshake = this.#find(peer);
      socket.destroy();
      // It was given up here, and whoever should know has been told.
      if (handshake === undefined) return;
      this.#end(handshake);
      this.#options.onHandshakeError?.(translateTls(error, "acceptTls", peer));
    });
  }

  /** Begins one with who has connected. */
  begin(socket: Socket, peer: TcpAddr, below: Below): void {
    if (this.#options.admission?.admit(peer) === false) return void socket.resetAndDestroy();
    if (this.#underWay.size >= this.#most) this.#makeRoom();
    const handshake = { socket, peer, below };
    this.#underWay.set(formatAddr(peer), handshake);
    // What TLS makes of that comes first.
    socket.once("close", () => setImmediate(() => this.#end(handshake)));
    // A client that has nothing more to say will not finish its handshake.
    socket.allowHalfOpen = false;
    this.#server.emit("connection", socket);
  }

  /** Closes those who still shake hands. */
  close(): void {
    for (const handshake of this.#underWay.values()) this.#giveUp(handshake);
  }

  /** Closes the client whose handshake takes the longest. */
  #makeRoom(): void {
    for (const handshake of this.#underWay.values()) {
      this.#giveUp(handshake);
      return this.#options.onHandshakeError?.(madeRoom(handshake.peer));
    }
  }

  #giveUp(handshake: Handshake): void {
    this.#end(handshake);
    // No reset: where its FIN is under way already, Node would wait for that reset for ever.
    handshake.socket.destroy();
  }

  #find(peer: TcpAddr | undefined): Handshake | undefined {
    return peer && this.#underWay.get(formatAddr(peer));
  }

  #end(handshake: Handshake): void {
    const key = formatAddr(handshake.peer);
    // Another may have come from the same port.
    if (this.#underWay.get(key) !== handshake) return;
    this.#underWay.delete(key);
    this.#options.admission?.release(handshake.peer);
  }
}
