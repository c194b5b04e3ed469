// WebSockets in the programs: `server.ts echo --ws`, `client.ts connect ws://…` and `relay` on either
// side. Chat has a file of its own.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { serveLight } from "../../lib/http/server/server.ts";
import { dialWebSocket, websocket, type WsConn } from "../../lib/http/ws/mod.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, randomBytes, readAll, until } from "../support/helpers.ts";
import {
  runClient,
  runServer,
  type ServerScript,
  startClient,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const MIB = 1024 * 1024;

const startEcho = (...args: string[]) =>
  startServer(["echo", "--ws", "--host", "127.0.0.1", ...args]);

/** Serves WebSockets for as long as `use` takes. */
async function serving(
  hold: (ws: WsConn) => Promise<void>,
  use: (url: string) => Promise<void>,
  protocols: string[] = [],
): Promise<void> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const { port } = listener.addr as { port: number };
  const server = serveLight(listener, websocket(hold, { protocols }));
  await use(`ws://127.0.0.1:${port}/a?b`);
  await server.stop();
}

test("cli echo --ws: text and binary come back as they came; the log tells who breaks the rules", async () => {
  await using echo = await startEcho();
  assert.match(echo.url, /^ws:\/\/127\.0\.0\.1:\d+\/$/);
  const ws = await dialWebSocket(echo.url);
  for (const message of ["hé", "", new Uint8Array([0, 255]), randomBytes(MIB)]) {
    await ws.write(message);
    const came = await ws.read();
    if (typeof message === "string") assert.equal(came, message);
    else assert.ok(message.every((byte, i) => came![i] === byte));
  }
  await ws.write(new Uint8Array(MIB + 1));
  assert.equal((await ws.closed).code, 1009);
  await echo.program.stderr.until(/^127\.0\.0\.1:\d+: The WebSocket has failed: .*1009/m);
});

test("cli echo --ws: when the server stops, WebSockets are closed with 1001", async () => {
  const echo = await startEcho("--tls-self-signed");
  assert.match(echo.url, /^wss:/);
  const ws = await dialWebSocket(echo.url, { tls: { insecure: true } });
  const { code, stderr } = await echo.program.stop();
  assert.deepEqual([(await ws.closed).code, code], [1001, 0]);
  assert.match(stderr, /^stopping: WebSockets are closed with 1001, within 10 s/m);
});

test("cli connect ws: a line is a message, and a message a line", async () => {
  await using echo = await startEcho();
  const { code, stdout, stderr } = await runClient(["connect", echo.url], {
    stdin: "hello\nwörld",
  });
  assert.deepEqual([code, stdout.toString()], [0, "hello\nwörld\n"]);
  assert.equal(
    stderr,
    `connecting to ${echo.url}\nsent 11 bytes and received 13; closed: 1000\n`,
  );
});

test("cli echo --ws --deflate, connect --deflate: messages are compressed where both say so", async () => {
  await using plain = await startEcho();
  await using echo = await startEcho("--deflate");
  const line = "hello ".repeat(100);
  for (
    const [url, args, said] of [
      [echo.url, ["--deflate"], /^messages are compressed$/m],
      [plain.url, ["--deflate"], /^messages are not compressed$/m],
      [echo.url, [], /^sent 600 bytes/m],
    ] as const
  ) {
    const { stdout, stderr } = await runClient(["connect", ...args, url], { stdin: line });
    assert.equal(stdout.toString(), `${line}\n`);
    assert.match(stderr, said);
  }
});

test("cli connect ws: --binary sends and prints bytes as they are", async () => {
  await using echo = await startEcho();
  const sent = randomBytes(3 * MIB);
  const { code, stdout } = await runClient(["connect", "--binary", echo.url], { stdin: sent });
  const digest = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
  assert.deepEqual([code, digest(stdout)], [0, digest(sent)]);
});

test("cli connect ws: fields, subprotocols and who closes, with which code", async () => {
  const seen: unknown[] = [];
  await serving(async (ws) => {
    seen.push(ws.protocol);
    await ws.write("a\x1b[2J\nb");
    await ws.write(new Uint8Array([0, 10]));
    await ws.close(4321, "enough \x1b");
  }, async (url) => {
    const args = ["connect", "--subprotocol", "one", "--subprotocol", "two", "-H", "X-A: b", url];
    const { code, stdout, stderr } = await runClient(args, {});
    // What it prints steers no terminal.
    assert.equal(stdout.toString(), "a\\x1b[2J\\nb\n\\x00\\n\n");
    assert.match(stderr, /^the subprotocol is two$/m);
    assert.match(stderr, /closed by the peer: 4321 enough \\x1b\n$/);
    assert.deepEqual([code, seen], [18, ["two"]]);
  }, ["two"]);
});

test("cli connect ws: Ctrl-C closes with 1001, --on-eof wait stays, and no input is no end", async () => {
  const codes: number[] = [];
  await serving(async (ws) => {
    await ws.write("hello");
    assert.equal(await ws.read(), null);
    codes.push((await ws.closed).code);
  }, async (url) => {
    const client = startClient(["connect", "--on-eof", "wait", url], { pipe: true });
    client.stdin.end();
    await client.stdout.until(/hello\n/);
    const { code } = await client.stop("SIGINT");
    assert.equal(code, 130);
  });
  assert.deepEqual(codes, [1001]);
});

test("cli connect ws: what is not right has an exit code and a line with the next step", async () => {
  await using echo = await startEcho();
  const http = echo.url.replace("ws:", "http:").replace("http://", "");
  for (
    const [args, stdin, code, pattern] of [
      [[echo.url], "\xff\n", 0, /closed: 1000/],
      [[echo.url], new Uint8Array([255, 10]), 26, /Line 1 of stdin, .* not UTF-8\. --binary sends/],
      [["--unix", "/a", echo.url], "", 2, /Option --unix cannot be used with ws:\/\//],
      [["--cacert", "/a", echo.url], "", 2, /Option --cacert needs wss:\/\//],
      [["--cacert", "/a", "localhost:1"], "", 2, /Option --cacert needs --tls/],
      [["--ping", "3", "localhost:1"], "", 2, /--ping is for WebSockets: connect ws:/],
      [["--deflate", "localhost:1"], "", 2, /--deflate is for WebSockets: connect ws:/],
      [["-H", "Upgrade: b", echo.url], "", 2, /The client sets the field Upgrade itself/],
      [["-H", "Sec-WebSocket-Protocol: b", echo.url], "", 2, /handshake: see --subprotocol/],
      [["--subprotocol", "a b", echo.url], "", 2, /takes a name, not 'a b'/],
      [[`${echo.url}#a`], "", 2, /a WebSocket has no fragment/],
      [["ws://u:p@localhost/"], "", 2, /has no user: say -H/],
      [[`wss://${http}`], "", 35, /does not speak TLS/],
    ] as const
  ) {
    const exit = await runClient(["connect", ...args], { stdin });
    assert.equal(exit.code, code, `${args}\n${exit.stderr}`);
    assert.match(exit.stderr, pattern);
  }
  await using web = await startServer(["web", "--host", "127.0.0.1"]);
  const refused = await runClient(["connect", web.url.replace("http", "ws")], { stdin: "" });
  assert.equal(refused.code, 22);
  assert.match(refused.stderr, /the server answered 200 OK, not 101/);
});

/** Starts a relay on a free port of 127.0.0.1. */
const startRelay = (...args: string[]): Promise<ServerScript> =>
  startServer(["relay", "--host", "127.0.0.1", ...args]);

test("cli relay: TCP in front of a WebSocket, and a WebSocket in front of TCP", async () => {
  await using echo = await startServer(["echo", "--host", "127.0.0.1"]);
  // Both kinds, one behind the other: TCP, WebSocket, TCP.
  await using back = await startRelay("--ws", "--to", `127.0.0.1:${echo.port}`);
  await using front = await startRelay("--to", back.url);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: front.port });
  const sent = randomBytes(4 * MIB);
  const digest = createHash("sha256").update(sent).digest("hex");
  const writing = conn.write(sent);
  const came = createHash("sha256");
  const buffer = new Uint8Array(64 * 1024);
  for (let left = sent.length; left > 0;) {
    const n = await conn.read(buffer);
    came.update(buffer.subarray(0, n!));
    left -= n!;
  }
  await writing;
  assert.equal(came.digest("hex"), digest);
  // FIN becomes Close, which becomes FIN; and the answer to it comes back the same way.
  await conn.closeWrite();
  assert.equal((await readAll(conn)).length, 0);
  const whole = `${sent.length} bytes there, ${sent.length} back`;
  await front.program.stderr.until(new RegExp(`to 127.*: ${whole}, [\\d.]+ s$`, "m"));
  await back.program.stderr.until(new RegExp(`to 127.*: ${whole}, [\\d.]+ s$`, "m"));
});

test("cli relay --to ws: what a WebSocket answers behind the end of a client reaches it", async () => {
  const echo = async (ws: WsConn) => {
    for await (const message of ws) await ws.write(message);
  };
  await serving(echo, async (url) => {
    await using relay = await startRelay("--to", url);
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
    await conn.write(bytes("question"));
    await conn.closeWrite();
    assert.equal((await readAll(conn)).toString(), "question");
    await relay.program.stderr.until(/: 8 bytes there, 8 back, /);
  });
});

test("cli relay --to ws: a client that has gone ends its WebSocket, however much that sends", async () => {
  let code = 0;
  const stream = async (ws: WsConn) => {
    void ws.closed.then((closed) => code = closed.code);
    while (code === 0) await ws.write(new Uint8Array(32_768));
  };
  await serving(stream, async (url) => {
    await using relay = await startRelay("--to", url);
    const conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
    await conn.read(new Uint8Array(1000));
    conn.close();
    await relay.program.stderr.until(/ 0 bytes there, \d+ back, /);
    await until(() => code !== 0, "the end of the WebSocket");
  });
});

test("cli relay --ws: texts are bytes, too; the end of the target is 1000; websockify's name is known", async () => {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const { port } = listener.addr as { port: number };
  await using relay = await startRelay("--ws", "--to", `127.0.0.1:${port}`);
  const ws = await dialWebSocket(relay.url, { protocols: ["binary", "base64"] });
  assert.equal(ws.protocol, "binary");
  using target = await listener.accept();
  await ws.write("hé");
  const buffer = new Uint8Array(16);
  assert.deepEqual(buffer.subarray(0, (await target.read(buffer))!), bytes("hé"));
  await target.write(bytes("bye"));
  await target.closeWrite();
  assert.deepEqual(await ws.read(), bytes("bye"));
  assert.equal(await ws.read(), null);
  assert.deepEqual((await ws.closed).code, 1000);
  // A page of another site does not reach the target.
  const foreign = dialWebSocket(relay.url, { headers: ["Origin", "https://evil.example"] });
  await assert.rejects(foreign, / 403 /);
  listener.close();
});

test("cli relay --ws: a client that does not read holds its target back, and nobody else", async () => {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const { port } = listener.addr as { port: number };
  await using relay = await startRelay("--ws", "--to", `127.0.0.1:${port}`);
  const piece = new Uint8Array(64 * 1024);
  const pieces = 512;
  /** A client, and a target that sends it more than the kernel keeps in between. */
  const open = async () => {
    const ws = await dialWebSocket(relay.url);
    const target = await listener.accept();
    const pair = { ws, given: 0, done: Promise.resolve() };
    pair.done = (async () => {
      for (; pair.given < pieces; pair.given++) await target.write(piece);
      await target.closeWrite();
      assert.equal(await target.read(piece), null);
      target.close();
    })();
    return pair;
  };
  const readAllOf = async (ws: WsConn) => {
    let came = 0;
    for await (const message of ws) came += message.length;
    return came;
  };
  const slow = await open();
  const quick = await open();
  assert.equal(await readAllOf(quick.ws), pieces * piece.length);
  await quick.done;
  assert.ok(slow.given < pieces, "All was taken");
  assert.equal(await readAllOf(slow.ws), pieces * piece.length);
  await slow.done;
  listener.close();
});

test("cli relay --to ws: a target that speaks no WebSocket is told, and the client is closed", async () => {
  await using web = await startServer(["web", "--host", "127.0.0.1"]);
  await using relay = await startRelay("--to", web.url.replace("http", "ws"));
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
  await conn.read(new Uint8Array(1)).catch(() => {});
  await relay.program.stderr.until(/0 bytes there, 0 back, .*the server answered 200 OK, not 101/);
});

test("cli relay: what does not go together with WebSocket is told in a line", async () => {
  for (
    const [args, pattern] of [
      [["relay", "--to", "a:1", "--deflate"], /Option --deflate needs --ws/],
      [["relay", "--to", "ws:a:1"], /'ws:a:1' is not ws:\/\/HOST:PORT\/PATH/],
      [
        ["relay", "--to", "ws://a/", "--cacert", "a"],
        /--cacert is for a target with TLS: --to wss/,
      ],
      [["relay", "--to", "ws://localhost:7/", "--port", "7"], /connect to itself/],
      [["echo", "--ws", "--udp"], /Option --udp cannot be used with --ws/],
      [["echo", "--ws", "--idle-timeout", "2"], /Option --ws cannot be used with --idle-timeout/],
    ] as const
  ) {
    const { code, stderr } = await runServer(args);
    assert.equal(code, 2);
    assert.match(stderr, pattern);
  }
});
