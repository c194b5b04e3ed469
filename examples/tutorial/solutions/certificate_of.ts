#!/usr/bin/env -S deno run -A
// Step 11: says for which names a server's certificate is, and until when.
// usage: certificate_of.ts HOST PORT [DIRECTORY]       trusts cert.pem in DIRECTORY

import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { dial, escapeText, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000", directory = "."] = process.argv.slice(2);

const tls = { caCerts: [readFileSync(join(directory, "cert.pem"), "utf8")] };
const sock = await dial(systemTransport, { host, port: Number(port), tls }).catch(explain);
const certificate = sock.tls.peerCertificate!; // a server always shows one
console.log("names:", escapeText(certificate.subjectAltName ?? "none"));
console.log("until:", escapeText(certificate.validTo));
sock.close();
