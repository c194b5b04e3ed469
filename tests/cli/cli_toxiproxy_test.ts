// `relay --toxiproxy-api`: toxiproxy's client, and clients whose connections it breaks.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Toxiproxy } from "toxiproxy-node-client";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { readRecording } from "../../lib/recording/read.ts";
import { until } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { folder, readText, say, startTarget } from "../support/replay_helpers.ts";
import { test } from "../support/runner.deno.ts";
import { assertFailed, listening, runServer, startServer } from "../support/scripts.ts";

/** Starts the relay with the API on a free port. */
async function startApi(...args: string[]) {
  const started = await listening(
    new InProcess("server", ["relay", "--toxiproxy-api", "0", "--grace", "0", ...args]),
  );
  const url = started.url.replace(/\/$/, "");
  return {
    url,
    program: started.program,
    client: new Toxiproxy(url),
    /** Sends a request, and returns status and body. */
    async ask(method: string, path: string, body?: unknown): Promise<[number, unknown]> {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const response = await fetch(url + path, { method, body: text });
      const answer = await response.text();
      const isJson = response.headers.get("content-type") === "application/json";
      return [response.status, isJson ? JSON.parse(answer) : answer];
    },
    [Symbol.asyncDispose]: () => started.program[Symbol.asyncDispose](),
  };
}

/** A server that sends back what comes. */
const startEcho = () =>
  startTarget(async (conn) => {
    for (let text; (text = await readText(conn)) !== "";) await say(conn, text);
  });

function connectTo(listen: string): Promise<Conn> {
  const [host, port] = listen.split(":");
  return systemTransport.connect({ host, port: Number(port) });
}

/** Sends text, and reads as much as comes back until `length` characters have, or the end. */
async function exchange(conn: Conn, text: string, length = text.length): Promise<string> {
  await say(conn, text);
  let got = "";
  while (got.length < length) {
    const piece = await readText(conn);
    if (piece === "") break;
    got += piece;
  }
  return got;
}

/** How a connection ends on which nothing more comes: "end", or the code of its error. */
async function endOf(conn: Conn): Promise<string> {
  for (;;) {
    const n = await conn.read(new Uint8Array(1000)).catch((error) => error.code as string);
    if (typeof n !== "number") return n ?? "end";
  }
}

test("toxiproxy: its client makes, changes, shows and removes proxies and toxics", async () => {
  await using echo = await startEcho();
  await using api = await startApi();
  const { client } = api;
  assert.match(await client.getVersion(), /^\{"version":"2\.\d+\.\d+\+plainsocket\./);
  assert.deepEqual(await client.getAll(), {});
  const proxy = await client.createProxy({
    name: "redis",
    listen: "127.0.0.1:0",
    upstream: echo.address,
  });
  assert.match(proxy.listen, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.equal(proxy.enabled, true);
  using conn = await connectTo(proxy.listen);
  assert.equal(await exchange(conn, "hello"), "hello");

  const latency = {
    name: "",
    type: "latency" as const,
    stream: "downstream" as const,
    toxicity: 1,
    attributes: { latency: 100, jitter: 10 },
  };
  const toxic = await proxy.addToxic(latency);
  assert.deepEqual(toxic.toJson(), {
    attributes: { latency: 100, jitter: 10 },
    name: "latency_downstream",
    stream: "downstream",
    toxicity: 1,
    type: "latency",
  });
  const changed = { attributes: { latency: 1, jitter: 0 }, toxicity: 0.5 };
  const updated = await toxic.update({ ...latency, ...changed });
  assert.deepEqual([updated.attributes, updated.toxicity], [{ latency: 1, jitter: 0 }, 0.5]);
  assert.equal((await proxy.getToxic("latency_downstream")).toxicity, 0.5);
  await toxic.remove();
  // The client leaves the bodies of errors unread, which Deno's tests take for a leak.
  assert.equal((await api.ask("GET", "/proxies/redis/toxics/latency_downstream"))[0], 404);

  // Down: the port is closed, and so are the connections.
  const down = await proxy.update({ enabled: false, listen: proxy.listen, upstream: echo.address });
  assert.deepEqual([down.enabled, down.listen], [false, proxy.listen]);
  assert.notEqual(await endOf(conn), undefined);
  await assert.rejects(connectTo(proxy.listen), { code: "ECONNREFUSED" });
  await client.reset();
  assert.equal((await client.get("redis")).enabled, true);
  using again = await connectTo(proxy.listen);
  assert.equal(await exchange(again, "hello"), "hello");

  await proxy.remove();
  assert.equal((await api.ask("GET", "/proxies/redis"))[0], 404);
  assert.notEqual(await endOf(again), undefined);
  const { code, stderr } = await api.program.stop();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /toxiproxy: POST \/proxies\/redis\/toxics: 200/);
  assert.match(stderr, /stopped after 2 connections/);
});

test("toxiproxy: populate makes proxies, keeps those that are the same, and replaces others", async () => {
  await using echo = await startEcho();
  await using api = await startApi();
  const item = { name: "a", listen: "127.0.0.1:0", upstream: echo.address, enabled: true };
  const first = await api.client.populate([item, { ...item, name: "b", enabled: false }]);
  assert.deepEqual([first.a.enabled, first.b.enabled], [true, false]);
  using conn = await connectTo(first.a.listen);
  const same = await api.client.populate([{ ...item, listen: first.a.listen }]);
  assert.equal(same.a.listen, first.a.listen);
  assert.equal(await exchange(conn, "hello"), "hello");
  const named = first.a.listen.replace("127.0.0.1", "localhost");
  await api.client.populate([{ ...item, listen: named }]);
  assert.equal(await exchange(conn, "hello"), "hello");
  await api.client.populate([{ ...item, listen: first.a.listen, upstream: "127.0.0.1:1" }]);
  assert.notEqual(await endOf(conn), undefined);
});

test("toxiproxy: statuses and bodies of errors are those of toxiproxy", async () => {
  await using api = await startApi();
  const upstream = "127.0.0.1:1";
  await api.client.createProxy({ name: "a/b", listen: "127.0.0.1:0", upstream });
  const path = "/proxies/a%2Fb";
  const cases: [string, string, unknown, number, unknown][] = [
    ["POST", "/proxies", { upstream }, 400, "missing required field: name"],
    ["POST", "/proxies", { name: "x" }, 400, "missing required field: upstream"],
    ["POST", "/proxies", { name: "a/b", upstream }, 409, "proxy already exists"],
    ["POST", "/proxies", "{", 400, /^bad request body: /],
    ["POST", "/proxies", "", 400, /^bad request body: it is empty/],
    ["POST", "/proxies", { name: 1, upstream }, 400, "bad request body: 'name' is not a string"],
    ["POST", "/proxies", { name: "x", upstream: "y" }, 400, /upstream 'y' has no port/],
    ["POST", "/proxies", { name: "x", upstream, listen: "192.0.2.1:0" }, 500, /EADDRNOTAVAIL/],
    ["GET", "/proxies/x", undefined, 404, "proxy not found"],
    ["DELETE", "/proxies/x", undefined, 404, "proxy not found"],
    ["POST", `${path}/toxics`, { type: "x" }, 400, "invalid toxic type"],
    ["POST", `${path}/toxics`, { type: "constructor" }, 400, "invalid toxic type"],
    ["POST", `${path}/toxics`, { type: "noop", stream: "x" }, 400, /^stream was invalid, can be/],
    ["POST", `${path}/toxics`, { type: "latency", attributes: { latency: 1.5 } }, 400, /whole/],
    ["GET", `${path}/toxics/x`, undefined, 404, "toxic not found"],
    ["PATCH", `${path}/toxics/x`, {}, 404, "toxic not found"],
    ["POST", "/populate", [{ name: "x" }], 400, "missing required field: upstream at proxy 1"],
    ["POST", "/populate", {}, 400, /not a list/],
  ];
  for (const [method, where, body, status, message] of cases) {
    const [got, answer] = await api.ask(method, where, body);
    const { error, status: told } = answer as { error: string; status: number };
    assert.deepEqual([got, told], [status, status], `${method} ${where}: ${error}`);
    if (message instanceof RegExp) assert.match(error, message);
    else assert.equal(error, message);
  }
  const noop = { type: "noop", stream: "upstream" };
  assert.equal((await api.ask("POST", `${path}/toxics`, noop))[0], 200);
  assert.equal((await api.ask("POST", `${path}/toxics`, noop))[0], 409);
  assert.deepEqual(await api.ask("GET", `${path}/toxics`), [200, [
    { attributes: {}, name: "noop_upstream", type: "noop", stream: "upstream", toxicity: 1 },
  ]]);
  assert.deepEqual(await api.ask("GET", "/nothing"), [404, "404 page not found\n"]);
  assert.equal((await api.ask("PUT", "/proxies"))[0], 405);
  assert.equal((await api.ask("POST", "/proxies", "x".repeat(2 ** 20 + 1)))[0], 413);
});

test("toxiproxy: each toxic is applied to connections that are open, and its removal, too", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await using echo = await startEcho();
  await using api = await startApi("--record", file);
  const proxy = await api.client.createProxy({
    name: "p",
    listen: "127.0.0.1:0",
    upstream: echo.address,
  });
  const add = (type: string, attributes: Record<string, number>, stream = "downstream") =>
    api.ask("POST", "/proxies/p/toxics", { type, attributes, stream });
  const remove = (name: string) => api.ask("DELETE", `/proxies/p/toxics/${name}`);
  const untilTold = (fault: string) =>
    until(() => readFileSync(file, "utf8").includes(`"fault":"${fault}"`), fault);
  const open = async () => {
    const conn = await connectTo(proxy.listen);
    assert.equal(await exchange(conn, "hello"), "hello");
    return conn;
  };

  using late = await open();
  await add("latency", { latency: 60_000 });
  await say(late, "held");
  await untilTold("delay");
  await add("slicer", { average_size: 2, size_variation: 1, delay: 10 });
  await remove("latency_downstream");
  assert.equal(await exchange(late, "", 4), "held");
  assert.equal(await exchange(late, "in pieces"), "in pieces");
  await remove("slicer_downstream");

  // Nothing passes at no rate, and nothing is lost.
  await add("bandwidth", { rate: 0 }, "upstream");
  await say(late, "waiting");
  await untilTold("rate");
  await api.ask("PATCH", "/proxies/p/toxics/bandwidth_upstream", { attributes: { rate: 1000 } });
  assert.equal(await exchange(late, "", 7), "waiting");
  await remove("bandwidth_upstream");

  using limited = await open();
  await add("limit_data", { bytes: 3 });
  assert.equal(await exchange(limited, "hello"), "hel");
  assert.equal(await endOf(limited), "end");
  await remove("limit_data_downstream");

  using lost = await open();
  await add("timeout", { timeout: 0 });
  await say(lost, "lost");
  await untilTold("truncate");
  await remove("timeout_downstream");
  assert.equal(await exchange(lost, "", 1), "");

  using timed = await open();
  await add("timeout", { timeout: 1 });
  assert.equal(await endOf(timed), "end");
  await remove("timeout_downstream");

  using slow = await open();
  await add("slow_close", { delay: 50 });
  await slow.closeWrite();
  assert.equal(await endOf(slow), "end");
  await remove("slow_close_downstream");

  using reset = await open();
  await add("reset_peer", { timeout: 0 });
  await say(reset, "x");
  assert.match(await endOf(reset), /end|ECONNRESET/);

  await api.program.stop();
  const { events } = await readRecording(readFileSync(file, "utf8"));
  const told = events.flatMap((event) =>
    event.type === "fault" ? [`${event.direction} ${event.fault} ${event.detail}`] : []
  );
  for (
    const fault of [
      "down delay of 60000 ms",
      "down split into pieces of 2 ± 1 bytes",
      "up rate of nothing",
      "up rate of 1000000 bytes a second",
      "down close after 3 bytes",
      "down truncate after 0 bytes",
      "down close after 1 ms",
      "down slowclose by 50 ms",
      "down reset as data came",
    ]
  ) {
    assert.ok(told.includes(fault), `${fault}: ${told.join("; ")}`);
  }
});

test("toxiproxy: toxicity chooses connections, the same ones for the same --seed", async () => {
  await using echo = await startEcho();
  const broken = async (seed: string) => {
    await using api = await startApi("--seed", seed);
    const proxy = await api.client.createProxy({
      name: "p",
      listen: "127.0.0.1:0",
      upstream: echo.address,
    });
    const toxic = { type: "limit_data", toxicity: 0.5, attributes: { bytes: 1 } };
    await api.ask("POST", "/proxies/p/toxics", toxic);
    let all = "";
    for (let i = 0; i < 12; i++) {
      using conn = await connectTo(proxy.listen);
      all += (await exchange(conn, "hello")).length;
    }
    return all;
  };
  const first = await broken("1");
  assert.match(first, /^(?=.*1)(?=.*5)[15]{12}$/);
  assert.equal(await broken("1"), first);
  assert.notEqual(await broken("2"), first);
});

test("toxiproxy: no page in a browser gets through", async () => {
  await using api = await startApi();
  const { port } = new URL(api.url);
  const ask = (...fields: string[]) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(`POST /reset HTTP/1.1\r\n${fields.join("\r\n")}\r\nConnection: close\r\n\r\n`);
      });
      let text = "";
      socket.on("data", (data) => text += data);
      socket.on("end", () => resolve(text.split("\r\n", 1)[0]));
      socket.on("error", reject);
    });
  const local = `Host: localhost:${port}`;
  assert.match(await ask(local), / 204 /);
  assert.match(await ask(local, "Origin: http://localhost:3000"), / 403 /);
  assert.match(await ask(local, "Origin: null"), / 403 /);
  assert.match(await ask(local, "User-Agent: Mozilla/5.0"), / 403 /);
  assert.match(await ask(`Host: evil.example:${port}`), / 421 /);
});

test("toxiproxy: it goes with a target, too, and what does not go together is said", async () => {
  await using echo = await startEcho();
  await using relay = await startServer(
    ["relay", "--to", echo.address, "--host", "127.0.0.1", "--toxiproxy-api", "0"],
  );
  using conn = await connectTo(`127.0.0.1:${relay.port}`);
  assert.equal(await exchange(conn, "hello"), "hello");
  const [, url] = await relay.program.stdout.until(/^.*\n(http:.*)\/\n/);
  assert.deepEqual(await new Toxiproxy(url).getAll(), {});
  conn.close();
  assert.equal((await relay.program.stop()).code, 0);

  const cases: [string[], RegExp][] = [
    [[], /relay needs a target: --to HOST:PORT/],
    [["--toxiproxy-api", "0", "--port", "7"], /--port is for a relay with a target: --to/],
    [["--toxiproxy-api", "0", "--workers", "2", "--to", "a:1"], /cannot be used with --workers/],
    [["--toxiproxy-api", "x"], /--toxiproxy-api takes a whole number from 0 to 65535/],
    [["--to", "localhost:1", "--seed", "1"], /--seed needs --fault or --toxiproxy-api/],
  ];
  for (const [args, message] of cases) {
    assertFailed(await runServer(["relay", ...args]), 2, message);
  }
});
