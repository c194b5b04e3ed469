#!/usr/bin/env -S deno run -A
// Sends three lines, ends its side, and prints the answer.
// usage: count_client.ts [HOST [PORT]]

import process from "node:process";
import { systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);
for (const line of ["first line\n", "second line\n", "last line\n"]) {
  await sock.write(new TextEncoder().encode(line));
}
await sock.closeWrite();

const data = new Uint8Array(1024);
for (let n; (n = await sock.read(data)) !== null;) process.stdout.write(data.subarray(0, n));
sock.close();
