#!/usr/bin/env -S deno run -A
// An echo server that lasts: bad clients do not hurt it, silent ones are closed, and Ctrl-C ends it.
// usage: lasting_server.ts [HOST [PORT [SECONDS]]]       SECONDS of silence end a connection

import process from "node:process";
import { type Conn, formatAddr, serve, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000", seconds = "60"] = process.argv.slice(2);

async function echo(conn: Conn): Promise<void> {
  const data = new Uint8Array(1024);
  for (let n; (n = await conn.read(data)) !== null;) await conn.write(data.subarray(0, n));
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));

const server = serve(listener, echo, {
  maxConnections: 100,
  idleTimeout: Number(seconds) * 1000,
  drainTimeout: 10_000,
  onError: (error, conn) => console.log(formatAddr(conn.remoteAddr), (error as Error).message),
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    console.log("stopping: the clients that are here may finish");
    server.stop();
  });
}
await server.finished;
