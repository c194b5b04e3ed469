#!/usr/bin/env -S deno run -A
// Step 1: says of each port whether anybody listens there.
// usage: knock.ts HOST PORT...

import process from "node:process";
import { type SocketError, systemTransport } from "../../../mod.ts";

const [host = "localhost", ...ports] = process.argv.slice(2);

for (const port of ports) {
  try {
    const sock = await systemTransport.connect({ host, port: Number(port) });
    sock.close();
    console.log(port, "open");
  } catch (error) {
    console.log(port, (error as SocketError).code);
  }
}
