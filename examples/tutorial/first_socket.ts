#!/usr/bin/env -S deno run -A
// Connects a socket, shows both of its addresses, and closes it.
// usage: first_socket.ts [HOST [PORT]]

import process from "node:process";
import { formatAddr, systemTransport } from "../../mod.ts";
import { explain } from "../explain.ts";

const [host = "localhost", port = "10000"] = process.argv.slice(2);

const sock = await systemTransport.connect({ host, port: Number(port) }).catch(explain);
console.log("this end: ", formatAddr(sock.localAddr));
console.log("other end:", formatAddr(sock.remoteAddr));
sock.close();
