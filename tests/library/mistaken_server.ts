// Servers whose handlers throw, without onError: what is printed then is what mistakes_test.ts looks
// at. Prints the ports of the clients on stdout.

import assert from "node:assert/strict";
import process from "node:process";
import { serve, serveDatagrams, systemTransport } from "../../mod.ts";
import { serveHttp, serveLight } from "../../lib/http/mod.ts";

const host = "127.0.0.1";
const text = (text: string) => new TextEncoder().encode(text);

function fails(what: string): never {
  throw new TypeError(`${what} is wrong`);
}

/** Listens, has `kind` serve, and lets a client say something and hear all. */
async function meet(kind: typeof serve | typeof serveLight | typeof serveHttp, said: string) {
  const listener = await systemTransport.listen({ host });
  const name = kind.name;
  const server = kind(listener, () => fails(name));
  using conn = await systemTransport.connect(listener.addr);
  console.log(`${name} ${conn.localAddr.port}`);
  await conn.write(text(said));
  while (await conn.read(new Uint8Array(1000)) !== null);
  await server.stop();
}

const request = (target: string) =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc`;
await meet(serve, "");
await meet(serveLight, request("/light?a=b"));
await meet(serveHttp, request("/http"));

const socket = await systemTransport.listenDatagram({ host });
const warned = new Promise<Error>((resolve) => process.on("warning", resolve));
const served = serveDatagrams(socket, () => fails("serveDatagrams")).finished;
using client = await systemTransport.listenDatagram({ remote: socket.addr });
console.log(`serveDatagrams ${client.addr.port}`);
await client.send(text("hello"));
assert.ok((await warned).cause instanceof TypeError);
socket.close();
await served;
