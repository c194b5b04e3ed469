#!/usr/bin/env -S deno run -A
// Step 9: asks for the head of a page alone, with HEAD, and prints its lines.
// usage: web_head.ts http://HOST[:PORT]/PATH

import process from "node:process";
import { dial, escapeText, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [address = "http://localhost:8000/"] = process.argv.slice(2);
const url = new URL(address);

try {
  using sock = await dial(systemTransport, { host: url.hostname, port: Number(url.port || 80) });
  const request = `HEAD ${url.pathname}${url.search} HTTP/1.0\r\nHost: ${url.host}\r\n\r\n`;
  await sock.write(new TextEncoder().encode(request));

  let head = "";
  const data = new Uint8Array(4096);
  for (let n; head.length < 65_536 && (n = await sock.read(data)) !== null;) {
    head += new TextDecoder("latin1").decode(data.subarray(0, n));
  }
  for (const line of head.trimEnd().split("\r\n")) console.log(escapeText(line));
} catch (error) {
  explain(error);
}
