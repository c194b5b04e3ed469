/**
 * The echo protocol (RFC 862) over UDP, the server's side: each datagram is sent back.
 *
 * @module
 */

import type { UdpAddr } from "../base/addr.ts";

/** The ports of the services that answer whatever comes, such as echo (7) and chargen (19), are below. */
const FIRST_FREE_PORT = 1024;

/**
 * Echoes: a handler for {@linkcode serveDatagrams}. What comes from a port below 1024, or from the
 * port that it came to, is not answered: a service that answers whatever comes may be there, and two
 * of them never stop once somebody has forged a single datagram (CERT Advisory CA-1996-01). It cannot
 * tell such a service on another port from 1024 up: keep those out by the `admission`.
 *
 * @example
 * ```ts
 * import { echoDatagram, serveDatagrams } from "@plainsocket/plainsocket";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * const socket = await transport.listenDatagram({ port: 7 });
 * const server = serveDatagrams(socket, echoDatagram);
 *
 * using client = await transport.listenDatagram({ remote: { host: "localhost", port: 7 } });
 * await client.send(new Uint8Array([1, 2, 3]));
 * assert.equal((await client.receive(new Uint8Array(10))).size, 3);
 *
 * await server.stop();
 * ```
 */
export function echoDatagram(
  data: Uint8Array,
  from: UdpAddr,
  to: UdpAddr,
): Uint8Array | undefined {
  return from.port < FIRST_FREE_PORT || from.port === to.port ? undefined : data;
}
