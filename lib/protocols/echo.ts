/**
 * The echo protocol (RFC 862): whatever comes is sent back, over streams until the client half-closes, and
 * over datagrams.
 *
 * @module
 */

import type { UdpAddr } from "../base/addr.ts";
import { checkOptions, integer, type Kinds } from "../base/arguments.ts";
import { BufferPool, pump } from "../net/buffer_pool.ts";
import type { Handler } from "../serve/serve.ts";

/** Options of {@linkcode echo}. */
export interface EchoOptions {
  /** The most bytes to receive at once, from 1. Default: 64 KiB. */
  readonly recvSize?: number;
}

const OPTIONS: Kinds<EchoOptions> = { recvSize: integer(1) };

/**
 * Makes a handler for {@linkcode serve} that echoes.
 *
 * @example
 * ```ts
 * import { serve } from "@plainsocket/plainsocket";
 * import { echo } from "@plainsocket/plainsocket/protocols";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * const listener = await transport.listen({ port: 7 });
 * const server = serve(listener, echo());
 *
 * using conn = await transport.connect({ host: "localhost", port: 7 });
 * await conn.write(new Uint8Array([1, 2, 3]));
 * assert.equal(await conn.read(new Uint8Array(10)), 3);
 *
 * conn.close();
 * await server.stop();
 * ```
 */
export function echo(options: EchoOptions = {}): Handler {
  checkOptions("echo", options, OPTIONS, "{ recvSize: 4096 }");
  const pool = new BufferPool(options.recvSize ?? 64 * 1024);
  return (conn) => pump(conn, conn, pool);
}

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
 * import { serveDatagrams } from "@plainsocket/plainsocket";
 * import { echoDatagram } from "@plainsocket/plainsocket/protocols";
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
