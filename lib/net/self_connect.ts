/**
 * A socket that talks to itself. The kernel chooses the port of this end; where it chooses the very one
 * that is connected to, TCP connects the socket to itself (a simultaneous open, RFC 9293 section 3.5),
 * and a datagram comes back to its sender. That nobody listens there is the truth of it.
 *
 * @module
 */

import { SocketError } from "../base/errors.ts";
import { formatIP, parseScopedIP } from "../base/ip.ts";
import type { Endpoint } from "../base/addr.ts";
import type { Conn } from "./transport.ts";

/** Go tries as often. */
const TRIES = 3;

/** Whether a socket at `own` that is connected to `to` is connected to itself. */
export function isItself(own: Endpoint, to: Endpoint): boolean {
  if (own.port !== to.port) return false;
  const [here, there] = [own, to].map(({ host }) => parseScopedIP(host));
  if (here === undefined || there === undefined) return false;
  // Who connects to "any address" reaches loopback.
  return there.every((byte) => byte === 0) || formatIP(here) === formatIP(there);
}

/** The error of a socket that met itself. */
export function metItself(to: Endpoint): SocketError {
  const why = "nobody listens there, and the socket met itself";
  return new SocketError("ECONNREFUSED", "connect", { addr: to, why });
}

/** Calls `connect` until what it makes is not connected to itself. Rejects ECONNREFUSED if that stays so. */
export async function notToItself<C extends Conn>(
  to: Endpoint,
  connect: () => Promise<C>,
): Promise<C> {
  for (let tried = 0; tried < TRIES; tried++) {
    try {
      const conn = await connect();
      const { localAddr } = conn;
      if (!("port" in localAddr) || !isItself(localAddr, to)) return conn;
      conn.reset();
    } catch (error) {
      // The only port that it could come from was that of the last try.
      if (tried > 0 && (error as SocketError).code === "EADDRNOTAVAIL") break;
      throw error;
    }
  }
  throw metItself(to);
}
