/**
 * The echo loop one would write by hand on `Deno.listen`, with a buffer of 64 KiB for each
 * connection: what plainsocket's layers are measured against.
 *
 * @module
 */

const BUFFER_SIZE = 64 * 1024;

async function echo(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(BUFFER_SIZE);
  try {
    for (;;) {
      const n = await conn.read(buffer);
      if (n === null) break;
      let sent = 0;
      while (sent < n) sent += await conn.write(buffer.subarray(sent, n));
    }
  } catch {
    // The peer is gone.
  } finally {
    conn.close();
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const conn of listener) echo(conn);
