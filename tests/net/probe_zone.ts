// Talks to itself at an address of one link, over TCP and UDP, and prints all addresses it sees.

import process from "node:process";
import { formatAddr } from "../../lib/base/addr.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

const [, , host, bound = host] = process.argv;

{
  using listener = await systemTransport.listen({ host: bound });
  const { port } = listener.addr;
  const addr = bound === host ? listener.addr : { host, port };
  using client = await systemTransport.connect(addr);
  using server = await listener.accept();
  const seen = [client.localAddr, client.remoteAddr, server.localAddr, server.remoteAddr];
  console.log(formatAddr(listener.addr), seen.map(formatAddr).join(" "));
}
{
  using socket = await systemTransport.listenDatagram({ host: bound });
  const { port } = socket.addr;
  const remote = bound === host ? socket.addr : { host, port };
  using client = await systemTransport.listenDatagram({ remote });
  const p = new Uint8Array(10);
  await client.send(new Uint8Array(3));
  const { from } = await socket.receive(p);
  await socket.send(new Uint8Array(2), from);
  const { size, from: answering } = await client.receive(p);
  using other = await systemTransport.listenDatagram({ host: "::" });
  await other.send(new Uint8Array(1), remote);
  await socket.receive(p);
  console.log(formatAddr(socket.addr), formatAddr(from), formatAddr(answering), size);
}
