#!/usr/bin/env -S deno run -A
// Step 13: how long does a Ping take, there and back?
// usage: ws_ping.ts [HOST [PORT]]

import process from "node:process";
import { dialWebSocket } from "../../../lib/http/ws/mod.ts";
import { explain } from "../../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const ws = await dialWebSocket(`ws://${host}:${port}/`).catch(explain);
for (let i = 1; i <= 5; i++) {
  const started = performance.now();
  await ws.ping().catch(explain);
  console.log(`Pong ${i} after ${(performance.now() - started).toFixed(1)} ms`);
}
await ws.close();
