/**
 * The runtime's functions that do I/O: a simulation refuses calls to them. The twin for Deno is
 * `io_functions.deno.ts`.
 *
 * @module
 */

import { Socket as UdpSocket } from "node:dgram";
import { promises } from "node:fs";
import { Server, Socket } from "node:net";
import type { IoFunction } from "./io_function.ts";

const FILES = ["open", "readFile", "readdir", "writeFile"];

/** Sockets and files. */
export function ioFunctions(): IoFunction[] {
  return [
    ...FILES.map((method) => ({ object: promises, method, name: `fs.promises.${method}` })),
    { object: Socket.prototype, method: "connect", name: "net.connect" },
    { object: Server.prototype, method: "listen", name: "server.listen" },
    { object: UdpSocket.prototype, method: "bind", name: "socket.bind" },
  ];
}
