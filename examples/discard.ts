#!/usr/bin/env -S deno run -A
// The discard service (RFC 863): whatever comes is thrown away, over TCP and over UDP. Good for seeing
// how fast something can send.   usage: discard.ts [HOST [PORT]]
//
//   ncat localhost 10009 < /dev/zero        ncat -u localhost 10009

import process from "node:process";
import { formatAddr, serve, serveDatagrams, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [host = "localhost", port = "10009"] = process.argv.slice(2);

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`tcp://${formatAddr(listener.addr)}`);
// The same port, of UDP.
const socket = await systemTransport.listenDatagram(listener.addr).catch(explain);
console.log(`udp://${formatAddr(socket.addr)}`);

await Promise.all([
  serve(listener, async (conn) => {
    const bin = new Uint8Array(64 * 1024);
    while (await conn.read(bin) !== null);
  }).finished,
  serveDatagrams(socket, () => undefined).finished,
]);
