#!/usr/bin/env -S deno run -A
// Sends each datagram back, in capital letters.
// usage: udp_server.ts [HOST [PORT]]

import process from "node:process";
import { formatAddr, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const sock = await systemTransport.listenDatagram({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(sock.addr));

const data = new Uint8Array(65_535);
while (true) {
  const { size, from } = await sock.receive(data);
  const text = new TextDecoder().decode(data.subarray(0, size)).toUpperCase();
  await sock.send(new TextEncoder().encode(text), from);
}
