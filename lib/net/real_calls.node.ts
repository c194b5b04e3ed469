/**
 * The runtime's own calls that do I/O, for whoever has to keep them from being made. Its twin for Deno
 * is `real_calls.deno.ts`.
 *
 * @module
 */

import { Socket as UdpSocket } from "node:dgram";
import { promises } from "node:fs";
import { Server, Socket } from "node:net";
import type { RealCall } from "./real_call.ts";

const FILES = ["open", "readFile", "readdir", "writeFile"];

/** Sockets and files. */
export function realCalls(): RealCall[] {
  return [
    ...FILES.map((method) => ({ object: promises, method, name: `fs.promises.${method}` })),
    { object: Socket.prototype, method: "connect", name: "net.connect" },
    { object: Server.prototype, method: "listen", name: "server.listen" },
    { object: UdpSocket.prototype, method: "bind", name: "socket.bind" },
  ];
}
