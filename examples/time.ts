#!/usr/bin/env -S deno run -A
// The time service (RFC 868): says what time it is, in four bytes: the seconds since 1900, big-endian,
// over TCP to who connects, over UDP to who sends a datagram.   usage: time.ts [HOST [PORT]]
//
//   ncat localhost 10037 | xxd -p           rdate -p -o 10037 localhost
//
// By default it listens on loopback. A datagram's sender can be forged: on a public address, a service
// that answers everybody lets anybody send its answers to others.

import process from "node:process";
import { formatAddr, serve, serveDatagrams, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [host = "localhost", port = "10037"] = process.argv.slice(2);

/** From 1900 to 1970, where Date begins: 70 years, 17 of them leap years. */
const SECONDS_BEFORE_1970 = (70 * 365 + 17) * 24 * 60 * 60;

function time(): Uint8Array {
  const bytes = new Uint8Array(4);
  const seconds = Math.floor(Date.now() / 1000) + SECONDS_BEFORE_1970;
  new DataView(bytes.buffer).setUint32(0, seconds); // in 2036 it begins again at 0
  return bytes;
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`tcp://${formatAddr(listener.addr)}`);
// The same port, of UDP.
const socket = await systemTransport.listenDatagram(listener.addr).catch(explain);
console.log(`udp://${formatAddr(socket.addr)}`);

await Promise.all([
  serve(listener, (conn) => conn.write(time())).finished,
  // No answer to a service, nor to our like: they may answer answers, and would never stop.
  serveDatagrams(socket, (_data, from, to) => {
    return from.port < 1024 || from.port === to.port ? undefined : time();
  }).finished,
]);
