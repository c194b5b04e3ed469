#!/usr/bin/env -S deno run -A
// Sends one message and prints what comes back.
// usage: hello_client.ts [HOST [PORT]]

import process from "node:process";
import { escapeText, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);
await sock.write(new TextEncoder().encode("hello, sockets"));
const data = new Uint8Array(1024);
const n = await sock.read(data);
if (n !== null) console.log(escapeText(new TextDecoder().decode(data.subarray(0, n))));
sock.close();
