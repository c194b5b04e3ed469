// What there is to see on the page: real sockets that do all that sockets do, for tests and pictures.

import { dial } from "../../lib/dial.ts";
import { faulty } from "../../lib/faults/faulty.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type { Conn, Listener, TcpConnectOptions, Transport } from "../../lib/net/transport.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { SocketEvent } from "../../lib/observe/events.ts";
import { observeBorrowed } from "../../lib/observe/observe.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { relay } from "../../lib/protocols/relay.ts";
import { type Handler, serve } from "../../lib/serve/serve.ts";
import type { Server } from "../../lib/serve/server.ts";
import { Hub } from "../../lib/cli/watch/hub.ts";
import { serveWatch, type WatchServer } from "../../lib/cli/watch/server.ts";

const encoder = new TextEncoder();

/** A page, and the sockets that it shows. */
export class Scene implements AsyncDisposable {
  readonly hub: Hub;
  readonly transport: Transport;
  readonly page: WatchServer;
  readonly #servers: Server<unknown>[] = [];

  private constructor(hub: Hub, page: WatchServer) {
    this.hub = hub;
    this.page = page;
    this.transport = observeBorrowed(systemTransport, hub.sink);
  }

  static async start(title: string): Promise<Scene> {
    const hub = new Hub({ title });
    return new Scene(hub, await serveWatch(hub, systemTransport));
  }

  /** Serves on a port of the loopback; returns the port. */
  async serve(handler: Handler, transport: Transport = this.transport): Promise<number> {
    return this.serveOn(await transport.listen({ host: "127.0.0.1" }), handler);
  }

  serveOn(listener: Listener, handler: Handler): number {
    this.#servers.push(serve(listener, handler, { drainTimeout: 0, onError: () => {} }));
    return "port" in listener.addr ? listener.addr.port : 0;
  }

  connect(port: number, host = "127.0.0.1"): Promise<Conn> {
    return dial(this.transport, { host, port });
  }

  /** Says `text`, half-closes, and reads to the end. */
  async echo(port: number, text = "hello"): Promise<void> {
    using conn = await this.connect(port);
    await conn.write(encoder.encode(text));
    await conn.closeWrite();
    await readAll(conn);
  }

  /** Connects to a name with two addresses, the first of which never answers. Returns the connection. */
  async race(port: number): Promise<Conn> {
    const silent = "127.0.0.9";
    const transport: Transport = {
      ...methodsOf(systemTransport),
      name: systemTransport.name,
      resolve: () =>
        Promise.resolve([silent, "127.0.0.1"].map((host) => ({ transport: "tcp", host, port }))),
      connect:
        ((options: TcpConnectOptions) =>
          options.host === silent
            ? aborted(options)
            : systemTransport.connect(options)) as Transport["connect"],
    };
    const observed = observeBorrowed(transport, (event) => this.hub.sink(afterOthers(event)));
    return await dial(observed, { host: "two.example", port, attemptDelay: 20 });
  }

  /** A relay whose clients are reset after so many bytes from the target. Returns its port. */
  relayTo(target: number, plan: string): Promise<number> {
    const listening = faulty(this.transport, plan, { seed: 1 });
    const to = () => dial(this.transport, { host: "127.0.0.1", port: target });
    return this.serve(relay(to), listening);
  }

  /** An echo over TLS. */
  async tls(text = "hello"): Promise<void> {
    const { cert, key } = await selfSigned(["localhost"]);
    const tls = { cert, key, alpnProtocols: ["http/1.1"] };
    const listener = await this.transport.listen({ host: "127.0.0.1", tls });
    const port = this.serveOn(listener, echo());
    const options = { caCerts: [cert], servername: "localhost", alpnProtocols: ["http/1.1"] };
    using conn = await dial(this.transport, { host: "127.0.0.1", port, tls: options });
    await conn.write(encoder.encode(text));
    await conn.closeWrite();
    await readAll(conn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server.stop({ drainTimeout: 0 });
    await this.page.close();
  }
}

/** Reads to the end, or to a reset. */
export async function readAll(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(65536);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // That it is reset is what there is to see.
  }
}

/** An attempt that only ends when it is given up. */
function aborted({ signal, host, port }: TcpConnectOptions): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new SocketError("ECANCELED", "connect", { addr: { host, port } }));
    signal!.addEventListener("abort", give, { once: true });
  });
}

/** Numbers of sockets that the other transport of a scene does not have. */
function afterOthers(event: SocketEvent): SocketEvent {
  return "socket" in event && event.socket !== undefined
    ? { ...event, socket: event.socket + 1_000_000 }
    : event;
}

function methodsOf(transport: Transport): Omit<Transport, "name"> {
  return {
    resolve: (options) => transport.resolve(options),
    listen: transport.listen.bind(transport),
    connect: transport.connect.bind(transport),
    startTls: (conn, options) => transport.startTls(conn, options),
    listenDatagram: (options) => transport.listenDatagram(options),
  };
}
