#!/usr/bin/env -S deno run -A
// Sends each text message back in capital letters, over WebSocket.
// usage: websocket_server.ts [HOST [PORT]]

import process from "node:process";
import { formatAddr, systemTransport } from "../../mod.ts";
import { serveHttp } from "../../lib/http/mod.ts";
import { websocket } from "../../lib/http/ws/mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const shout = websocket(async (ws) => {
  for await (const message of ws) {
    if (typeof message === "string") await ws.write(message.toUpperCase());
  }
});

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`ws://${formatAddr(listener.addr)}/`);
await serveHttp(listener, shout).finished;
