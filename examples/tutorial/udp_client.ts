#!/usr/bin/env -S deno run -A
// Sends one datagram, and waits two seconds for the answer.
// usage: udp_client.ts [HOST [PORT]]

import process from "node:process";
import { escapeText, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const remote = { host, port: Number(port) };
const sock = await systemTransport.listenDatagram({ remote }).catch(explain);
await sock.send(new TextEncoder().encode("hello, datagrams"));
const timer = setTimeout(() => sock.close(new Error("no answer within two seconds")), 2000);
try {
  const data = new Uint8Array(65_535);
  const { size } = await sock.receive(data);
  console.log(escapeText(new TextDecoder().decode(data.subarray(0, size))));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  clearTimeout(timer);
  sock.close();
}
