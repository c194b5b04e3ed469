// A network whose addresses answer when they are told to.

import { deferred, orAborted } from "../../lib/base/wait.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Listener, TcpConnectOptions, Transport } from "../../lib/net/transport.ts";

export const V6: readonly string[] = ["2001:db8::1", "2001:db8::2", "2001:db8::3"];
export const V4: readonly string[] = ["192.0.2.1", "192.0.2.2"];

/**
 * How long an address takes to answer, in ms; null: it never does. Without `ok` it refuses. A `deaf`
 * attempt connects although it was aborted, as a runtime's may when both happen at once.
 */
export type Behaviour = { after: number | null; ok: boolean; deaf?: boolean };

/** What {@linkcode network} makes. */
export interface Network {
  readonly transport: Transport;
  readonly clock: VirtualClock;
  /** When an attempt began, and to which address. */
  readonly tried: readonly string[];
  /** Which attempt failed with what. */
  readonly ended: readonly string[];
  /** The connections that were made. */
  readonly made: readonly Conn[];
  readonly listener: Listener;
  /** What dial() takes. */
  readonly options: { readonly host: string; readonly port: number; readonly clock: VirtualClock };
}

/** A network whose addresses behave as told, on a virtual clock; and what was tried when. */
export async function network(behaviours: Record<string, Behaviour>): Promise<Network> {
  const clock = new VirtualClock();
  const memory = new MemoryTransport({ hosts: { "example.test": Object.keys(behaviours) } });
  const listener = await memory.listen({ host: "", port: 80 });
  const tried: string[] = [];
  const ended: string[] = [];
  const made: Conn[] = [];
  const connect = async (options: TcpConnectOptions): Promise<Conn<TcpAddr>> => {
    const { host, port } = options;
    tried.push(`${clock.now()} ${host}`);
    const { after, ok, deaf } = behaviours[host];
    const signal = deaf ? undefined : options.signal;
    const answer = deferred<void>();
    const cancel = after === null ? () => {} : clock.setTimer(after, () => answer.resolve());
    try {
      await orAborted(answer.promise, signal, "connect", options);
      if (!ok) throw new SocketError("ECONNREFUSED", "connect", { addr: options });
      const conn = await memory.connect({ host, port, signal });
      made.push(conn);
      return conn;
    } catch (error) {
      ended.push(`${host} ${(error as SocketError).code}`);
      throw error;
    } finally {
      cancel();
    }
  };
  const transport: Transport = {
    name: "slow",
    resolve: (endpoint) => memory.resolve(endpoint),
    listen: memory.listen.bind(memory),
    // Nothing here asks for a Unix socket.
    connect: connect as Transport["connect"],
    startTls: memory.startTls.bind(memory),
    listenDatagram: memory.listenDatagram.bind(memory),
  };
  const options = { host: "example.test", port: 80, clock };
  return { transport, clock, tried, ended, made, listener, options };
}
