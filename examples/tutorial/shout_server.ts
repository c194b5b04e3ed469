#!/usr/bin/env -S deno run -A
// Sends each message back in capital letters. Four bytes say how long a message is.
// usage: shout_server.ts [HOST [PORT]]

import process from "node:process";
import { type Conn, formatAddr, serve, systemTransport } from "../../mod.ts";
import { FrameReader, FrameWriter, lengthPrefix } from "../../lib/frames/mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

async function shout(conn: Conn): Promise<void> {
  const writer = new FrameWriter(conn, lengthPrefix("u32"));
  for await (const message of new FrameReader(conn, lengthPrefix("u32"))) {
    const text = new TextDecoder().decode(message).toUpperCase();
    await writer.write(new TextEncoder().encode(text));
    await writer.flush();
  }
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log("listening on", formatAddr(listener.addr));
const onError = (error: unknown) => console.log((error as Error).message);
await serve(listener, shout, { onError }).finished;
