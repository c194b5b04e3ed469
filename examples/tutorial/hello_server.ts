#!/usr/bin/env -S deno run -A
// Takes one client after the other, and sends back what each says first.
// usage: hello_server.ts [HOST [PORT]]

import process from "node:process";
import { formatAddr, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));

while (true) {
  const conn = await listener.accept();
  console.log("client", formatAddr(conn.remoteAddr));
  const data = new Uint8Array(1024);
  const n = await conn.read(data);
  if (n !== null) await conn.write(data.subarray(0, n));
  conn.close();
}
