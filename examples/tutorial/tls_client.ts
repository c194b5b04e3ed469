#!/usr/bin/env -S deno run -A
// Connects with TLS, checks the server's certificate, and sends a message.
// usage: tls_client.ts [HOST [PORT [DIRECTORY]]]       trusts cert.pem in DIRECTORY

import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { dial, escapeText, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000", directory = "."] = process.argv.slice(2);

const tls = { caCerts: [readFileSync(join(directory, "cert.pem"), "utf8")] };
const sock = await dial(systemTransport, { host, port: Number(port), tls }).catch(explain);
console.log(sock.tls.protocol);
await sock.write(new TextEncoder().encode("hello, secret"));
const data = new Uint8Array(1024);
const n = await sock.read(data);
if (n !== null) console.log(escapeText(new TextDecoder().decode(data.subarray(0, n))));
sock.close();
