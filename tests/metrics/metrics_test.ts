// What ServerMetrics counts of servers on all layers, and the text that Prometheus reads.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { SocketError } from "../../lib/base/errors.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import type { LightHandler } from "../../lib/http/server/light.ts";
import { FAMILIES } from "../../lib/metrics/families.ts";
import { addSamples, formatSamples, type Sample, ServerMetrics } from "../../lib/metrics/mod.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { AccessList } from "../../lib/serve/access_list.ts";
import { serve } from "../../lib/serve/serve.ts";
import { bytes, mistakes, readAll, readText, until } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** The values of a text of Prometheus, by what stands before them. */
function valuesOf(text: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

/** Those of them that are not 0, without the buckets of histograms. */
function counted(metrics: ServerMetrics): Record<string, number> {
  return Object.fromEntries(
    Object.entries(valuesOf(metrics.text()))
      .filter(([name, value]) => value !== 0 && !name.includes("_bucket")),
  );
}

test("metrics: connections are counted while they are open, their bytes too, and how they end", async () => {
  const metrics = new ServerMetrics();
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  await using _server = serve(listener, async (conn, conversation) => {
    await echo()(conn, conversation);
    if (conn.bytesRead === 3) throw new SocketError("ETIMEDOUT", "read");
    if (conn.bytesRead === 4) throw new TypeError("a mistake");
  }, { metrics, clock, onError: () => {} });
  const open: Conn[] = [];
  for (const text of ["12", "123", "1234"]) {
    const conn = await transport.connect({ host: "localhost", port: 7 });
    open.push(conn);
    await conn.write(bytes(text));
    await readText(conn, text.length);
  }
  assert.deepEqual(counted(metrics), {
    "plainsocket_active_connections": 3,
    'plainsocket_network_io_bytes_total{network_io_direction="receive"}': 9,
    'plainsocket_network_io_bytes_total{network_io_direction="transmit"}': 9,
  });
  await clock.advance(1500);
  for (const conn of open) {
    await conn.closeWrite();
    assert.equal(await conn.read(new Uint8Array(1)), null);
    conn.close();
  }
  assert.deepEqual(counted(metrics), {
    'plainsocket_connection_duration_seconds_count{error_type="ETIMEDOUT"}': 1,
    'plainsocket_connection_duration_seconds_count{error_type="_OTHER"}': 1,
    "plainsocket_connection_duration_seconds_count": 1,
    'plainsocket_connection_duration_seconds_sum{error_type="ETIMEDOUT"}': 1.5,
    'plainsocket_connection_duration_seconds_sum{error_type="_OTHER"}': 1.5,
    "plainsocket_connection_duration_seconds_sum": 1.5,
    'plainsocket_network_io_bytes_total{network_io_direction="receive"}': 9,
    'plainsocket_network_io_bytes_total{network_io_direction="transmit"}': 9,
  });
  const values = valuesOf(metrics.text());
  const bucket = (le: string) =>
    values[`plainsocket_connection_duration_seconds_bucket{le="${le}"}`];
  assert.deepEqual(["0.01", "1", "2", "300", "+Inf"].map(bucket), [0, 0, 1, 1, 1]);
});

test("metrics: who is refused, and who comes while the server stops, is rejected", async () => {
  const metrics = new ServerMetrics();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  const admission = new AccessList({ deny: ["0.0.0.0/0", "::/0"] });
  await using _server = serve(listener, echo(), { metrics, admission });
  using conn = await transport.connect({ host: "localhost", port: 7 });
  await conn.read(new Uint8Array(1)).catch(() => {});
  assert.deepEqual(counted(metrics), {
    'plainsocket_rejected_connections_total{reason="access"}': 1,
  });
});

test("metrics: at maxConnections of an HTTP server the next connection is queued", async () => {
  const metrics = new ServerMetrics();
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  const answer = deferred<void>();
  const handler: LightHandler = async () => {
    await answer.promise;
    return { status: 200 };
  };
  await using _server = serveLight(listener, handler, { metrics, maxConnections: 1, clock });
  const connect = () => transport.connect({ host: "localhost", port: 7 });
  using busy = await connect();
  await busy.write(bytes("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  using waiting = await connect();
  const queued = () => valuesOf(metrics.text()).plainsocket_queued_connections;
  await until(() => queued() === 1, "a queued connection");
  answer.resolve();
  await readAll(busy);
  busy.close();
  await until(() => queued() === 0, "no queued connection");
  waiting.close();
});

/** What an HTTP server has counted after `head` was sent to it, and all was read. */
async function requestsOf(head: string, handler: LightHandler): Promise<Record<string, number>> {
  const metrics = new ServerMetrics();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const server = serveLight(listener, handler, { metrics, onError: () => {} });
  using conn = await transport.connect({ host: "localhost", port: 80 });
  await conn.write(bytes(head));
  await readAll(conn).catch(() => {});
  conn.close();
  await server.stop();
  const ours = Object.entries(valuesOf(metrics.text()))
    .filter(([name]) => /^http_server_(active|.*_count)/.test(name));
  return Object.fromEntries(ours);
}

/** A request head after whose response the connection is closed. */
const asking = (method: string) => `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;

const REQUESTS: readonly {
  readonly what: string;
  readonly head: string;
  readonly handler?: LightHandler;
  readonly labels: string;
}[] = [
  {
    what: "a GET that is answered",
    head: asking("GET"),
    labels: 'http_request_method="GET",http_response_status_code="204",url_scheme="http"',
  },
  {
    what: "a method that a client has made up",
    head: asking("HACK-1234"),
    labels: 'http_request_method="_OTHER",http_response_status_code="204",url_scheme="http"',
  },
  {
    what: "what is not a valid request",
    head: "GET / HTTP/1.1\r\nBad Field\r\n\r\n",
    labels: 'http_request_method="_OTHER",http_response_status_code="400",url_scheme="http"',
  },
  {
    what: "a handler that throws",
    head: asking("POST"),
    handler: () => {
      throw new Error("a mistake");
    },
    labels: 'http_request_method="POST",http_response_status_code="500",url_scheme="http",' +
      'error_type="500"',
  },
  {
    what: "a response that breaks off",
    head: asking("GET"),
    handler: () => ({
      status: 200,
      body: (async function* () {
        yield bytes("half");
        throw new Error("a mistake");
      })(),
    }),
    labels: 'http_request_method="GET",http_response_status_code="200",url_scheme="http",' +
      'error_type="incomplete"',
  },
];

for (const { what, head, handler = () => ({ status: 204 }), labels } of REQUESTS) {
  test(`metrics: requests: ${what}`, async () => {
    const [, method] = /http_request_method="(\w+)"/.exec(labels)!;
    assert.deepEqual(await requestsOf(head, handler), {
      [`http_server_request_duration_seconds_count{${labels}}`]: 1,
      [`http_server_active_requests{http_request_method="${method}",url_scheme="http"}`]: 0,
    });
  });
}

test("metrics: requests: one whose client leaves before the response ends without a status", async () => {
  const metrics = new ServerMetrics();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const came = deferred<void>();
  const left = deferred<void>();
  const late = deferred<{ status: number }>();
  await using _server = serveLight(listener, (request) => {
    request.signal().addEventListener("abort", () => left.resolve());
    came.resolve();
    return late.promise;
  }, { metrics });
  const conn = await transport.connect({ host: "localhost", port: 80 });
  await conn.write(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  await came.promise;
  const active = 'http_server_active_requests{http_request_method="GET",url_scheme="http"}';
  assert.equal(counted(metrics)[active], 1);
  conn.reset();
  await left.promise;
  const lost = "http_server_request_duration_seconds_count" +
    '{http_request_method="GET",url_scheme="http",error_type="incomplete"}';
  await until(() => counted(metrics)[lost] === 1, "the request that was lost");
  assert.equal(counted(metrics)[active], undefined);
  late.resolve({ status: 200 });
});

test("metrics: TLS handshakes are counted, with what ended those that failed", async () => {
  const metrics = new ServerMetrics();
  const own = await selfSigned(["localhost"]);
  const admission = new AccessList({ allow: ["127.0.0.1"] });
  const tls = { ...own, admission };
  const listener = await systemTransport.listen({ host: "127.0.0.1", tls, metrics });
  await using _server = serve(listener, echo(), { metrics, admission });
  const connect = () => systemTransport.connect(listener.addr);
  using good = await systemTransport.startTls(await connect(), {
    servername: "localhost",
    caCerts: [own.cert],
  });
  await good.write(bytes("hello"));
  await readText(good, 5);
  using bad = await connect();
  await bad.write(bytes("this is not TLS\n"));
  await bad.read(new Uint8Array(64)).catch(() => {});
  const failed = () =>
    Object.entries(counted(metrics))
      .filter(([name]) => /tls_handshake_duration_seconds_count\{error_type="E\w+"\}/.test(name));
  await until(() => failed().length === 1, "the handshake that failed");
  const values = counted(metrics);
  assert.equal(values.plainsocket_tls_handshake_duration_seconds_count, 1);
  assert.equal(values.plainsocket_active_tls_handshakes, undefined);
  assert.equal(values.plainsocket_active_connections, 1);
  const received = 'plainsocket_network_io_bytes_total{network_io_direction="receive"}';
  assert.equal(values[received], 5, "the bytes are those that TLS carries");
  good.close();
});

test("metrics: connections that wait for accept() with TLS are queued, and rejected at the end", async () => {
  const metrics = new ServerMetrics();
  const own = await selfSigned(["localhost"]);
  const listener = await systemTransport.listen({ host: "127.0.0.1", tls: own, metrics });
  const connect = async () =>
    await systemTransport.startTls(await systemTransport.connect(listener.addr), {
      servername: "localhost",
      caCerts: [own.cert],
    });
  using _first = await connect();
  using _second = await connect();
  const queued = () => valuesOf(metrics.text()).plainsocket_queued_connections;
  await until(() => queued() === 2, "two queued connections");
  (await listener.accept()).close();
  assert.equal(queued(), 1);
  listener.close();
  assert.equal(queued(), 0);
  assert.equal(counted(metrics)['plainsocket_rejected_connections_total{reason="stopping"}'], 1);
});

// Deno leaves them in the kernel.
if (runtime !== "Deno") {
  test("metrics: who comes when the queue is full is rejected, and counted", async () => {
    const metrics = new ServerMetrics();
    using listener = await systemTransport.listen({ host: "127.0.0.1", backlog: 1, metrics });
    using _first = await systemTransport.connect(listener.addr);
    const values = () => valuesOf(metrics.text());
    await until(() => values().plainsocket_queued_connections === 1, "a queued connection");
    // It may be reset before it is seen to be connected.
    const second = await systemTransport.connect(listener.addr).catch(() => undefined);
    const rejected = () => values()['plainsocket_rejected_connections_total{reason="queue_full"}'];
    await until(() => rejected() === 1, "a rejected connection");
    second?.close();
  });
}

test("metrics: what is not a MetricsSink is a mistake of the caller", async () => {
  const metrics = {} as ServerMetrics;
  const message = /takes the option metrics as a MetricsSink, such as new ServerMetrics\(\)/;
  await mistakes("TypeError", message, systemTransport.listen({ metrics }));
  using listener = await new MemoryTransport().listen();
  const serving = [
    () => serve(listener, echo(), { metrics }),
    () => serveLight(listener, () => ({ status: 200 }), { metrics }),
  ];
  for (const start of serving) assert.throws(start, { name: "TypeError", message });
});

test("metrics: samples of processes are added up by name and labels", () => {
  const one: Sample[] = [["a_total", 'reason="x"', 1], ["b", "", 2]];
  const two: Sample[] = [["a_total", 'reason="x"', 3], ["a_total", 'reason="y"', 5]];
  assert.deepEqual(addSamples([one, two]), [
    ["a_total", 'reason="x"', 4],
    ["b", "", 2],
    ["a_total", 'reason="y"', 5],
  ]);
});

test("metrics: docs/operate.md has each metric with its type, unit and labels, and no other", () => {
  const [, section] = readFileSync("docs/operate.md", "utf8").split("\n## Metrics and health\n");
  const rows = section.matchAll(/^\| `(\w+)` +\| (\w+) +\| (\w+) +\| (.*?) +\| (.*?) +\|$/gm);
  const documented = Array.from(rows, ([, name, type, unit, labels]) => {
    return { name, type, unit, labels: labels.match(/\w+/g) ?? [] };
  });
  const real = Object.entries(FAMILIES).map(([name, { type, unit, labels }]) => {
    return { name, type, unit, labels: [...labels] };
  });
  assert.deepEqual(documented, real);
});

test("metrics: promtool finds nothing wrong with the text", async () => {
  const metrics = new ServerMetrics();
  metrics.handshakeBegan();
  metrics.handshakeEnded(3, new SocketError("ETLS", "acceptTls"));
  metrics.requestBegan({ method: "GET", scheme: "https" });
  metrics.requestEnded({ method: "GET", scheme: "https" }, 1e-7, 503, true);
  const more = Object.keys(FAMILIES).filter((name) => /_workers?(_|$)|^process_/.test(name))
    .map((name): Sample => [name, "", 1e21]);
  const text = formatSamples([...metrics.samples(), ...more]);
  for (const name of Object.keys(FAMILIES)) assert.match(text, new RegExp(`^# TYPE ${name} `, "m"));
  const { code, stdout, stderr } = await runProgram(["promtool", "check", "metrics"], {
    stdin: text,
  });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString() + stderr, "");
}, ["promtool"]);
