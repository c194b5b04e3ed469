#!/usr/bin/env -S deno run -A
// Step 8: a message is a line of numbers, and the answer is a line with their sum.
// usage: sum_server.ts [HOST [PORT]]

import process from "node:process";
import { type Conn, formatAddr, serve, systemTransport } from "../../../mod.ts";
import { FrameReader, FrameWriter, lines } from "../../../lib/frames/mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

async function sum(conn: Conn): Promise<void> {
  const writer = new FrameWriter(conn, lines());
  for await (const line of new FrameReader(conn, lines())) {
    const numbers = new TextDecoder().decode(line).trim().split(/\s+/).map(Number);
    const total = numbers.reduce((a, b) => a + b, 0);
    await writer.write(new TextEncoder().encode(String(total)));
    await writer.flush();
  }
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));
await serve(listener, sum).finished;
