#!/usr/bin/env -S deno run -A
// Gets a page from a web server, on nothing but a socket.   usage: web_client.ts http://HOST[:PORT]/PATH

import process from "node:process";
import { dial, escapeText, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [address = "http://localhost:8000/"] = process.argv.slice(2);
const url = URL.canParse(address) ? new URL(address) : undefined;
if (url?.protocol !== "http:") {
  console.error("usage: web_client.ts http://HOST[:PORT]/PATH");
  process.exit(1);
}

try {
  const host = url.hostname.replace(/^\[|\]$/g, ""); // of IPv6, as in http://[::1]/
  using sock = await dial(systemTransport, { host, port: Number(url.port || 80) });
  const request = `GET ${url.pathname}${url.search} HTTP/1.0\r\nHost: ${url.host}\r\n\r\n`;
  await sock.write(new TextEncoder().encode(request));

  // The head ends with an empty line; all that follows, until the server closes, is the body.
  let head = "";
  let body = false;
  const data = new Uint8Array(4096);
  for (let n; (n = await sock.read(data)) !== null;) {
    const bytes = data.subarray(0, n);
    if (body) {
      process.stdout.write(bytes.slice());
      continue;
    }
    const before = head.length;
    head += new TextDecoder("latin1").decode(bytes); // one character for each byte
    const end = head.indexOf("\r\n\r\n");
    body = end >= 0;
    if (body) process.stdout.write(bytes.slice(end + 4 - before));
    else if (head.length > 65_536) throw new Error("The head of the response has no end");
  }
  const [status] = head.split("\r\n");
  console.error(escapeText(status));
  if (status.split(" ")[1] !== "200") process.exitCode = 1;
} catch (error) {
  explain(error);
}
