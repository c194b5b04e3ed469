#!/usr/bin/env -S deno run -A
// The echo server of the tutorials, with nothing between you and the socket: one conversation after
// the other, 16 bytes at a time.   usage: echo_server.ts [HOST [PORT]]
//
// HOST is the address to listen on: localhost (the default) is for this machine alone, one of the
// machine's own addresses or its name is for who can reach that, and '' is any address.

import process from "node:process";
import { escapeText, formatAddr, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const text = new TextDecoder();

console.error(`starting up on ${host || "any address"} port ${port}`);
const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`tcp://${formatAddr(listener.addr)}`); // what getsockname() says

const data = new Uint8Array(16);
console.error("waiting for a connection");
for await (const connection of listener) {
  try {
    console.error("connection from", formatAddr(connection.remoteAddr));
    for (;;) {
      const n = await connection.read(data);
      console.error(`received "${escapeText(text.decode(data.subarray(0, n ?? 0)))}"`);
      if (n === null) break;
      console.error("sending data back to the client");
      await connection.write(data.subarray(0, n));
    }
    console.error("no more data from", formatAddr(connection.remoteAddr));
  } catch (error) {
    console.error((error as Error).message);
  } finally {
    connection.close(); // clean up the connection
  }
  console.error("waiting for a connection");
}
