#!/usr/bin/env -S deno run -A
// An echo server in the three ways of the HOWTO.
// usage: three_ways.ts threads|processes|loop [HOST [PORT]]

import process from "node:process";
import { type Conn, formatAddr, serve, systemTransport } from "../../mod.ts";
import { startWorkers } from "../../lib/workers/mod.ts";
import { explain } from "../explain.ts";
import { ECHO_WORKER } from "./echo_worker.ts";

const [way = "loop", host = "localhost", port = "10000"] = process.argv.slice(2);

async function echo(conn: Conn): Promise<void> {
  const data = new Uint8Array(1024);
  for (let n; (n = await conn.read(data)) !== null;) await conn.write(data.subarray(0, n));
}

const address = { host, port: Number(port) };
if (way === "threads" || way === "processes") {
  const options = { workers: 2, kind: way, listen: address } as const;
  const workers = await startWorkers(ECHO_WORKER, options).catch(explain);
  console.log("listening on", formatAddr(workers.addr));
  process.once("SIGTERM", () => workers.stop());
  process.once("SIGINT", () => workers.stop());
} else {
  const listener = await systemTransport.listen(address).catch(explain);
  console.log("listening on", formatAddr(listener.addr));
  await serve(listener, echo).finished;
}
