#!/usr/bin/env -S deno run -A
// Counts the bytes of each client until its end, and then says how many there were.
// usage: count_server.ts [HOST [PORT]]

import process from "node:process";
import { formatAddr, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));

const data = new Uint8Array(4096);
for await (const conn of listener) {
  let count = 0;
  for (let n; (n = await conn.read(data)) !== null;) count += n;
  await conn.write(new TextEncoder().encode(`${count} bytes\n`));
  conn.close();
}
