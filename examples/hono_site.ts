#!/usr/bin/env -S deno run -A
// A Hono app: routes of its own, and behind them the files of a directory, which are mounted below
// /files, too.   usage: hono_site.ts [DIRECTORY [HOST [PORT]]]

import process from "node:process";
import { Hono } from "hono";
import { formatAddr, systemTransport } from "../mod.ts";
import { fileHandler } from "../lib/files/mod.ts";
import { serveHttp } from "../lib/http/mod.ts";
import { explain } from "./explain.ts";

const [directory = ".", host = "localhost", port = "8000"] = process.argv.slice(2);

const files = fileHandler(directory);
const app = new Hono();
app.get("/api/hello/:name", (c) => c.json({ hello: c.req.param("name") }));
app.mount("/files", files);
app.get("*", (c) => files(c.req.raw));

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`http://${formatAddr(listener.addr)}/`);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGINT", () => stop.abort());
await serveHttp(listener, (request) => app.fetch(request), { signal: stop.signal }).finished;
