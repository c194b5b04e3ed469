// server.ts web --workers: files, listings, uploads, users, certificates and the access log are as
// those of one loop.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { bytes, readAll } from "../support/helpers.ts";
import { assertFailed, runServer, startServerProcess } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

const ARGS = ["web", "--host", "127.0.0.1", "--port", "0", "--workers", "2"];

/** Sends a request on a connection of its own; resolves to all that comes back. */
async function ask(port: number, ...lines: readonly string[]): Promise<string> {
  using conn = await systemTransport.connect({ host: "127.0.0.1", port });
  await conn.write(bytes(`${lines.join("\r\n")}\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
  return new TextDecoder().decode(await readAll(conn));
}

const MANY = Array.from({ length: 40 }, (_, i) => i);

test("server web --workers: an upload is there for all, with one ETag, and each request is a whole line of the log", async () => {
  await using site = await makeSite({ "old.txt": "old" });
  await using server = await startServerProcess([...ARGS, "--upload", site.root]);
  const { port, program } = server;
  const put = await ask(port, "PUT /new.txt HTTP/1.1", "Content-Length: 0");
  assert.match(put, /^HTTP\/1\.1 201 /);
  assert.equal(readFileSync(site.root + "/new.txt", "utf8"), "");
  const listings = await Promise.all(
    MANY.map(() => ask(port, "GET / HTTP/1.1", "Accept: application/json")),
  );
  for (const listing of listings) assert.match(listing, /"new\.txt"/);
  // Lines of several requests are written at once, and are longer together than a pipe keeps whole.
  const long = "x".repeat(1500);
  const responses = await Promise.all(
    MANY.map((i) => ask(port, `GET /old.txt?${i}${long} HTTP/1.1`)),
  );
  const tags = new Set(responses.map((response) => /^ETag: (.*)\r$/m.exec(response)?.[1]));
  assert.equal(tags.size, 1);
  const conditional = await Promise.all(
    MANY.map(() => ask(port, "GET /old.txt HTTP/1.1", `If-None-Match: ${[...tags][0]}`)),
  );
  for (const response of conditional) assert.match(response, /^HTTP\/1\.1 304 /);
  const { code, stderr } = await program.stop();
  assert.equal(code, 0);
  const all = 1 + 3 * MANY.length;
  assert.match(stderr, new RegExp(`^stopped after ${all} connections, 0 .*; 2 workers`, "m"));
  const requests = stderr.split("\n").filter((line) => line.includes("HTTP/1.1"));
  assert.equal(requests.length, all);
  for (const line of requests) {
    assert.match(
      line,
      /^127\.0\.0\.1 - - \[[^\]]+\] "(GET|PUT) \/[^" ]* HTTP\/1\.1" [23]\d\d \S+$/,
    );
  }
  for (const i of MANY) assert.ok(stderr.includes(`/old.txt?${i}${long} `), `${i}`);
});

test("server web --workers: SIGHUP has all of them read users and certificates again", async () => {
  await using site = await makeSite({ "a.txt": "text", secret: "me:old" });
  const [first, second] = [await selfSigned(["localhost"]), await selfSigned(["localhost"])];
  const [cert, key] = [site.path("cert.pem"), site.path("key.pem")];
  const install = (pair: typeof first) => {
    writeFileSync(cert, pair.cert);
    writeFileSync(key, pair.key);
  };
  install(first);
  const tls = ["--tls-cert", cert, "--tls-key", key, "--auth", `@${site.path("secret")}`];
  await using server = await startServerProcess([...ARGS, ...tls, site.root]);
  const { port, program } = server;
  const status = async (user: string, { cert: trusted }: typeof first): Promise<string> => {
    const tcp = await systemTransport.connect({ host: "127.0.0.1", port });
    const options = {
      servername: "localhost",
      caCerts: [trusted],
      alpnProtocols: ["h2", "http/1.1"],
    };
    using conn = await systemTransport.startTls(tcp, options);
    assert.equal(conn.tls.alpnProtocol, "http/1.1");
    const authorization = `Authorization: Basic ${btoa(user)}`;
    await conn.write(bytes(`GET /a.txt HTTP/1.0\r\nHost: localhost\r\n${authorization}\r\n\r\n`));
    return new TextDecoder().decode(await readAll(conn)).slice(9, 12);
  };
  assert.equal(await status("me:old", first), "200");
  install(second);
  writeFileSync(site.path("secret"), "me:new");
  program.kill("SIGHUP");
  for (const id of [1, 2]) {
    await program.stderr.until(new RegExp(`^worker ${id}: read again who may see the site$`, "m"));
  }
  await program.stderr.until(/^read again the certificate/m);
  for (let i = 0; i < 6; i++) assert.equal(await status("me:new", second), "200");
  assert.equal(await status("me:old", second), "401");
  assert.equal((await program.stop()).code, 0);
});

test("server web --workers: what does not go with it is refused", async () => {
  const record = ["--record", "/dev/null"];
  assertFailed(
    await runServer(["web", "--workers", "2", ...record]),
    2,
    /cannot be used with --workers/,
  );
  await using site = await makeSite({ secret: "me:old" });
  const threads = ["--worker-kind", "threads", "--auth", `@${site.path("secret")}`];
  assertFailed(await runServer(["web", "--workers", "2", ...threads]), 2, /Threads get no SIGHUP/);
});
