/**
 * Deno's own floor for an open connection: one that has nothing but a pending read of a single byte,
 * and after its first byte one into a buffer that all connections share. That is no echo server to
 * use: it is right only as long as one connection speaks at a time.
 *
 * @module
 */

const shared = new Uint8Array(64 * 1024);

async function hold(conn: Deno.TcpConn): Promise<void> {
  let buffer = new Uint8Array(1);
  try {
    for (;;) {
      const n = await conn.read(buffer);
      if (n === null) break;
      let sent = 0;
      while (sent < n) sent += await conn.write(buffer.subarray(sent, n));
      buffer = shared;
    }
  } catch {
    // The peer is gone.
  } finally {
    conn.close();
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const conn of listener) hold(conn);
