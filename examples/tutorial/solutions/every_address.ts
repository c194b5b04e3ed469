#!/usr/bin/env -S deno run -A
// Step 6: tries every address of a name, one after the other.
// usage: every_address.ts HOST PORT

import process from "node:process";
import { formatAddr, type SocketError, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

for (const addr of await systemTransport.resolve({ host, port: Number(port) }).catch(explain)) {
  try {
    const sock = await systemTransport.connect(addr);
    sock.close();
    console.log(formatAddr(addr), "connected");
  } catch (error) {
    console.log(formatAddr(addr), (error as SocketError).code);
  }
}
