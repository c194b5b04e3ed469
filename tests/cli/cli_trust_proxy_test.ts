// `--trust-proxy`: the servers behind nginx and HAProxy, which say who their clients are.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { proxyHeader } from "../../lib/proxy_protocol/mod.ts";
import { bytes, OWN_HOST, readText } from "../support/helpers.ts";
import { startHaproxy } from "../support/haproxy.ts";
import { startNginx } from "../support/nginx.ts";
import { runProgram } from "../support/peers.ts";
import { InProcess } from "../support/in_process.ts";
import {
  assertFailed,
  listening,
  runServer,
  type ServerScript,
  startServer,
  startServerProcess,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Calls `use` with a folder that has a file `page`. */
async function withSite(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "proxied-"));
  try {
    writeFileSync(join(folder, "page"), "a page\n");
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Serves a folder to the proxies of 127.0.0.1, and not to clients at 127.0.0.8. */
function startSite(folder: string): Promise<ServerScript> {
  return startServer(
    ["web", folder, "--host", "127.0.0.1", "--trust-proxy", "127.0.0.1", "--deny", "127.0.0.8"]
      .concat("--upload", "--allow-host", "site.example"),
  );
}

/** The status that a client at `from` gets. */
async function curl(from: string, url: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(
    ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--interface", from, ...args, url],
  );
  assert.equal(code, 0, stderr);
  return stdout.toString();
}

/** What the client of a proxy gets, and what the server's log has of it. */
async function assertKnown(server: ServerScript, url: string, folder: string): Promise<void> {
  const { stderr } = server.program;
  const host = ["-H", "Host: site.example"];
  // Whatever the client says, its address is what the proxy adds.
  for (const field of ["X-Forwarded-For: 127.0.0.8, nonsense", "Forwarded: for=127.0.0.8"]) {
    assert.equal(await curl("127.0.0.9", `${url}page`, ...host, "-H", field), "200");
    await stderr.until(/^127\.0\.0\.9 - - \[.*\] "GET \/+page HTTP\/1\.1" 200 7$/m);
    assert.equal(await curl("127.0.0.8", `${url}page`, ...host, "-H", field), "403");
    await stderr.until(/^refused 127\.0\.0\.8: its address is denied$/m);
  }
  // The host is the one that the client asked for.
  assert.equal(await curl("127.0.0.9", `${url}page`, "-H", "Host: other.example"), "421");
  const upload = ["-T", join(folder, "page"), ...host, "-H"];
  assert.equal(await curl("127.0.0.9", `${url}new`, ...upload, "Origin: http://a.example"), "403");
  assert.ok(!existsSync(join(folder, "new")));
  const own = "Origin: http://site.example";
  assert.equal(await curl("127.0.0.9", `${url}new`, ...upload, own), "201");
  rmSync(join(folder, "new"));
}

test("web --trust-proxy: behind nginx, clients are those that it speaks of", async () => {
  await withSite(async (folder) => {
    await using server = await startSite(folder);
    await using nginx = await startNginx(server.port);
    await assertKnown(server, `${nginx.url}/client/`, folder);
    await assertKnown(server, `${nginx.url}/forwarded/`, folder);
    // Who is no proxy is not believed, and a proxy that passes nonsense on is told.
    const direct = `http://127.0.0.1:${server.port}/page`;
    const says = ["-H", "X-Forwarded-For: 127.0.0.1"];
    assert.equal(await curl("127.0.0.10", direct, ...says), "200");
    await server.program.stderr.until(/^127\.0\.0\.10 - - .* 200 7$/m);
    assert.equal(await curl("127.0.0.1", direct, "-H", "X-Forwarded-For: me"), "400");
  });
}, ["curl", "nginx"]);

test("web --trust-proxy: behind HAProxy, clients are those that it speaks of", async () => {
  await withSite(async (folder) => {
    await using server = await startSite(folder);
    await using haproxy = await startHaproxy(`
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind PORT(site)
  use_backend forwarded if { path_beg /forwarded/ }
  default_backend client
backend client
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request del-header Forwarded
  http-request replace-path /client(/.*) \\1
  server s 127.0.0.1:${server.port}
backend forwarded
  http-request del-header X-Forwarded-For
  http-request set-header Forwarded for=%[src];proto=http;host=%[req.hdr(Host)]
  http-request replace-path /forwarded(/.*) \\1
  server s 127.0.0.1:${server.port}
`);
    const url = `http://${OWN_HOST}:${haproxy.ports.site}`;
    await assertKnown(server, `${url}/client/`, folder);
    await assertKnown(server, `${url}/forwarded/`, folder);
  });
}, ["curl", "haproxy"]);

/** Asks for a WebSocket, for a client and a page of the host that a proxy speaks of; it stays open. */
async function openWebSocket(
  port: number,
  host: string,
  client = "192.0.2.1",
): Promise<{ readonly conn: Conn; readonly status: string }> {
  const conn = await systemTransport.connect({ host: "127.0.0.1", port });
  await conn.write(bytes(
    [
      "GET /ws HTTP/1.1",
      "Host: inner",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      "Origin: https://127.0.0.1",
      `X-Forwarded-For: ${client}`,
      `X-Forwarded-Host: ${host}`,
      "",
      "",
    ].join("\r\n"),
  ));
  return { conn, status: (await readText(conn, 12)).slice(9) };
}

/** The status of that, and closes it. */
async function askForWebSocket(port: number, host: string): Promise<string> {
  const { conn, status } = await openWebSocket(port, host);
  conn.close();
  return status;
}

test("servers --ws --trust-proxy: a page may connect whose host is the one that a proxy speaks of", async () => {
  await using target = await startServer(["--host", "127.0.0.1"]);
  const to = ["--to", `127.0.0.1:${target.port}`];
  const servers = [["echo"], ["relay", ...to], ["chat", "--ws-port", "0"]];
  const inWorkers = [["echo", "--workers", "1"], ["relay", "--workers", "1", ...to]];
  for (const args of [...servers, ...inWorkers]) {
    const all = [...args, "--host", "127.0.0.1", "--ws", "--trust-proxy", "127.0.0.1"];
    await using server = args.includes("--workers")
      ? await startServerProcess([...all, "--port", "0"])
      : await startServer(all);
    // The page of the chat has a port of its own, whose URL is the second line.
    const port = args[0] === "chat"
      ? Number((await server.program.stdout.until(/^http:.*:(\d+)\/$/m))[1])
      : server.port;
    assert.equal(await askForWebSocket(port, "127.0.0.1"), "101", args[0]);
    assert.equal(await askForWebSocket(port, "127.0.0.2"), "403", args[0]);
    if (args[0] !== "relay") continue;
    await server.program.stderr.until(
      /^(?:worker 1: )?192\.0\.2\.1\b.* to 127\.0\.0\.1:\d+: 0 bytes there/m,
    );
  }
});

test("server --ws --trust-proxy: each client has a quarter of the places, on loopback as well", async () => {
  const most = ["--max-connections", "5"];
  const args = ["echo", "--ws", "--host", "127.0.0.1", "--trust-proxy", "127.0.0.1", ...most];
  await using server = await startServer(args);
  const opened = [];
  for (const client of ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
    opened.push(await openWebSocket(server.port, "127.0.0.1", client));
  }
  assert.deepEqual(opened.map(({ status }) => status), ["101", "101", "403", "101"]);
  for (const { conn } of opened) conn.close();
  await server.program.stderr.until(
    /^refused 192\.0\.2\.1: its address has 2 connections already$/m,
  );
});

test("web: with --proxy-protocol and --trust-proxy, the client is behind two proxies", async () => {
  await withSite(async (folder) => {
    const args = ["--proxy-protocol", "127.0.0.1", "--trust-proxy", "203.0.113.0/24"];
    await using server = await startServer(["web", folder, "--log", "json", ...args]);
    const request = ["GET /page HTTP/1.1", "Host: localhost", "X-Forwarded-For: 192.0.2.1", "", ""];
    const destination = { transport: "tcp", host: "127.0.0.1", port: 80 } as const;
    for (const host of ["203.0.113.9", "198.51.100.9"]) {
      using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
      const source = { transport: "tcp", host, port: 50_000 } as const;
      await conn.write(proxyHeader({ version: 2, source, destination }));
      await conn.write(bytes(request.join("\r\n")));
      assert.equal(await readText(conn, 12), "HTTP/1.1 200");
    }
    const { stderr } = server.program;
    await stderr.until(/"remoteAddr":"192\.0\.2\.1","via":"203\.0\.113\.9"/);
    // This one is not a proxy whose word counts.
    await stderr.until(/"remoteAddr":"198\.51\.100\.9","via":"127\.0\.0\.1"/);
  });
});

test("servers: --trust-proxy takes networks, and is for servers of HTTP", async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [["web", "--trust-proxy", "proxy"], /--trust-proxy takes networks, or 'unix': 'proxy' is nei/],
    [["web", "--trust-proxy", "10.0.0.1/8"], /write 10\.0\.0\.0\/8 for the network/],
    [["echo", "--trust-proxy", "10.0.0.0/8"], /Option --trust-proxy needs --ws/],
    [["web", "--unix", "/tmp/never", "--allow", "::1"], /for --unix there is --unix-mode/],
    [
      ["web", "--unix", "/tmp/never", "--trust-proxy", "::1"],
      /has no network; say 'unix' here, too/,
    ],
  ];
  for (const [args, message] of wrong) assertFailed(await runServer(args), 2, message);
});

test("web --trust-proxy unix: clients of a proxy that connects to --unix have addresses", async () => {
  await withSite(async (folder) => {
    const path = join(folder, "s.sock");
    const args = ["web", folder, "--unix", path, "--trust-proxy", "unix", "--deny", "192.0.2.8"];
    await using server = await listening(new InProcess("server", args), /^http\+unix:\S*()\n/);
    const ask = async (client: string) => {
      using conn = await systemTransport.connect({ path });
      const request = ["GET /page HTTP/1.1", "Host: a", `X-Forwarded-For: ${client}`, "", ""];
      await conn.write(bytes(request.join("\r\n")));
      return await readText(conn, 12);
    };
    assert.equal(await ask("192.0.2.9"), "HTTP/1.1 200");
    assert.equal(await ask("192.0.2.8"), "HTTP/1.1 403");
    await server.program.stderr.until(/^192\.0\.2\.9 - - /m);
  });
});
