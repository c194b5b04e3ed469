// Upgrades with the HTTP of others: Node's http module as client and server, curl, and nginx between us.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { requestUpgrade } from "../../lib/http/client/upgrade.ts";
import { upgrade } from "../../lib/http/fetch/upgrade.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { bytes } from "../support/helpers.ts";
import { startNginx } from "../support/nginx.ts";
import { runProgram } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";

/** An echo on a free port, for those who ask for it. */
async function serveEcho() {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  return serveLight(
    listener,
    (request) => upgrade(request, { protocol: "echo/1", handler: echo() }),
  );
}

/** Asks for an echo, says hello, and hears so many bytes. nginx closes both sides at the first FIN. */
async function converse(url: string, length: number): Promise<string> {
  const { conn } = await requestUpgrade(systemTransport, { url, protocol: "echo/1" });
  assert.ok(conn !== undefined);
  await conn.write(bytes("hello"));
  const heard = Buffer.alloc(length);
  for (let from = 0; from < length;) {
    const n = await conn.read(heard.subarray(from));
    assert.ok(n !== null, `The end came behind ${heard.subarray(0, from)}`);
    from += n;
  }
  conn.close();
  return heard.toString();
}

test("upgrade: Node's http client hears the echo, and 426 if it asks for something else", async () => {
  await using server = await serveEcho();
  const { port } = server.addr as { port: number };
  const ask = (protocol: string) =>
    request({ host: "127.0.0.1", port, headers: { Connection: "Upgrade", Upgrade: protocol } })
      .end();
  const asked = ask("echo/1");
  const [response, socket, head] = await once(asked, "upgrade") as [
    IncomingMessage,
    Socket,
    Uint8Array,
  ];
  assert.deepEqual([response.statusCode, response.headers.upgrade], [101, "echo/1"]);
  let heard = Buffer.from(head).toString();
  socket.on("data", (data) => heard += data);
  socket.end("hello");
  await once(socket, "end");
  assert.equal(heard, "hello");
  const [refused] = await once(ask("chat"), "response") as [IncomingMessage];
  assert.deepEqual([refused.statusCode, refused.headers.upgrade], [426, "echo/1"]);
  refused.resume();
  await once(refused, "end");
});

test("upgrade: a server of Node's http module is asked, and what it sends at once is not lost", async () => {
  const server = createServer((_, response) => response.end("plain"));
  server.on("upgrade", (_, socket: Socket) => {
    socket.write("HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: echo/1\r\n\r\nwelcome, ");
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal(await converse(`http://127.0.0.1:${port}/`, 14), "welcome, hello");
  server.close();
  await once(server, "close");
});

test(
  "upgrade: curl prints the head of 101 and what the protocol says",
  async () => {
    const listener = await systemTransport.listen({ host: "127.0.0.1" });
    const { port } = listener.addr;
    await using _server = serveLight(listener, (request) =>
      upgrade(request, {
        protocol: "greeting/1",
        handler: (conn) => conn.write(bytes("welcome")),
      }));
    const fields = ["Connection: Upgrade", "Upgrade: greeting/1"].flatMap((field) => ["-H", field]);
    const args = ["-sS", "--http1.1", "-i", ...fields, `http://127.0.0.1:${port}/`];
    const { stdout } = await runProgram(["curl", ...args]);
    assert.match(stdout.toString(), /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*\r\n\r\nwelcome$/);
  },
  ["curl"],
);

test("upgrade: nginx between us passes an upgrade on, and 426", async () => {
  await using server = await serveEcho();
  const { port } = server.addr as { port: number };
  await using nginx = await startNginx(port);
  const url = `${nginx.url}/upgrade/`;
  assert.equal(await converse(url, 5), "hello");
  const refused = await requestUpgrade(systemTransport, { url, protocol: "chat" });
  assert.deepEqual([refused.conn, refused.response.status], [undefined, 426]);
  refused.response.close();
}, ["nginx"]);
