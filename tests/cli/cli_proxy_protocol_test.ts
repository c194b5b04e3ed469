// Servers behind a proxy that speaks the PROXY protocol, and a relay that is one: with HAProxy, nginx
// and curl at the other end.

import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { proxyHeader } from "../../lib/proxy_protocol/mod.ts";
import { startHaproxy } from "../support/haproxy.ts";
import { bytes, OWN_HOST, readAll, readText } from "../support/helpers.ts";
import { startNginx } from "../support/nginx.ts";
import { runProgram } from "../support/peers.ts";
import {
  assertFailed,
  listening,
  runServer,
  type ServerScript,
  startServer,
  startServerProcess,
} from "../support/scripts.ts";
import { InProcess } from "../support/in_process.ts";
import { test } from "../support/runner.deno.ts";

const CLIENT = { transport: "tcp", host: "203.0.113.9", port: 50_000 } as const;
const SERVER = { transport: "tcp", host: "198.51.100.1", port: 443 } as const;
const HEADER = proxyHeader({ version: 2, source: CLIENT, destination: SERVER });

/** Where HAProxy's clients come from: whom it lets in, and whom the servers refuse. */
const [FRIEND, ENEMY] = ["127.0.0.9", "127.0.0.13"];

const BEHIND = ["--proxy-protocol", "127.0.0.1", "--deny", ENEMY];

/** Connects to a server as its proxy, which says that the client is another one. */
async function throughProxy(
  { port }: { readonly port: number },
  ...data: Uint8Array[]
): Promise<Conn> {
  const conn = await systemTransport.connect({ host: "127.0.0.1", port });
  for (const piece of data) await conn.write(piece);
  return conn;
}

/** What comes back for some bytes that are sent from an address, over TCP. */
async function ask(from: string, port: string, stdin: string): Promise<string> {
  return (await runProgram(["ncat", "-s", from, OWN_HOST, port], { stdin })).stdout.toString();
}

async function curl(...args: readonly string[]): Promise<string> {
  return (await runProgram(["curl", "-s", "--max-time", "20", ...args])).stdout.toString();
}

test(
  "server: behind HAProxy, web, echo, relay and chat see its clients, over TLS and on a Unix socket, too",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "plainsocket-proxied-"));
    const path = join(folder, "relay.sock");
    await using web = await startServer([
      "web",
      "--tls-self-signed",
      "--log",
      "json",
      ...BEHIND,
      folder,
    ]);
    await using echo = await startServer(["-v", ...BEHIND]);
    const relayed = ["--proxy-protocol", "unix", "--deny", ENEMY, "--to", `127.0.0.1:${echo.port}`];
    await using relay = await listening(
      new InProcess("server", ["relay", "--unix", path, ...relayed, "--send-proxy", "v1"]),
      /^unix:(.*)\n/,
    );
    await using chat = await startServer(["chat", ...BEHIND]);
    // A health check of HAProxy's own says that it is one (LOCAL), and needs no client.
    await using haproxy = await startHaproxy(
      `
listen web
  bind PORT(web)
  option log-health-checks
  server ours 127.0.0.1:${web.port} ssl verify none alpn http/1.1 send-proxy-v2 proxy-v2-options crc32c,unique-id,authority check inter 20s
listen echo
  bind PORT(echo)
  server ours 127.0.0.1:${echo.port} send-proxy
listen relay
  bind PORT(relay)
  server ours unix@${path} send-proxy-v2
listen chat
  bind PORT(chat)
  server ours 127.0.0.1:${chat.port} send-proxy-v2-ssl
`,
      folder,
    );
    const { ports } = haproxy;
    const url = `http://${OWN_HOST}:${ports.web}/`;
    assert.match(await curl("--interface", FRIEND, url), /haproxy\.cfg/);
    assert.equal(await curl("--interface", ENEMY, url), "");
    assert.equal(await ask(FRIEND, ports.echo, "hello"), "hello");
    assert.equal(await ask(ENEMY, ports.echo, "hello"), "");
    assert.equal(await ask(FRIEND, ports.relay, "hello"), "hello");
    assert.equal(await ask(ENEMY, ports.relay, "hello"), "");
    assert.match(await ask(FRIEND, ports.chat, "/quit\n"), /\S/);

    const refused = new RegExp(
      `refused ${ENEMY.replaceAll(".", "\\.")}:\\d+: its address is denied`,
    );
    const logs = [web, echo, relay].map(({ program }: ServerScript) => program.stderr);
    for (const log of logs) await log.until(refused);
    const from = FRIEND.replaceAll(".", "\\.");
    await web.program.stderr.until(new RegExp(`"remoteAddr":"${from}","via":"127\\.0\\.0\\.1"`));
    await echo.program.stderr.until(
      new RegExp(`connection from ${from}:\\d+ via 127\\.0\\.0\\.1:\\d+\n`),
    );
    // The second one came through the relay, which knows it from HAProxy.
    await echo.program.stderr.until(
      new RegExp(`connection from ${from}:\\d+ via (?:.*\n)*.*connection from ${from}:\\d+ via `),
    );
    await relay.program.stderr.until(
      new RegExp(`^${from}:\\d+ to \\S+: 5 bytes there, 5 back`, "m"),
    );
    await chat.program.stderr.until(new RegExp(`is here, from ${from}:`));
    await haproxy.program.stderr.until(/Health check for server web\/ours succeeded/);
    for (const { text } of logs) assert.doesNotMatch(text, /PROXY protocol/);
  },
  ["curl", "haproxy", "ncat"],
);

test(
  "relay: --send-proxy says to HAProxy and nginx who the client is, before TLS, too",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "plainsocket-accepting-"));
    const { cert, key } = await selfSigned(["localhost"]);
    writeFileSync(join(folder, "own.pem"), cert + key);
    const whoami =
      'http-request return status 200 content-type text/plain lf-string "%[src] %[dst] %[dst_port]"';
    await using haproxy = await startHaproxy(
      `
frontend plain
  mode http
  bind PORT(plain) accept-proxy
  ${whoami}
frontend tls
  mode http
  bind PORT(tls) accept-proxy ssl crt own.pem
  ${whoami}
`,
      folder,
    );
    await using nginx = await startNginx(9);
    const targets = [
      ["v1", `${OWN_HOST}:${haproxy.ports.plain}`],
      ["v2", `${OWN_HOST}:${haproxy.ports.plain}`],
      ["v1", `tls:${OWN_HOST}:${haproxy.ports.tls}`, "--insecure"],
      ["v2", `tls:${OWN_HOST}:${haproxy.ports.tls}`, "--insecure"],
      ["v1", new URL(nginx.proxiedUrl).host],
      ["v2", new URL(nginx.proxiedUrl).host],
      // Of several targets, checks have no client to speak of.
      ["v2", new URL(nginx.proxiedUrl).host, "--to", `${OWN_HOST}:${haproxy.ports.plain}`],
    ];
    for (const [version, to, ...more] of targets) {
      const args = ["relay", "--host", "127.0.0.1", "--to", to, "--send-proxy", version, ...more];
      await using relay = await startServer(args);
      const seen = await curl("--interface", FRIEND, `http://127.0.0.1:${relay.port}/`);
      assert.doesNotMatch(relay.program.stderr.text, /is down/);
      assert.equal(seen.trim(), `${FRIEND} 127.0.0.1 ${relay.port}`, `${version} to ${to}`);
      // The header is not counted as the client's.
      const [, there] = await relay.program.stderr.until(/: (\d+) bytes there/);
      assert.ok(Number(there) > 50 && Number(there) < 100, `${there} bytes`);
    }
  },
  ["curl", "haproxy", "nginx"],
);

test(
  "server: with --proxy-protocol, what does not begin with a header is closed, and the log says why",
  async () => {
    await using server = await startServer([
      "--proxy-protocol",
      "127.0.0.1,10.0.0.0/8",
      "--host",
      "127.0.0.1",
    ]);
    const { stderr } = server.program;
    using slow = await throughProxy(server, HEADER.subarray(0, 12));
    using broken = await throughProxy(server, bytes("GET / HTTP/1.1\r\n"));
    await stderr.until(
      /^Cannot accept a PROXY protocol header from 127\.0\.0\.1:\d+: the connection does not begin with a header \(EPROTO\)\. Check that the proxy/m,
    );
    // Deno cannot reset.
    assert.equal(String(await readAll(broken).catch(() => "")), "");
    // Nobody is held up by the slow one, whose header is whole in the end.
    using conn = await throughProxy(server, HEADER, bytes("hello"));
    assert.equal(await readText(conn, 5), "hello");
    await slow.write(Uint8Array.of(...HEADER.subarray(12), ...bytes("late")));
    assert.equal(await readText(slow, 4), "late");
    // A header from elsewhere could be forged.
    const stranger = await runProgram(
      ["ncat", "-s", "127.0.0.2", "127.0.0.1", String(server.port)],
      {
        stdin: HEADER,
      },
    );
    assert.equal(stranger.stdout.length, 0);
    await stderr.until(/^refused 127\.0\.0\.2:\d+: its address is not in --proxy-protocol$/m);
  },
  ["ncat"],
);

test("server: nginx and curl speak the PROXY protocol to web", async () => {
  await using web = await startServer(["web", "--proxy-protocol", "127.0.0.0/8", "docs"]);
  await using nginx = await startNginx(9, web.port);
  const url = `http://127.0.0.1:${web.port}/`;
  const through = `http://${OWN_HOST}:${nginx.passingPort}/`;
  const { stderr } = web.program;
  for (const [from, ...args] of [[FRIEND, "--haproxy-protocol", url], [ENEMY, through]]) {
    assert.match(await curl("--interface", from, ...args), /operate\.md/);
    await stderr.until(new RegExp(`^${from.replaceAll(".", "\\.")} - - .*GET`, "m"));
  }
  assert.equal(await curl(url), "");
}, ["curl", "nginx", "nginx-stream"]);

test("server: each client of a proxy has places of its own, by default on loopback as well", async () => {
  const args = ["--proxy-protocol", "127.0.0.1", "--max-connections", "4", "--workers", "1"];
  await using server = await startServerProcess(["--port", "0", "--host", "127.0.0.1", ...args]);
  using first = await throughProxy(server, HEADER, bytes("1"));
  assert.equal(await readText(first, 1), "1");
  using second = await throughProxy(server, HEADER, bytes("2"));
  await server.program.stderr.until(/refused 203\.0\.113\.9:50000: its address has 1 connection/);
  const other = proxyHeader({
    version: 1,
    source: { ...CLIENT, host: "2001:db8::1" },
    destination: SERVER,
  });
  using third = await throughProxy(server, other, bytes("3"));
  assert.equal(await readText(third, 1), "3");
  for (const conn of [first, second, third]) conn.close();
  await server.program.stop();
});

test("server: what does not go with --proxy-protocol or --send-proxy exits 2", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [
      ["--proxy-protocol", "10.0.0.1/8"],
      /takes networks, or 'unix': '10\.0\.0\.1\/8' has bits set/,
    ],
    [["--proxy-protocol", "::1", "--unix", "/tmp/never.sock"], /has no network; say 'unix' here/],
    [["--proxy-protocol", "::1", "--udp"], /Option --udp cannot be used with --proxy-protocol/],
    [["relay", "--to", "a:1", "--send-proxy", "3"], /--send-proxy takes v1 or v2, not '3'/],
    [["relay", "--toxiproxy-api", "0", "--send-proxy", "v1"], /--send-proxy.*--to/],
  ];
  for (const [args, message] of cases) assertFailed(await runServer(args), 2, message);
});
