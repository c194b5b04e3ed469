#!/usr/bin/env -S deno run -A
// The daytime service (RFC 867): says what time it is, in words. Over TCP to who connects, over UDP to
// who sends a datagram, whatever is in it.   usage: daytime.ts [HOST [PORT]]
//
//   ncat localhost 10013                    ncat -u localhost 10013 (and Enter)
//
// By default it listens on loopback. A datagram's sender can be forged: on a public address, a service
// that answers everybody lets anybody send its answers to others.

import process from "node:process";
import { formatAddr, serve, serveDatagrams, systemTransport } from "../mod.ts";
import { explain } from "./explain.ts";

const [host = "localhost", port = "10013"] = process.argv.slice(2);

/** As the RFC suggests: `Saturday, November 21, 2026 17:37:43-UTC`. */
function daytime(): Uint8Array {
  const now = new Date();
  const date = now.toLocaleDateString("en-US", { dateStyle: "full", timeZone: "UTC" });
  return new TextEncoder().encode(`${date} ${now.toISOString().slice(11, 19)}-UTC\r\n`);
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`tcp://${formatAddr(listener.addr)}`);
// The same port, of UDP.
const socket = await systemTransport.listenDatagram(listener.addr).catch(explain);
console.log(`udp://${formatAddr(socket.addr)}`);

await Promise.all([
  serve(listener, (conn) => conn.write(daytime())).finished,
  // No answer to a service, nor to our like: they may answer answers, and would never stop.
  serveDatagrams(socket, (_data, from, to) => {
    return from.port < 1024 || from.port === to.port ? undefined : daytime();
  }).finished,
]);
