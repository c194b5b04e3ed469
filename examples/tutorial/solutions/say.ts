#!/usr/bin/env -S deno run -A
// Step 2: sends what the command line says, and prints what comes back.
// usage: say.ts HOST PORT TEXT

import process from "node:process";
import { escapeText, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000", text = "hello"] = process.argv.slice(2);

const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);
await sock.write(new TextEncoder().encode(text));
const data = new Uint8Array(1024);
const n = await sock.read(data);
if (n === null) console.log("The server closed, and said nothing.");
else console.log(escapeText(new TextDecoder().decode(data.subarray(0, n))));
sock.close();
