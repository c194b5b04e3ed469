#!/usr/bin/env -S deno run -A
// Sends three messages, and prints the three that come back.
// usage: shout_client.ts [HOST [PORT]]

import process from "node:process";
import { systemTransport } from "../../mod.ts";
import { FrameReader, FrameWriter, lengthPrefix } from "../../lib/frames/mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);
const writer = new FrameWriter(sock, lengthPrefix("u32"));
for (const message of ["one", "two", "and this is\nthe third"]) {
  await writer.write(new TextEncoder().encode(message));
}
await writer.flush();
await sock.closeWrite();

for await (const message of new FrameReader(sock, lengthPrefix("u32"))) {
  console.log("a message:", JSON.stringify(new TextDecoder().decode(message)));
}
sock.close();
