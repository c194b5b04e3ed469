import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deferred } from "../../lib/base/wait.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import { upgrade } from "../../lib/http/fetch/upgrade.ts";
import { toFetchHandler } from "../../lib/http/fetch/fetch_handler.ts";
import { requestHttp } from "../../lib/http/client/request.ts";
import { requestUpgrade } from "../../lib/http/client/upgrade.ts";
import type { Exchange, HttpOptions } from "../../lib/http/server/options.ts";
import type { LightHandler, LightResponse } from "../../lib/http/server/light.ts";
import type { Handler } from "../../lib/serve/serve.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { bytes, readAll, until } from "../support/helpers.ts";
import { serveOn, splits } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const ASK =
  "GET /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: Echo\r\n\r\n";
const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

const upgrading = (handler: Handler, headers?: string[]): LightHandler => (request) =>
  request.target === "/x"
    ? upgrade(request, { protocol: "echo", headers, handler })
    : { status: 200, body: "plain" };

/** Reads until so much text has come. */
async function hear(conn: Conn, length: number): Promise<string> {
  let heard = "";
  const buffer = new Uint8Array(1024);
  while (heard.length < length) {
    const n = await conn.read(buffer);
    if (n === null) break;
    heard += Buffer.from(buffer.subarray(0, n)).toString("latin1").replace(/Date: .*\r\n/, "");
  }
  return heard;
}

test("upgrade: 101, and then the other protocol, with what came behind the head first", async () => {
  await using server = await serveOn(upgrading(echo(), ["X-More", "1"]));
  for (const parts of splits(Buffer.from(`${ASK}hello, hello`))) {
    using conn = await server.connect();
    for (const part of parts) await conn.write(part);
    await conn.closeWrite();
    const head = SWITCHED.replace("\r\n\r\n", "\r\nX-More: 1\r\n\r\n");
    assert.equal(await hear(conn, Infinity), `${head}hello, hello`);
  }
  assert.deepEqual(server.errors, []);
});

test("upgrade: responses before it are sent first, and what follows is no request", async () => {
  await using server = await serveOn(upgrading(echo()));
  const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const heard = await server.talk(`${get}${get}${ASK}${get}`);
  assert.equal(heard.split("plain").length, 3);
  assert.ok(heard.endsWith(`${SWITCHED}${get}`), heard);
});

test("upgrade: a request whose signal is asked for later takes nothing of the other protocol", async () => {
  await using server = await serveOn((request) =>
    upgrade(request, {
      protocol: "echo",
      handler: async (conn, conversation) => {
        assert.equal(request.signal().aborted, false);
        await server.clock.advance(1000);
        await echo()(conn, conversation);
      },
    })
  );
  assert.equal(await server.talk(`${ASK}hello`), `${SWITCHED}hello`);
  assert.deepEqual(server.errors, []);
});

test("upgrade: a request that does not ask for it gets 426, and the connection goes on", async () => {
  await using server = await serveOn(upgrading(echo()));
  for (
    const fields of ["", "Upgrade: echo\r\n", "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n"]
  ) {
    const heard = await server.talk(
      `GET /x HTTP/1.1\r\nHost: a\r\n${fields}\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    assert.match(heard, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
    assert.match(heard, /\r\nConnection: Upgrade\r\nUpgrade: echo\r\n/);
    assert.match(heard, /plain$/);
  }
  const old = await server.talk("GET /x HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  assert.match(old, /^HTTP\/1\.1 426 /);
});

test("upgrade: a request with content gets 400, and its content is not taken for a request", async () => {
  await using server = await serveOn(upgrading(echo()));
  const head = ASK.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n");
  assert.match(await server.talk(`${head}GET /`), /^HTTP\/1\.1 400 [^]*no content here\.\n$/);
  const chunked = ASK.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n");
  assert.match(await server.talk(`${chunked}0\r\n\r\n`), /^HTTP\/1\.1 400 /);
});

test("upgrade: a handler that does not ask for it answers such a request as any other", async () => {
  await using server = await serveOn(() => ({ status: 200, body: "no" }));
  const heard = await server.talk(`${ASK}${ASK}`);
  assert.equal(heard.split("no").length, 3);
});

test("upgrade: what the protocol throws resets the connection, and is an error; a lost one is not", async () => {
  const mistake = new Error("a mistake");
  await using server = await serveOn(upgrading((conn) => {
    if (conn.bytesWritten >= 0) throw mistake;
  }));
  using conn = await server.connect();
  await conn.write(bytes(ASK));
  await assert.rejects(readAll(conn), { code: "ECONNRESET" });
  assert.deepEqual(server.errors, [mistake]);

  await using other = await serveOn(upgrading(echo()));
  using lost = await other.connect();
  await lost.write(bytes(ASK));
  await hear(lost, SWITCHED.length);
  lost.reset();
  other.stop.abort();
  assert.equal((await other.served).accepted, 1);
  assert.deepEqual(other.errors, []);
});

test("upgrade: fields that no response can have are a mistake, and the client gets 500", async () => {
  await using server = await serveOn(upgrading(echo(), ["X\n", "1"]));
  assert.match(await server.talk(ASK), /^HTTP\/1\.1 500 /);
  assert.equal(server.errors.length, 1);
});

test("upgrade: a response that was kept switches no other request, which gets 500", async () => {
  let kept: LightResponse | undefined;
  await using server = await serveOn((request) =>
    kept ??= upgrade(request, { protocol: "echo", handler: echo() })
  );
  assert.equal(await server.talk(`${ASK}hi`), `${SWITCHED}hi`);
  for (
    const request of [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      ASK.replace("HTTP/1.1", "HTTP/1.0"),
      ASK.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nhi"),
    ]
  ) {
    assert.match(await server.talk(request), /^HTTP\/1\.1 500 /);
    assert.match(String(server.errors.pop()), /for the request that upgrade\(\) was called with/);
  }
});

test("upgrade: nothing is read once the connection is closed, and nothing that is another's", async () => {
  const codes: string[] = [];
  const kept: Conn[] = [];
  const read = (conn: Conn) =>
    conn.read(new Uint8Array(1)).then(() => codes.push("bytes"), ({ code }) => codes.push(code));
  await using server = await serveOn(upgrading(async (conn) => {
    await conn.read(new Uint8Array(1));
    if (kept.push(conn) === 2) return;
    conn.close();
    await read(conn);
    assert.equal(conn.bytesRead, 1);
  }));
  for (let i = 0; i < 2; i++) {
    using conn = await server.connect();
    await conn.write(bytes(`${ASK}more than one byte`));
    await hear(conn, Infinity);
  }
  // The second handler has returned, and what it has left is not there any more.
  await read(kept[1]);
  assert.deepEqual([codes, server.errors], [["ECLOSED", "ECLOSED"], []]);
});

test("upgrade: no deadline of HTTP ends it, and it makes room for nobody", async () => {
  await using server = await serveOn(upgrading(echo()), { maxConnections: 1 });
  using conn = await server.connect();
  await conn.write(bytes(ASK));
  await hear(conn, SWITCHED.length);
  const next = server.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await server.clock.advance(3_600_000);
  await conn.write(bytes("still"));
  assert.equal(await hear(conn, 5), "still");
  await conn.closeWrite();
  assert.equal(await hear(conn, Infinity), "");
  assert.match(await next, /plain$/);
});

test("upgrade: a server that stops says so to the protocol, which has the drain timeout", async () => {
  const told: string[] = [];
  const handler: Handler = async (conn, { stopping }) => {
    await new Promise((resolve) => stopping.addEventListener("abort", resolve, { once: true }));
    told.push(stopping.reason.code);
    await conn.write(bytes("bye"));
  };
  await using server = await serveOn(upgrading(handler));
  using conn = await server.connect();
  await conn.write(bytes(ASK));
  await hear(conn, SWITCHED.length);
  server.stop.abort();
  assert.equal(await hear(conn, Infinity), "bye");
  assert.deepEqual([(await server.served).reset, told], [0, ["ECLOSED"]]);
});

test("upgrade: what has not ended when the drain timeout is over is reset, and the protocol knows", async () => {
  let reason: unknown;
  const handler: Handler = async (_, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    reason = signal.reason.code;
  };
  await using server = await serveOn(upgrading(handler), { drainTimeout: 5000 });
  using conn = await server.connect();
  await conn.write(bytes(ASK));
  await hear(conn, SWITCHED.length);
  server.stop.abort();
  await server.clock.advance(4999);
  assert.equal(reason, undefined);
  await server.clock.advance(1);
  await assert.rejects(readAll(conn), { code: "ECONNRESET" });
  assert.deepEqual([(await server.served).reset, reason, server.errors], [1, "ECLOSED", []]);
});

test("upgrade: any method does", async () => {
  await using server = await serveOn(upgrading(echo()));
  for (const method of ["HEAD", "OPTIONS", "POST"]) {
    assert.equal(await server.talk(`${ASK.replace("GET", method)}hi`), `${SWITCHED}hi`, method);
  }
});

test("upgrade: a client that takes no response is reset before 101; later, slowness is the protocol's", async () => {
  const LARGE = 4 << 20;
  let begun = 0;
  const light: LightHandler = (request) =>
    request.target === "/x"
      ? upgrade(request, {
        protocol: "echo",
        handler: (conn) => {
          begun++;
          return conn.write(new Uint8Array(LARGE));
        },
      })
      : { status: 200, body: new Uint8Array(LARGE) };
  await using server = await serveOn(light);
  using stuck = await server.connect();
  await stuck.write(bytes(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${ASK}`));
  using slow = await server.connect();
  await slow.write(bytes(ASK));
  await hear(slow, SWITCHED.length);
  await server.clock.advance(3_600_000);
  await assert.rejects(readAll(stuck), { code: "ECONNRESET" });
  assert.ok((await readAll(slow)).length > LARGE / 2);
  assert.equal(begun, 1);
});

test("upgrade: a client that leaves while its handler thinks aborts the request, and gets no 101", async () => {
  let begun = 0;
  const { promise: left, resolve: leave } = deferred<void>();
  await using server = await serveOn(async (request) => {
    request.signal().addEventListener("abort", () => leave());
    await left;
    return upgrade(request, { protocol: "echo", handler: () => void begun++ });
  });
  const conn = await server.connect();
  await conn.write(bytes(ASK));
  await server.clock.advance(250);
  conn.reset();
  await left;
  server.stop.abort();
  assert.equal((await server.served).accepted, 1);
  assert.deepEqual([begun, server.errors], [0, []]);
});

test("upgrade: it is reported when it has come to its end, with what was sent", async () => {
  const reported: Partial<Exchange>[] = [];
  const options: HttpOptions = {
    onResponse: ({ status, bytes, complete, duration }) =>
      reported.push({ status, bytes, complete, duration }),
  };
  await using server = await serveOn(upgrading(echo()), options);
  using conn = await server.connect();
  await conn.write(bytes(`${ASK}12345`));
  await hear(conn, SWITCHED.length + 5);
  await server.clock.advance(1000);
  assert.deepEqual(reported, []);
  await conn.closeWrite();
  await hear(conn, Infinity);
  await until(() => reported.length > 0, "the report of the upgrade");
  assert.deepEqual(reported, [{ status: 101, bytes: 5, complete: true, duration: 1000 }]);
});

test("upgrade: a client that watches its request loses nothing that came while it waited", async () => {
  await using server = await serveOn(async (request) => {
    request.signal();
    await new Promise((resolve) => setTimeout(resolve, 0));
    return upgrade(request, { protocol: "echo", handler: echo() });
  });
  using conn = await server.connect();
  await conn.write(bytes(ASK));
  await conn.write(bytes("early"));
  assert.equal(await hear(conn, SWITCHED.length + 5), `${SWITCHED}early`);
  await conn.write(bytes("late"));
  assert.equal(await hear(conn, 4), "late");
});

test("upgrade: fetch handlers do it, too, also through a light handler within", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const light = toFetchHandler(upgrading(echo()));
  const server = serveHttp(listener, (request, info) => {
    if (new URL(request.url).pathname === "/x") return light(request, info);
    const response = upgrade(request, { protocol: "echo", handler: echo() });
    assert.ok(response instanceof Response && [101, 426].includes(response.status));
    return response;
  });
  for (const path of ["/x", "/y"]) {
    const url = `http://localhost${path}`;
    const { conn, response } = await requestUpgrade(transport, { url, protocol: "ECHO" });
    assert.deepEqual([response.status, await response.text()], [101, ""]);
    await conn!.write(bytes("hello"));
    assert.equal(await hear(conn!, 5), "hello");
    conn!.close();
  }
  const refused = await requestUpgrade(transport, { url: "http://localhost/y", protocol: "other" });
  assert.equal(refused.conn, undefined);
  assert.equal(refused.response.status, 426);
  assert.equal(refused.response.headers.get("upgrade"), "echo");
  assert.equal(await refused.response.text(), "This resource speaks echo only.\n");
  await server.stop();
});

test("upgrade: a request that is not ours cannot be taken over, and the error says so", async () => {
  const request = new Request("http://localhost/", { headers: { "X-A": "b" } });
  const handler = echo();
  assert.throws(
    () => upgrade(request, { protocol: "echo", handler }),
    /takes a request of serveHttp/,
  );
  const asked = { minor: 1, method: "GET", header: () => "echo, upgrade", body: undefined };
  const light = toFetchHandler(() => upgrade(asked as never, { protocol: "echo", handler }));
  await assert.rejects(light(request), /Only serveHttp\(\) and serveLight\(\)/);
});

test("upgrade: a client gets what came behind the head of 101, over TLS, too", async () => {
  const { cert, key } = await selfSigned(["localhost"]);
  const listener = await systemTransport.listen({ host: "localhost", tls: { cert, key } });
  const server = serveHttp(listener, (request) =>
    upgrade(request, {
      protocol: "greeting",
      handler: async (conn, conversation) => {
        assert.ok("tls" in conn);
        await conn.write(bytes("welcome"));
        await echo()(conn, conversation);
      },
    }));
  const { port } = listener.addr;
  const { conn } = await requestUpgrade(systemTransport, {
    url: `https://localhost:${port}/`,
    protocol: "greeting",
    tls: { caCerts: [cert] },
  });
  assert.ok(conn !== undefined && "tls" in conn);
  await conn.write(bytes(", you"));
  assert.equal(await hear(conn, 12), "welcome, you");
  conn.close();
  await server.stop();
});

for (
  const [what, head, why] of [
    ["to another protocol", "Connection: Upgrade\r\nUpgrade: other\r\n", /not to echo/],
    ["without saying to which", "Connection: Upgrade\r\n", /not to echo/],
    ["without Connection", "Upgrade: echo\r\n", /not to echo/],
  ] as const
) {
  test(`upgrade: a server that switches ${what} is an error`, async () => {
    const transport = new MemoryTransport();
    const listener = await transport.listen({ port: 80 });
    const asking = requestUpgrade(transport, { url: "http://localhost/", protocol: "echo" });
    using conn = await listener.accept();
    await conn.read(new Uint8Array(1024));
    await conn.write(bytes(`HTTP/1.1 101 Go\r\n${head}\r\n`));
    await assert.rejects(asking, { code: "BAD_STATUS", message: why });
    listener.close();
  });
}

test("upgrade: interim responses come before 101, and 101 unasked is an error", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const answer =
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhi";
  const serving = (async () => {
    for (let i = 0; i < 2; i++) {
      const conn = await listener.accept();
      const buffer = new Uint8Array(1024);
      const n = await conn.read(buffer);
      const text = Buffer.from(buffer.subarray(0, n!)).toString();
      assert.match(text, i === 0 ? /\r\nConnection: Upgrade\r\nUpgrade: echo\r\n/ : /close\r\n/);
      await conn.write(bytes(answer));
      if (i === 0) await conn.read(buffer);
      conn.close();
    }
  })();
  const url = "http://localhost/";
  const { conn } = await requestUpgrade(transport, { url, protocol: "echo" });
  assert.equal(await hear(conn!, 2), "hi");
  conn!.close();
  await assert.rejects(requestHttp(transport, { url }), { code: "BAD_STATUS", message: /unasked/ });
  await serving;
  listener.close();
});
