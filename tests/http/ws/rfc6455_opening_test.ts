// The MUSTs of RFC 6455 section 4.1 on the URL, the connection and TLS: what a client does before its
// request. rfc6455_test.ts has the rest.

import assert from "node:assert/strict";
import { serveLight } from "../../../lib/http/server/server.ts";
import { dialWebSocket } from "../../../lib/http/ws/client.ts";
import { websocket } from "../../../lib/http/ws/server.ts";
import { MemoryTransport } from "../../../lib/net/memory/transport.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import type { TlsConn } from "../../../lib/net/transport.ts";
import { CertificateStore } from "../../../lib/net/tls/certificate_store.ts";
import { test } from "../../support/runner.deno.ts";

test("RFC 6455 4.1: a URL that is not valid, or not of a WebSocket, is refused before it is connected to", async () => {
  const transport = new MemoryTransport();
  for (
    const url of ["http://a/", "ws:a", "ws://", "ws://a:99999/", "ws://a/#b", "ws://a b/", "a", ""]
  ) {
    await assert.rejects(dialWebSocket(url, { transport }), { code: "BAD_URL" }, url);
  }
});

test("RFC 6455 4.1: subprotocols to ask for are tokens, each once", async () => {
  for (const protocols of [[""], ["a b"], ["a,b"], ["é"], ["a", "a"]]) {
    await assert.rejects(dialWebSocket("ws://localhost/", { protocols }), RangeError);
  }
});

test("RFC 6455 4.1: where no connection can be made, dialing rejects", async () => {
  const transport = new MemoryTransport();
  await assert.rejects(dialWebSocket("ws://localhost/", { transport }), { code: "ECONNREFUSED" });
});

test("RFC 6455 4.1: a port that is not the scheme's stands in Host", async () => {
  const transport = new MemoryTransport();
  const hosts: string[] = [];
  for (const [port, url] of [[80, "ws://localhost:80/"], [8080, "ws://localhost:8080/"]] as const) {
    const listener = await transport.listen({ port });
    const handler = websocket((_, { host }) => void hosts.push(host));
    await using _server = serveLight(listener, handler);
    await using ws = await dialWebSocket(url, { transport });
    assert.equal(await ws.read(), null);
  }
  assert.deepEqual(hosts, ["localhost", "localhost:8080"]);
});

test("RFC 6455 4.1 and 4.2.2: wss speaks TLS first, names the host in it (SNI), and trusts no stranger", async () => {
  const own = await selfSigned(["localhost"]);
  const certificates = new CertificateStore({ keyPairs: [own] });
  const listener = await systemTransport.listen({ host: "127.0.0.1", tls: { certificates } });
  const names: (string | undefined)[] = [];
  const accept = listener.accept.bind(listener);
  listener.accept = async () => {
    const conn: TlsConn = await accept();
    names.push(conn.tls.servername);
    return conn as Awaited<ReturnType<typeof accept>>;
  };
  const echo = websocket(async (ws) => {
    for await (const message of ws) await ws.write(message);
  });
  await using _server = serveLight(listener, echo);
  const url = `wss://localhost:${listener.addr.port}/`;
  await assert.rejects(dialWebSocket(url), { code: "ECERT" });
  {
    await using ws = await dialWebSocket(url, { tls: { caCerts: [own.cert] } });
    await ws.write("hello");
    assert.equal(await ws.read(), "hello");
  }
  assert.deepEqual(names, ["localhost"]);
  await assert.rejects(dialWebSocket(url.replace("wss", "ws")));
});
