#!/usr/bin/env -S deno run -A
// The echo client of the tutorials: connect, send, and receive until all of it has come back.
// usage: echo_client.ts [HOST [PORT]]

import process from "node:process";
import { escapeText, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const text = new TextDecoder();

console.error(`connecting to ${host} port ${port}`);
const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);
try {
  const message = new TextEncoder().encode("This is the message.  It will be repeated.");
  console.error(`sending "${text.decode(message)}"`);
  await sock.write(message); // all of it, as sendall() does

  const data = new Uint8Array(16);
  for (let received = 0; received < message.length;) {
    const n = await sock.read(data);
    if (n === null) throw new Error(`The server closed after ${received} bytes`);
    received += n;
    console.error(`received "${escapeText(text.decode(data.subarray(0, n)))}"`);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  console.error("closing socket");
  sock.close();
}
