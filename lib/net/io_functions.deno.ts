/**
 * The runtime's functions that do I/O: a simulation refuses calls to them. The twin for Node is
 * `io_functions.node.ts`, with the same export names; the npm build swaps the one for the other.
 *
 * @module
 */

import { Socket as UdpSocket } from "node:dgram";
import { Server, Socket } from "node:net";
import type { IoFunction } from "./io_function.ts";

const DENO = [
  "connect",
  "connectTls",
  "listen",
  "listenDatagram",
  "listenTls",
  "open",
  "readDir",
  "readFile",
  "readTextFile",
  "resolveDns",
  "serve",
  "startTls",
  "writeFile",
  "writeTextFile",
];

/** Sockets and files of Deno, and the sockets of Node that it has, too. */
export function ioFunctions(): IoFunction[] {
  return [
    ...DENO.map((method) => ({ object: Deno, method, name: `Deno.${method}` })),
    { object: Socket.prototype, method: "connect", name: "net.connect" },
    { object: Server.prototype, method: "listen", name: "server.listen" },
    { object: UdpSocket.prototype, method: "bind", name: "socket.bind" },
  ];
}
