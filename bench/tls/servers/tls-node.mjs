// The least that node:tls costs on a socket of node:net.
import { readFileSync } from "node:fs";
import process from "node:process";
import tls from "node:tls";
import { prepared } from "./prepared.mjs";

const [port, dir, cert, key] = process.argv.slice(2);
const identity = { cert: readFileSync(cert), key: readFileSync(key) };
tls.createServer(identity, prepared(dir))
  .listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
