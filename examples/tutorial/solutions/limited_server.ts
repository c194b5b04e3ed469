#!/usr/bin/env -S deno run -A
// Step 12: an echo server in which one address may have two connections at once, and no more.
// usage: limited_server.ts [HOST [PORT]]

import process from "node:process";
import { echo } from "../../../lib/protocols/mod.ts";
import { AccessList, formatAddr, serve, systemTransport } from "../../../mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));

const admission = new AccessList({
  maxPerAddress: 2,
  onRefuse: (addr, why) => console.log("refused", formatAddr(addr), why),
});
const server = serve(listener, echo(), { admission });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.stop());
await server.finished;
