#!/usr/bin/env -S deno run -A
// Step 3: tells each client the number that it has.
// usage: guests.ts [HOST [PORT]]

import process from "node:process";
import { formatAddr, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));

for (let guest = 1;; guest++) {
  const conn = await listener.accept();
  await conn.write(new TextEncoder().encode(`You are guest ${guest}.\n`));
  conn.close();
}
