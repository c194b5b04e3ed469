/**
 * Carrying the bytes of one connection to another, or back to itself.
 *
 * @module
 */

import { type BufferPool, ReceiveBuffer } from "../net/buffer_pool.ts";
import type { Conn } from "../net/transport.ts";

/** Writes to `to` what comes from `from`, unchanged, until that has sent FIN; which is not passed on. */
export async function pump(from: Conn, to: Conn, pool: BufferPool): Promise<void> {
  const buffer = new ReceiveBuffer(pool);
  try {
    for (;;) {
      const n = await from.read(buffer.bytes);
      if (n === null) return;
      await to.write(buffer.first(n));
      buffer.adapt(n);
    }
  } finally {
    buffer.release();
  }
}
