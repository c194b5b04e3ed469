#!/usr/bin/env -S deno run -A
// Step 7: what one client says, all the others hear. One loop serves them all, so they can share a
// variable.
// usage: together.ts [HOST [PORT]]

import process from "node:process";
import { type Conn, formatAddr, serve, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const clients = new Set<Conn>();

async function share(conn: Conn): Promise<void> {
  clients.add(conn);
  console.log(clients.size, "here");
  try {
    const data = new Uint8Array(1024);
    for (let n; (n = await conn.read(data)) !== null;) {
      for (const other of clients) {
        // A client that has just left is no reason to stop.
        if (other !== conn) await other.write(data.subarray(0, n)).catch(() => {});
      }
    }
  } finally {
    clients.delete(conn);
  }
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));
await serve(listener, share).finished;
