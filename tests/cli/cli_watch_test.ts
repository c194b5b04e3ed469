// --watch on the command line, and `server.ts watch FILE`.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestHttp } from "../../lib/http/client/request.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { InProcess } from "../support/in_process.ts";
import { accepted, recordingText } from "../support/recordings.ts";
import { assertFailed, runClient, runServer, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const PAGE = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}/;

/** What a path of the page has. */
async function got(page: string, path: string): Promise<string> {
  const url = new URL(page);
  url.pathname = path;
  return await (await requestHttp(systemTransport, { url })).text();
}

test("cli watch: a server tells the URL of its page on stderr, also with -q", async () => {
  await using server = await startServer(["--host", "127.0.0.1", "--watch", "-q"]);
  const [url] = await server.program.stderr.until(PAGE);
  assert.doesNotMatch(server.program.stdout.text, PAGE);
  assert.match(await got(url, "/"), /<!doctype html>/i);
  assert.match(await got(url, "/about"), /"title":"echo --port 0 --host 127\.0\.0\.1/);
});

test("cli watch: the page ends with the server", async () => {
  const server = await startServer(["--host", "127.0.0.1", "--watch"]);
  const [url] = await server.program.stderr.until(PAGE);
  await server[Symbol.asyncDispose]();
  await assert.rejects(got(url, "/about"), { code: "ECONNREFUSED" });
});

test("cli watch: the page of a client stays until nobody has looked at it for a minute", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const clock = new VirtualClock();
  const args = ["echo", "hello", "--host", "127.0.0.1", "--port", String(server.port), "--watch"];
  const client = new InProcess("client", args, { clock });
  await client.stderr.until(/done; the page stays until Ctrl-C/);
  const [url] = await client.stderr.until(PAGE);
  await clock.advance(59_000);
  assert.match(await got(url, "/about"), /"title":"echo hello/);
  await clock.advance(2_000);
  assert.equal((await client.exit()).code, 0);
});

test("cli watch: Ctrl-C ends the page of a client, and the exit code is the client's", async () => {
  const client = new InProcess("client", ["get", "http://127.0.0.1:1/", "--watch"]);
  await client.stderr.until(/done; the page stays/);
  const { code, stderr } = await client.stop("SIGINT");
  assert.equal(code, 7);
  assert.match(stderr, /ECONNREFUSED/);
});

test("cli watch: a browser that cannot be opened is one line, and the server goes on", async () => {
  const env = { PATH: "/nowhere" };
  await using server = await startServer(["--host", "127.0.0.1", "--watch", "--open"], { env });
  await server.program.stderr.until(/could not open the browser: .*\n/);
  const [url] = await server.program.stderr.until(PAGE);
  assert.match(await got(url, "/about"), /"title"/);
});

test("cli watch: a server that cannot listen shows no page", async () => {
  await using taken = await startServer(["--host", "127.0.0.1"]);
  for (const command of ["echo", "chat", "web"]) {
    const args = [
      command,
      "--host",
      "127.0.0.1",
      "--port",
      String(taken.port),
      "--watch",
      "--open",
    ];
    const { code, stderr } = await runServer(args);
    assert.equal(code, 7);
    assert.match(stderr, /EADDRINUSE/);
    assert.doesNotMatch(stderr, /watch it at|browser/);
  }
});

test("cli watch: passwords on the command line are not in the title", async () => {
  const args = ["web", "docs", "--host", "127.0.0.1", "--auth", "me:secret", "--watch"];
  await using server = await startServer(args);
  const [url] = await server.program.stderr.until(PAGE);
  assert.match(await got(url, "/about"), /--auth \*\*\*/);
});

test("cli watch: a recording is shown, and its URL is on stdout", async () => {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const file = join(dir, "x.jsonl");
    writeFileSync(file, recordingText(accepted([["client", "hello"]])));
    await using server = new InProcess("server", ["watch", file]);
    const [url] = await server.stdout.until(PAGE);
    assert.match(await got(url, "/picture"), /"bytesIn":5/);
    assert.equal((await server.stop()).code, 0);
    const missing = await runServer(["watch", `${file}.gone`]);
    assertFailed(missing, 26, /Cannot read '.*\.gone': there is no such file/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("cli watch: what does not go together is one clear line", async () => {
  assertFailed(await runServer(["--open"]), 2, /--open needs --watch/);
  assertFailed(
    await runServer(["--watch", "--workers", "2"]),
    2,
    /--watch cannot be used with --workers/,
  );
  assertFailed(await runClient(["resolve", "x:1", "--watch"]), 2, /--watch go with --connect/);
  assertFailed(await runServer(["watch"]), 2, /watch needs a FILE/);
  assertFailed(await runClient(["watch", "x"]), 2, /say 'server\.ts watch'/);
});
