#!/usr/bin/env -S deno run -A
// Makes a certificate for localhost and the key that belongs to it: cert.pem and key.pem.
// usage: certificate.ts [DIRECTORY]

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { selfSigned } from "../../mod.ts";

const [directory = "."] = process.argv.slice(2);

const { cert, key } = await selfSigned(["localhost", "127.0.0.1", "::1"]);
writeFileSync(join(directory, "cert.pem"), cert);
writeFileSync(join(directory, "key.pem"), key, { mode: 0o600 }); // nobody else may read it
console.log("made cert.pem and key.pem");
