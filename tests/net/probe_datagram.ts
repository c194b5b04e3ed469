// Binds a socket for datagrams on 127.0.0.1, leaves a receive waiting, sends to the port named by its
// argument, closes, and prints how that ended: for tests of what a process may do, and when it ends.

import process from "node:process";
import type { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

const to = { host: "127.0.0.1", port: Number(process.argv[2]) };
try {
  using socket = await systemTransport.listenDatagram({ host: "127.0.0.1" });
  socket.receive(new Uint8Array(1)).catch(() => {});
  await socket.send(new Uint8Array(1), to);
  process.stdout.write("sent\n");
} catch (error) {
  process.stdout.write(`${(error as SocketError).message}\n`);
}
