#!/usr/bin/env -S deno run -A
// The echo server, encrypted, with the certificate in cert.pem and its key in key.pem.
// usage: tls_server.ts [HOST [PORT [DIRECTORY]]]

import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { echo } from "../../lib/protocols/mod.ts";
import { formatAddr, serve, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000", directory = "."] = process.argv.slice(2);

const tls = {
  cert: readFileSync(join(directory, "cert.pem"), "utf8"),
  key: readFileSync(join(directory, "key.pem"), "utf8"),
  onHandshakeError: (error: Error) => console.log(error.message),
};
const listener = await systemTransport.listen({ host, port: Number(port), tls }).catch(explain);
console.log("listening on", formatAddr(listener.addr));
await serve(listener, echo()).finished;
