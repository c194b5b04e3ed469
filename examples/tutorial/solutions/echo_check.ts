#!/usr/bin/env -S deno run -A
// Step 4: sends ten million bytes to an echo server, and checks what comes back. It sends and receives
// at the same time: a server that cannot send any more does not receive, either.
// usage: echo_check.ts [HOST [PORT]]

import process from "node:process";
import { systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const message = Uint8Array.from({ length: 10_000_000 }, (_, i) => i % 251);

const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);

async function receive(): Promise<void> {
  const data = new Uint8Array(65_536);
  for (let received = 0; received < message.length;) {
    const n = await sock.read(data);
    if (n === null) throw new Error(`The server closed after ${received} bytes`);
    for (let i = 0; i < n; i++) {
      if (data[i] !== message[received + i]) throw new Error(`Byte ${received + i} is another`);
    }
    received += n;
  }
}

await Promise.all([sock.write(message), receive()]);
console.log(message.length, "bytes came back as they were sent");
sock.close();
