// --metrics: what each server tells of itself, whether it takes clients, and a real Prometheus.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import {
  bytes,
  freePort,
  OWN_HOST,
  readAll,
  readText,
  rejects,
  untilAsync,
} from "../support/helpers.ts";
import { Program, runProgram } from "../support/peers.ts";
import {
  assertFailed,
  runClient,
  runServer,
  type ServerScript,
  startServer,
  startServerProcess,
  startWeb,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Where the metrics of a server are. */
async function metricsOf({ program }: ServerScript): Promise<string> {
  const [, base] = await program.stderr.until(/^metrics at (http:\/\/127\.0\.0\.1:\d+)\/metrics$/m);
  return base;
}

/** What is there. */
async function get(url: string, init?: RequestInit): Promise<{ status: number; text: string }> {
  const response = await fetch(url, {
    ...init,
    headers: { Connection: "close", ...init?.headers },
  });
  return { status: response.status, text: await response.text() };
}

/** The value of a series; undefined if it is not there. */
function valueIn(text: string, series: string): number | undefined {
  const line = text.split("\n").find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** Asserts that promtool finds nothing wrong with metrics. */
async function assertLinted(text: string): Promise<void> {
  const { code, stdout, stderr } = await runProgram(["promtool", "check", "metrics"], {
    stdin: text,
  });
  assert.equal(stdout.toString() + stderr, "");
  assert.equal(code, 0);
}

const ACTIVE = "plainsocket_active_connections";
const RECEIVED = 'plainsocket_network_io_bytes_total{network_io_direction="receive"}';
const ENDED = "plainsocket_connection_duration_seconds_count";

const SERVERS: readonly (readonly string[])[] = [
  ["echo"],
  ["echo", "--ws"],
  ["web"],
  ["relay", "--to", "localhost:9"],
  ["chat"],
];

for (const args of SERVERS) {
  test(`cli metrics: ${args.join(" ")} counts its connections, and is ready until it is to stop`, async () => {
    const relayed = args[0] === "relay" ? await systemTransport.listen() : undefined;
    const all = relayed === undefined ? args : ["relay", "--to", `localhost:${relayed.addr.port}`];
    const clock = new VirtualClock();
    const server = await startServer([...all, "--metrics", "0", "--drain-delay", "5"], { clock });
    const base = await metricsOf(server);
    assert.deepEqual(await get(`${base}/healthz`), { status: 200, text: "running\n" });
    // Its URL is printed before it is ready.
    const isReady = async () => (await get(`${base}/readyz`)).text === "ready\n";
    await untilAsync(isReady, "the server to be ready");
    const conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
    await conn.write(bytes("GET /"));
    // Those of connections that are open count, too: a relay reads them when it has reached its target.
    const value = async (series: string) => valueIn((await get(`${base}/metrics`)).text, series);
    await untilAsync(async () => await value(RECEIVED) === 5, "5 bytes to be counted");
    assert.equal(await value(ACTIVE), 1);
    const ended = server.program.stop();
    await server.program.stderr.until(/^stopping in 5 s/m);
    assert.deepEqual(await get(`${base}/readyz`), { status: 503, text: "stopping\n" });
    assert.deepEqual(await get(`${base}/healthz`), { status: 200, text: "running\n" });
    assert.equal((await runClient(["get", `${base}/readyz`])).code, 22, "as a probe asks");
    conn.close();
    relayed?.close();
    await clock.advance(5000);
    assert.equal((await ended).code, 0);
    await assert.rejects(get(`${base}/healthz`), "its port is closed with the server");
  });
}

test("cli metrics: handshakes of TLS are counted, and who is turned away before", async () => {
  await using server = await startServer([
    "--metrics",
    "0",
    "--tls-self-signed",
    "--max-per-address",
    "1",
  ]);
  const base = await metricsOf(server);
  const connect = () => systemTransport.connect({ host: "127.0.0.1", port: server.port });
  using conn = await systemTransport.startTls(await connect(), { insecure: true });
  await conn.write(bytes("hello"));
  assert.equal(await readText(conn, 5), "hello");
  // It may be reset before it is seen to be connected.
  const second = await connect().catch(() => undefined);
  await second?.read(new Uint8Array(1)).catch(() => {});
  second?.close();
  const { text } = await get(`${base}/metrics`);
  assert.equal(valueIn(text, "plainsocket_tls_handshake_duration_seconds_count"), 1);
  assert.equal(valueIn(text, 'plainsocket_rejected_connections_total{reason="access"}'), 1);
});

test("cli metrics: --drain-delay keeps the port open while /readyz says no", async () => {
  const clock = new VirtualClock();
  const server = await startServer(["--metrics", "0", "--drain-delay", "5"], { clock });
  const base = await metricsOf(server);
  const ended = server.program.stop();
  assert.deepEqual(await get(`${base}/readyz`), { status: 503, text: "stopping\n" });
  const connect = () => systemTransport.connect({ host: "127.0.0.1", port: server.port });
  using conn = await connect();
  await conn.write(bytes("still"));
  assert.equal(await readText(conn, 5), "still");
  await clock.advance(5000);
  await rejects(connect(), "ECONNREFUSED");
  const stopping = { status: 503, text: "stopping\n" };
  assert.deepEqual(await get(`${base}/readyz`), stopping, "while a client is served");
  conn.close();
  assert.equal((await ended).code, 0);
});

test("cli metrics: a second signal ends the delay, and the server", async () => {
  const server = await startServer(["--metrics", "0", "--drain-delay", "1h"]);
  server.program.kill("SIGTERM");
  assert.equal((await server.program.stop()).code, 143);
});

test("cli metrics: only programs of this machine are answered, and only GET and HEAD", async () => {
  await using server = await startServer(["--metrics", "0"]);
  const base = await metricsOf(server);
  const port = new URL(base).port;
  const ask = async (head: string) => {
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
    await conn.write(bytes(`${head}\r\nConnection: close\r\n\r\n`));
    return Number((await readText(conn, 12)).slice(9));
  };
  assert.equal(await ask("GET /metrics HTTP/1.1\r\nHost: localhost"), 200);
  assert.equal(await ask("GET /metrics?x=1 HTTP/1.1\r\nHost: 127.0.0.1"), 200);
  assert.equal(await ask("HEAD /metrics HTTP/1.1\r\nHost: localhost"), 200);
  assert.equal(await ask("GET http://localhost/metrics HTTP/1.1\r\nHost: localhost"), 200);
  assert.equal(await ask("GET http://localhost?x=1 HTTP/1.1\r\nHost: localhost"), 404);
  using foreign = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
  await foreign.write(bytes("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
  const misdirected = new TextDecoder().decode(await readAll(foreign));
  assert.match(misdirected, /^HTTP\/1\.1 421 /);
  assert.match(misdirected, /ask by 127\.0\.0\.1 or localhost: this port knows no other name\.\n$/);
  const page = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example";
  assert.equal(await ask(page), 403);
  assert.equal(await ask("POST /readyz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0"), 405);
  assert.equal(await ask("GET /else HTTP/1.1\r\nHost: localhost"), 404);
});

test("cli metrics: connections full of scrapes that nobody reads keep no probe waiting", async () => {
  await using server = await startServer(["--metrics", "0"]);
  const base = await metricsOf(server);
  const port = Number(new URL(base).port);
  const scrapes = bytes("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200));
  const conns: Conn[] = [];
  try {
    for (let i = 0; i < 64; i++) {
      const conn = await systemTransport.connect({ host: "127.0.0.1", port });
      conns.push(conn);
      await conn.write(scrapes).catch(() => {});
    }
    assert.deepEqual(await get(`${base}/readyz`), { status: 200, text: "ready\n" });
    const answer = new TextDecoder().decode(await readAll(conns[0]));
    assert.equal(answer.match(/^HTTP\/1\.1 200 OK\r$/gm)!.length, 1, "one scrape a connection");
  } finally {
    for (const conn of conns) conn.close();
  }
});

test("cli metrics: a port that is in use, and options that do not go together, are said", async () => {
  using taken = await systemTransport.listen({ host: "127.0.0.1" });
  const { port } = taken.addr;
  assertFailed(
    await runServer(["--port", "0", "--metrics", String(port)]),
    7,
    new RegExp(`--metrics: Cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
  );
  for (const args of [["web"], ["echo"]]) {
    const same = ["--port", "18100", "--metrics", "18100"];
    const message = /--port and --metrics are the same, 18100: choose another for --metrics/;
    assertFailed(await runServer([...args, ...same]), 2, message);
  }
  assertFailed(await runServer(["--drain-delay", "5"]), 2, /--drain-delay needs --metrics/);
  assertFailed(
    await runServer(["--udp", "--metrics", "0"]),
    2,
    /--udp cannot be used with --metrics/,
  );
});

test(
  "cli metrics: with --workers they are added up, by worker as well, and no sum goes down",
  async () => {
    const args = ["--host", "127.0.0.1", "--port", "0", "--workers", "2", "--metrics", "0"];
    await using server = await startServerProcess(args);
    const base = await metricsOf(server);
    const metrics = async () => (await get(`${base}/metrics`)).text;
    for (let i = 0; i < 10; i++) {
      using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
      await conn.write(bytes("hello"));
      assert.equal(await readText(conn, 5), "hello");
    }
    let text = "";
    const haveEnded = async () => valueIn(text = await metrics(), ENDED) === 10;
    await untilAsync(haveEnded, "10 connections to have ended");
    assert.equal(valueIn(text, "plainsocket_ready_workers"), 2);
    const { text: each } = await get(`${base}/metrics/workers`);
    const [one, two] = [1, 2].map((n) => valueIn(each, `${ENDED}{worker="${n}"}`)!);
    assert.equal(one + two, 10);
    assert.ok(valueIn(each, 'process_start_time_seconds{worker="0"}')! > 0);
    await assertLinted(each);
    const [, pid] = await server.program.stderr.until(/^worker 1 \(pid (\d+)\) is ready$/m);
    process.kill(Number(pid), "SIGKILL");
    await server.program.stderr.until(
      /is ready\n[^]*is ready\n[^]*worker 1 \(pid \d+\) is ready$/m,
    );
    text = await metrics();
    assert.equal(valueIn(text, ENDED), 10);
    assert.equal(valueIn(text, "plainsocket_worker_restarts_total"), 1);
    const cpu = valueIn(text, "process_cpu_seconds_total")!;
    assert.ok(valueIn(await metrics(), "process_cpu_seconds_total")! >= cpu);
    assert.deepEqual(await get(`${base}/readyz`), { status: 200, text: "ready\n" });
  },
  ["promtool"],
);

test("cli metrics: Prometheus scrapes it, with the configuration of docs/operate.md", async () => {
  const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
  try {
    await using web = await startWeb(["--metrics", "0", "-q", folder]);
    const base = await metricsOf(web);
    await get(`${web.url}`);
    const [, sample] = /```yaml\n(scrape_configs:[^]*?)```/.exec(
      readFileSync("docs/operate.md", "utf8"),
    )!;
    const config = join(folder, "prometheus.yml");
    writeFileSync(
      config,
      sample.replace("127.0.0.1:9464", new URL(base).host).replace("15s", "1s"),
    );
    const checked = await runProgram(["promtool", "check", "config", config]);
    assert.equal(checked.code, 0, checked.stderr);
    await assertLinted((await get(`${base}/metrics`)).text);
    const port = await freePort();
    await using _prometheus = new Program([
      "prometheus",
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${OWN_HOST}:${port}`,
    ]);
    const query = 'http_server_request_duration_seconds_count{job="plainsocket"}';
    const url = `http://${OWN_HOST}:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
    const answer = async () => {
      const { text } = await get(url).catch(() => ({ text: "" }));
      return text.includes('"value"') ? text : undefined;
    };
    let scraped: string | undefined;
    for (let tries = 0; (scraped = await answer()) === undefined; tries++) {
      assert.ok(tries < 600, "Prometheus has scraped nothing");
      await pause(100);
    }
    const [{ metric, value }] = JSON.parse(scraped).data.result;
    assert.equal(metric.http_request_method, "GET");
    assert.equal(metric.http_response_status_code, "200");
    assert.equal(value[1], "1");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, ["prometheus", "promtool"]);
