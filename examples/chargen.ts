#!/usr/bin/env -S deno run -A
// The character generator (RFC 864): over TCP characters without end, as fast as the client reads,
// until it closes; over UDP some of them for each datagram.   usage: chargen.ts [HOST [PORT]]
//
//   ncat localhost 10019 | head             ncat -u localhost 10019 (and Enter)
//
// By default it listens on loopback, and it should stay there. A datagram's sender can be forged, and
// this answers one byte with up to 512: on a public address anybody could flood others through it.

import process from "node:process";
import { type Conn, formatAddr, serve, serveDatagrams, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [host = "localhost", port = "10019"] = process.argv.slice(2);

// 95 printable characters, in lines of 72 that begin with one more each: after 95 lines it starts anew.
const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i));
const lines = Array.from(printable, (_, i) => (printable + printable).slice(i, i + 72) + "\r\n");
const characters = new TextEncoder().encode(lines.join(""));

async function generate(conn: Conn): Promise<void> {
  for (;;) await conn.write(characters); // waits for a client that reads slowly
}

async function discard(conn: Conn): Promise<void> {
  const bin = new Uint8Array(1024);
  while (await conn.read(bin) !== null);
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`tcp://${formatAddr(listener.addr)}`);
// The same port, of UDP.
const socket = await systemTransport.listenDatagram(listener.addr).catch(explain);
console.log(`udp://${formatAddr(socket.addr)}`);

await Promise.all([
  // It ends when the client has gone, and writing fails.
  serve(listener, async (conn) => void await Promise.all([generate(conn), discard(conn)])).finished,
  // No answer to a service, nor to our like: they may answer answers, and would never stop.
  serveDatagrams(socket, (_data, from, to) => {
    if (from.port < 1024 || from.port === to.port) return undefined;
    return characters.subarray(0, Math.random() * 513);
  }).finished,
]);
