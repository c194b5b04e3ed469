/**
 * TLS on Node's sockets, through `node:tls`, which reads from them and writes to them itself. Its twin
 * for Deno is `system.deno.ts`.
 *
 * @module
 */

import type net from "node:net";
import { setImmediate } from "node:timers";
import type tls from "node:tls";
import { nodeTls } from "../../base/builtins.node.ts";
import { translateTls } from "../../base/tls_errors.ts";
import { type Addr, formatAddr, type TcpAddr, tcpAddr } from "../../base/addr.ts";
import { movedBy, StreamConn } from "../duplex_to_conn.ts";
import { SocketError } from "../../base/errors.ts";
import type { MetricsSink } from "../metrics_sink.ts";
import type { QueueListener, QueueSource } from "../queue_listener.ts";
import type { Conn, Listener, TlsConn } from "../transport.ts";
import { checkStartTls } from "../transport_arguments.ts";
import { type CertificateStore, type Shown, shownBy } from "./certificate_store.ts";
import { startTlsOver, TlsStreamConn } from "./conn.ts";
import {
  askedFor,
  choosing,
  clientCertificates,
  clientSocket,
  HANDSHAKE_TIMEOUT,
  madeRoom,
  peerNamed,
  refusal,
  shakeHands,
  storeOf,
} from "./handshake.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";

/** A connection over TLS on a socket of `node:net`, which nobody can tell how it ended. */
class TlsOverSocket<A extends Addr> extends TlsStreamConn<A> {
  readonly truncated = undefined;
  readonly #under: net.Socket;

  constructor(
    under: net.Socket,
    socket: tls.TLSSocket,
    localAddr: A,
    remoteAddr: A,
    servername: string | undefined,
  ) {
    super(socket, localAddr, remoteAddr, servername);
    this.#under = under;
  }

  protected moved(): number {
    return movedBy(this.#under);
  }

  protected send(p: Uint8Array): Promise<void> {
    return this.hand(p);
  }

  // The callbacks of `node:tls` wait for the socket under it.
  protected flushed(): undefined {}

  // Bun's has no handle any more by then, and cannot tell; but there a reset is always an error.
  protected override wasReset(): boolean {
    return this.#isTcp && hasHandle(this.#under) && this.#under.remoteAddress === undefined;
  }

  protected override sendReset(): void {
    if (this.#isTcp) this.#under.resetAndDestroy();
  }

  get #isTcp(): boolean {
    return this.remoteAddr.transport === "tcp";
  }
}

function hasHandle(socket: net.Socket): boolean {
  return Boolean((socket as unknown as { _handle: unknown })._handle);
}

/** See `Transport.startTls`. */
export async function startTls<A extends Addr>(
  conn: Conn<A>,
  options: TlsClientOptions = {},
): Promise<TlsConn<A>> {
  checkStartTls(conn, options);
  // Directly on the socket if it is one of ours, and else through the connection: then the end of the
  // one can be told from that of the other.
  return await (conn instanceof StreamConn && options.detectTruncation !== true
    ? startTlsOn(conn, options)
    : startTlsOver(conn, options));
}

async function startTlsOn<A extends Addr>(
  conn: StreamConn<A>,
  options: TlsClientOptions,
): Promise<TlsConn<A>> {
  const { localAddr, remoteAddr } = conn;
  const peer = peerNamed(options, remoteAddr);
  let under: net.Socket | undefined;
  try {
    under = conn.release() as net.Socket;
    const socket = clientSocket(under, peer, remoteAddr, options);
    await shakeHands(socket, under, "startTls", remoteAddr, options);
    return new TlsOverSocket(under, socket, localAddr, remoteAddr, peer.asksFor);
  } catch (error) {
    under?.destroy();
    conn.close();
    throw error;
  }
}

/** Makes a listener that gives the sockets it accepts to `accepted`. */
type Bind = (
  accepted: (socket: net.Socket, peer: TcpAddr) => void,
  underWay: QueueSource["underWay"],
) => Promise<QueueListener>;

/** Limits of handshakes, and what counts them. */
interface HandshakesOptions {
  /** The most that are under way; for who comes on top, the oldest makes room. */
  readonly most: number;
  readonly metrics: MetricsSink | undefined;
}

/**
 * Shakes hands with those that come to the listener that `bind` makes. Rejects with EINVAL if the
 * certificates and keys are not valid.
 */
export async function listenTls(
  bind: Bind,
  options: TlsServerOptions,
  addr: TcpAddr | undefined,
  handshaking: HandshakesOptions,
): Promise<Listener> {
  const handshakes = new Handshakes(options, addr, handshaking);
  const listener = await bind(
    (socket, peer) => handshakes.begin(socket, peer),
    handshakes,
  );
  handshakes.deliverTo(listener);
  return listener;
}

/** The properties that identify a socket's peer. */
type Owner = Pick<tls.TLSSocket, "remoteAddress" | "remotePort">;

/** A handshake under way. */
interface Handshake {
  readonly socket: net.Socket;
  readonly peer: TcpAddr;
  /** When it began, in milliseconds, if that is counted. */
  readonly since: number;
}

/** The address of a TLS socket's peer. */
function peerOf(socket: tls.TLSSocket): TcpAddr | undefined {
  // Node has the socket under it, which remembers its peer when the kernel has forgotten it: who has
  // reset the connection is still to be named.
  const { _parent: under } = socket as unknown as { _parent?: Owner | null };
  const { remoteAddress, remotePort } = socket.remoteAddress === undefined && under
    ? under
    : socket;
  return remoteAddress === undefined ? undefined : tcpAddr(remoteAddress, remotePort!);
}

/**
 * The handshakes of one listener, through a `tls.Server`: they go on beside each other, so that nobody
 * waits for a client that takes its time.
 */
class Handshakes {
  readonly #options: TlsServerOptions;
  readonly #store: CertificateStore;
  readonly #most: number;
  readonly #metrics: MetricsSink | undefined;
  #listener: QueueListener | undefined;
  /** The content of the store that {@linkcode #server} has. */
  #shown: Shown;
  #server: tls.Server;
  /** The handshakes by the client's address, which its socket and its TLS share; the oldest first. */
  readonly #underWay = new Map<string, Handshake>();

  /** Throws EINVAL, for a listener at `addr`, if the certificates and keys are not valid. */
  constructor(
    options: TlsServerOptions,
    addr: TcpAddr | undefined,
    { most, metrics }: HandshakesOptions,
  ) {
    this.#options = options;
    this.#most = most;
    this.#metrics = metrics;
    this.#store = storeOf(options, addr);
    this.#shown = shownBy(this.#store);
    this.#server = this.#newServer();
  }

  /** The number of handshakes under way. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Gives `listener` the connections that come of it. */
  deliverTo(listener: QueueListener): void {
    this.#listener = listener;
  }

  /** A server for what the store has now. */
  #newServer(): tls.Server {
    const { alpnProtocols, handshakeTimeout = HANDSHAKE_TIMEOUT } = this.#options;
    const server = nodeTls().createServer({
      ...this.#shown.fallback.identity,
      ...choosing(this.#store),
      ...clientCertificates(this.#store),
      ALPNProtocols: alpnProtocols && [...alpnProtocols],
      handshakeTimeout,
    });
    server.on("secureConnection", (socket: tls.TLSSocket) => this.#done(socket));
    server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
    return server;
  }

  /** Client and server have shaken hands. */
  #done(socket: tls.TLSSocket): void {
    const handshake = this.#find(peerOf(socket));
    // Gone before it was accepted.
    if (handshake === undefined) return void socket.destroy();
    const { socket: under, peer } = handshake;
    socket.allowHalfOpen = under.allowHalfOpen = true;
    const refused = refusal(socket, this.#store, peer);
    if (refused !== undefined) {
      this.#end(handshake, refused);
      socket.destroy();
      return this.#options.onHandshakeError?.(refused);
    }
    const localAddr = tcpAddr(socket.localAddress!, socket.localPort!);
    this.#listener!.deliver(new TlsOverSocket(under, socket, localAddr, peer, askedFor(socket)));
    this.#end(handshake, undefined);
  }

  #failed(error: Error, socket: tls.TLSSocket): void {
    const peer = peerOf(socket);
    const handshake = this.#find(peer);
    socket.destroy();
    // It was given up here, and that was reported.
    if (handshake === undefined) return;
    const failure = translateTls(error, "acceptTls", peer);
    this.#end(handshake, failure);
    this.#options.onHandshakeError?.(failure);
  }

  /** Begins one with who has connected. */
  begin(socket: net.Socket, peer: TcpAddr): void {
    if (this.#options.admission?.admit(peer) === false) {
      this.#metrics?.connectionRejected("access");
      return void socket.resetAndDestroy();
    }
    if (this.#underWay.size >= this.#most) this.#makeRoom();
    this.#metrics?.handshakeBegan();
    const since = this.#metrics === undefined ? 0 : performance.now();
    const handshake = { socket, peer, since };
    this.#underWay.set(formatAddr(peer), handshake);
    socket.once("close", () => {
      if (this.#find(peer) !== handshake) return;
      // TLS handles that first.
      setImmediate(() => this.#gone(handshake));
    });
    // A client that has nothing more to say will not finish its handshake.
    socket.allowHalfOpen = false;
    this.#renew();
    this.#server.emit("connection", socket);
  }

  /** Takes over what the store has got since. */
  #renew(): void {
    const shown = shownBy(this.#store);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#server = this.#newServer();
  }

  /** The client has gone. */
  #gone(handshake: Handshake): void {
    const { peer } = handshake;
    if (this.#find(peer) !== handshake) return;
    this.#end(handshake, new SocketError("ECONNRESET", "acceptTls", { addr: peer }));
  }

  /** Closes those who still shake hands. */
  giveUp(): void {
    for (const handshake of this.#underWay.values()) {
      this.#drop(handshake, new SocketError("ECANCELED", "acceptTls", { addr: handshake.peer }));
    }
  }

  /** Closes the client whose handshake takes the longest. */
  #makeRoom(): void {
    for (const handshake of this.#underWay.values()) {
      const why = madeRoom(handshake.peer);
      this.#drop(handshake, why);
      return this.#options.onHandshakeError?.(why);
    }
  }

  #drop(handshake: Handshake, why: SocketError): void {
    this.#end(handshake, why);
    // No reset: where its FIN is under way already, Node would wait for that reset for ever.
    handshake.socket.destroy();
  }

  #find(peer: TcpAddr | undefined): Handshake | undefined {
    return peer && this.#underWay.get(formatAddr(peer));
  }

  #end(handshake: Handshake, error: SocketError | undefined): void {
    const key = formatAddr(handshake.peer);
    // Another may have come from the same port.
    if (this.#underWay.get(key) !== handshake) return;
    this.#underWay.delete(key);
    this.#options.admission?.release(handshake.peer);
    this.#metrics?.handshakeEnded(performance.now() - handshake.since, error);
    this.#listener?.settle();
  }
}
