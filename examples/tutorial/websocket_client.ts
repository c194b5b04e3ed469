#!/usr/bin/env -S deno run -A
// Sends one message over WebSocket, and prints the answer.
// usage: websocket_client.ts [HOST [PORT]]

import process from "node:process";
import { escapeText } from "../../mod.ts";
import { dialWebSocket } from "../../lib/http/ws/mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const ws = await dialWebSocket(`ws://${host}:${port}/`).catch(explain);
await ws.write("hello, browser");
console.log(escapeText(String(await ws.read())));
await ws.close();
