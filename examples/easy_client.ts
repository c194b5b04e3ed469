#!/usr/bin/env -S deno run -A
// The easy client of the tutorials, create_connection(): dial() resolves the name, tries each of its
// addresses, and observe() shows which, with what getaddrinfo() said of them.
// usage: easy_client.ts [HOST [PORT]]

import process from "node:process";
import { dial, formatAddr, observe, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const transport = observe(systemTransport, (event) => {
  if (event.type === "resolve") {
    for (const addr of event.addrs) {
      console.error("Family  :", addr.host.includes(":") ? "AF_INET6" : "AF_INET");
      console.error("Type    : SOCK_STREAM");
      console.error("Protocol: IPPROTO_TCP");
      console.error("Address :", formatAddr(addr));
      console.error();
    }
  } else if (event.type === "connect") console.error("trying", formatAddr(event.endpoint));
  else if (event.type === "error") console.error("failed:", event.error.code);
});

try {
  using sock = await dial(transport, { host, port: Number(port) });
  console.error("connected to", formatAddr(sock.remoteAddr));
  await sock.write(new TextEncoder().encode("This is the message.  It will be repeated."));
  await sock.closeWrite();

  const data = new Uint8Array(1024);
  for (let n; (n = await sock.read(data)) !== null;) process.stdout.write(data.subarray(0, n));
} catch (error) {
  explain(error);
}
