/**
 * The echo protocol (RFC 862): whatever comes is sent back, until the client half-closes.
 *
 * @module
 */

import { checkOptions, integer, type Kinds } from "../base/arguments.ts";
import { BufferPool } from "../net/buffer_pool.ts";
import { pump } from "./pump.ts";
import type { Handler } from "../serve/serve.ts";

/** What {@linkcode echo} takes. */
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
 * import { echo, serve } from "@plainsocket/plainsocket";
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
