// Connects to an address where nobody listens, in the ways that are named, and prints what comes of it.

import process from "node:process";
import { dial } from "../../lib/dial.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

const [, , host, port, ...names] = process.argv;
const remote = { host, port: Number(port) };
const ways: Record<string, () => Promise<string>> = {
  connect: async () => String(await systemTransport.connect(remote)),
  dial: async () => String(await dial(systemTransport, remote)),
  listenDatagram: async () => {
    using socket = await systemTransport.listenDatagram({ remote });
    return socket.addr.port === remote.port ? "the same port" : "another port";
  },
};
for (const name of names) {
  console.log(name, await ways[name]().catch(({ code }: SocketError) => code));
}
