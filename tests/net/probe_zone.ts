// Talks to itself at addresses of one link, over TCP and UDP, and prints all addresses it sees: a line
// for each that is named, with a comma before the one to listen at where that is another.

import process from "node:process";
import { formatAddr } from "../../lib/base/addr.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

async function overTcp(host: string, bound: string): Promise<string[]> {
  using listener = await systemTransport.listen({ host: bound });
  const { port } = listener.addr;
  const addr = bound === host ? listener.addr : { host, port };
  using client = await systemTransport.connect(addr);
  using server = await listener.accept();
  const seen = [client.localAddr, client.remoteAddr, server.localAddr, server.remoteAddr];
  return [listener.addr, ...seen].map(formatAddr);
}

async function overUdp(host: string, bound: string): Promise<string[]> {
  using socket = await systemTransport.listenDatagram({ host: bound });
  const { port } = socket.addr;
  const remote = bound === host ? socket.addr : { host, port };
  using client = await systemTransport.listenDatagram({ remote });
  const p = new Uint8Array(10);
  await client.send(new Uint8Array(3));
  const { from } = await socket.receive(p);
  await socket.send(new Uint8Array(2), from);
  const { from: answering } = await client.receive(p);
  using other = await systemTransport.listenDatagram({ host: "::" });
  await other.send(new Uint8Array(1), remote);
  await socket.receive(p);
  return [socket.addr, from, answering].map(formatAddr);
}

for (const named of process.argv.slice(2)) {
  const [host, bound = host] = named.split(",");
  console.log(...await overTcp(host, bound), ...await overUdp(host, bound));
}
