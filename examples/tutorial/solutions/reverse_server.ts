#!/usr/bin/env -S deno run -A
// Step 5: sends back what a client has sent, the last byte first. Only the client's end says which
// byte that is.
// usage: reverse_server.ts [HOST [PORT]]

import process from "node:process";
import { formatAddr, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const MOST = 1_000_000; // a client that sends more gets no answer

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));

const data = new Uint8Array(4096);
for await (const conn of listener) {
  const bytes: number[] = [];
  for (let n; bytes.length <= MOST && (n = await conn.read(data)) !== null;) {
    bytes.push(...data.subarray(0, n));
  }
  if (bytes.length <= MOST) await conn.write(Uint8Array.from(bytes.reverse()));
  conn.close();
}
