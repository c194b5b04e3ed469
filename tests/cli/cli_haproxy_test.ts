// deploy/haproxy.cfg: three web servers, of which one is killed and one is taken out of service while a
// client asks again and again.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { OWN_HOST, until, untilAsync } from "../support/helpers.ts";
import { adapted, assertValid, commandHaproxy, startHaproxy } from "../support/haproxy.ts";
import { Program, PYTHON } from "../support/peers.ts";
import { type ServerScript, startServer, startServerProcess } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const CONFIGURATION = "deploy/haproxy.cfg";

/** Without it, the servers answer requests for the site by its name with 421. */
const NAME = ["--allow-host", "www.example.com"];

/**
 * The configuration, for servers on these ports. The last one gets the client's address by the PROXY
 * protocol.
 */
function configuration(ports: readonly number[]): string {
  const servers = ports.map((port, i) => [`10.0.0.1${i + 1}:8080`, `127.0.0.1:${port}`]);
  const text = adapted(CONFIGURATION, {
    "bind :80": "bind PORT(site)",
    // A server is slow when the machine is busy with others. Who is killed refuses connections at once.
    "timeout connect 3s": "timeout connect 3s\n  timeout check 60s",
    ...Object.fromEntries(servers),
  });
  return `${text.trimEnd()} send-proxy-v2\n`;
}

/** Four clients at 127.0.0.9, each of which asks for a page again and again until it is told to stop. */
const CLIENTS = `
import http.client, sys, threading
over, bad, good = threading.Event(), [], []
def ask():
    conn = None
    while not over.is_set():
        try:
            conn = conn or http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]),
                timeout=30, source_address=("127.0.0.9", 0))
            conn.request("GET", "/page", headers={
                "Host": "www.example.com", "X-Forwarded-For": "192.0.2.66"})
            response = conn.getresponse()
            body = response.read()
            (good if (response.status, body) == (200, b"a page\\n") else bad).append(response.status)
        except Exception as error:
            bad.append(repr(error))
            conn = None
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
sys.stdin.readline()
over.set()
for thread in threads: thread.join()
print(len(good), "good;", "bad:", bad)
`;

/** How many requests a server has in its log. */
function asked({ program }: ServerScript): number {
  return program.stderr.text.match(/"GET \/page /g)?.length ?? 0;
}

/** Waits until each of the servers has been asked some more. */
async function untilAskedMore(...servers: ServerScript[]): Promise<void> {
  const before = servers.map(asked);
  const isMore = () => servers.every((server, i) => asked(server) >= before[i] + 20);
  await until(isMore, "more requests to each server that is in service");
}

test("deploy/haproxy.cfg: HAProxy takes it as it is", async () => {
  await assertValid(CONFIGURATION);
}, ["haproxy"]);

test("deploy/haproxy.cfg: one server is killed, one drains, and no GET fails", async () => {
  const folder = mkdtempSync(join(tmpdir(), "balanced-"));
  writeFileSync(join(folder, "page"), "a page\n");
  const args = ["web", folder, "--host", "127.0.0.1", "--port", "0", ...NAME];
  const [a, b, c] = await Promise.all([
    startServerProcess([...args, "--trust-proxy", "127.0.0.1"]),
    startServerProcess([...args, "--trust-proxy", "127.0.0.1", "--workers", "1"]),
    startServer([...args, "--proxy-protocol", "127.0.0.1"]),
  ]);
  const servers = [a, b, c];
  try {
    const ports = servers.map(({ port }) => port);
    const own = mkdtempSync(join(tmpdir(), "plainsocket-haproxy-"));
    await using haproxy = await startHaproxy(configuration(ports), own);
    const client = [...PYTHON, "-c", CLIENTS, OWN_HOST, haproxy.ports.site];
    await using clients = new Program(client, { pipe: true });
    await untilAskedMore(a, b, c);
    process.kill(a.program.pid, "SIGKILL");
    await untilAskedMore(b, c);
    assert.equal((await commandHaproxy(own, "set server servers/b state drain")).trim(), "");
    await untilIdle(() => commandHaproxy(own, "show stat servers 4 -1 typed"));
    const { code, stderr } = await b.program.stop();
    assert.equal(code, 0, stderr);
    await untilAskedMore(c);
    clients.stdin.end("\n");
    const { stdout } = await clients.exit();
    assert.match(stdout.toString(), /^\d{2,} good; bad: \[\]\n$/);
    for (const { program } of [b, c]) {
      const lines = program.stderr.lines.filter((line) => line.includes("HTTP/1"));
      // The client's address, whatever it says itself; and HAProxy's, which checks the server.
      const known = /^(?:127\.0\.0\.9 - - .*"GET \/page .* 200 7|127\.0\.0\.1 - - .*"HEAD \/ .*)$/;
      assert.deepEqual(lines.filter((line) => !known.test(line)), []);
    }
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}, ["haproxy", "python3"]);

/** Waits until HAProxy has no request at b any more. */
async function untilIdle(show: () => Promise<string>): Promise<void> {
  await untilAsync(async () => {
    const text = await show();
    const [, id] = /^S\.\d+\.(\d+)\.\d+\.svname[^\n]*:b$/m.exec(text) ?? [];
    assert.notEqual(id, undefined, text);
    return new RegExp(`^S\\.\\d+\\.${id}\\.\\d+\\.scur\\.[^\\n]*:0$`, "m").test(text);
  }, "b to have no request");
}
