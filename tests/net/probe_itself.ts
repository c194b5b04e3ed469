// Connects to addresses where nobody listens, in the ways that are named, and prints what comes of it.
// usage: probe_itself.ts HOST[,HOST]... PORT WAY...

import process from "node:process";
import { dial } from "../../lib/dial.ts";
import type { Endpoint } from "../../lib/base/addr.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

const [, , hosts, port, ...names] = process.argv;
const ways: Record<string, (remote: Endpoint) => Promise<string>> = {
  connect: async (remote) => String(await systemTransport.connect(remote)),
  dial: async (remote) => String(await dial(systemTransport, remote)),
  listenDatagram: async (remote) => {
    using socket = await systemTransport.listenDatagram({ remote });
    return socket.addr.port === remote.port ? "the same port" : "another port";
  },
};
for (const host of hosts.split(",")) {
  for (const name of names) {
    const remote = { host, port: Number(port) };
    console.log(host, name, await ways[name](remote).catch(({ code }: SocketError) => code));
  }
}
