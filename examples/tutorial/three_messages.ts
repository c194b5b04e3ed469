#!/usr/bin/env -S deno run -A
// Sends three messages one by one, and shows in which pieces they come back.
// usage: three_messages.ts [HOST [PORT]]

import process from "node:process";
import { escapeText, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);
for (const message of ["one", "two", "and this is the third"]) {
  await sock.write(new TextEncoder().encode(message));
}

const data = new Uint8Array(1024);
for (let n, received = 0; received < 27 && (n = await sock.read(data)) !== null; received += n) {
  console.log("a piece:", escapeText(new TextDecoder().decode(data.subarray(0, n))));
}
sock.close();
