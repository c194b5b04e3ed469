#!/usr/bin/env -S deno run -A
// A web server on nothing but sockets: the files of a directory.
// usage: web_server.ts [DIRECTORY [HOST [PORT]]]

import { Buffer } from "node:buffer";
import { readFile, realpath, stat } from "node:fs/promises";
import { extname, sep } from "node:path";
import process from "node:process";
import { type Conn, formatAddr, serve, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [directory = ".", host = "localhost", port = "8000"] = process.argv.slice(2);
const root = await realpath(directory).catch(explain);
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".txt": "text/plain",
  ".png": "image/png",
};

function response(status: string, body: string | Uint8Array, type = "text/plain"): Uint8Array {
  const bytes = Buffer.from(body);
  const fields = `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n`;
  return Buffer.concat([Buffer.from(`HTTP/1.0 ${status}\r\n${fields}\r\n`), bytes]);
}

async function answer(request: string): Promise<Uint8Array> {
  const [method, target = "/"] = request.split(" ", 2);
  if (method !== "GET") return response("405 Method Not Allowed", "Only GET is known here.\n");
  try {
    const path = decodeURIComponent(target.split("?")[0]);
    const file = await realpath(root + path + (path.endsWith("/") ? "index.html" : ""));
    if (!file.startsWith(root + sep)) throw new Error("It is outside of the directory");
    if (!(await stat(file)).isFile()) throw new Error("It is not a file");
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    return response("200 OK", await readFile(file), type);
  } catch {
    return response("404 Not Found", "There is no such file.\n");
  }
}

async function converse(conn: Conn): Promise<void> {
  const data = new Uint8Array(4096);
  let request = "";
  while (!request.includes("\r\n\r\n")) {
    const n = await conn.read(data);
    if (n === null || request.length > 8192) return;
    request += new TextDecoder("latin1").decode(data.subarray(0, n));
  }
  await conn.write(await answer(request));
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`http://${formatAddr(listener.addr)}/`);
await serve(listener, converse, { idleTimeout: 10_000 }).finished;
