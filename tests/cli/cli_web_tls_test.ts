// server.ts web over TLS, and on a Unix socket; curl is its client.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { InProcess } from "../support/in_process.ts";
import { type Exit, runProgram } from "../support/peers.ts";
import { assertFailed, listening, runServer, startWeb } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

function curl(...args: string[]): Promise<Exit> {
  return runProgram(["curl", "--silent", "--show-error", ...args]);
}

/** What curl says of a certificate that nobody vouches for. */
const UNTRUSTED = 60;

test("web: --tls-cert and --tls-key show the certificate", async () => {
  await using files = await makeSite();
  const { cert, key } = await selfSigned(["localhost", "127.0.0.1"]);
  await writeFile(files.path("cert.pem"), cert);
  await writeFile(files.path("key.pem"), key);
  await using site = await makeSite({ "a.txt": "secret" });
  const tls = ["--tls-cert", files.path("cert.pem"), "--tls-key", files.path("key.pem")];
  await using server = await startWeb([...tls, site.root]);
  assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+\/$/);
  const trusting = await curl("--cacert", files.path("cert.pem"), `${server.url}a.txt`);
  assert.deepEqual([trusting.code, trusting.stdout.toString()], [0, "secret"]);
  assert.equal((await curl(`${server.url}a.txt`)).code, UNTRUSTED);
  await server.program.stderr.until(
    /^Cannot accept TLS from 127\.0\.0\.1:\d+: the client does not trust our certificate \(ETLS\)\. /m,
  );
  assert.equal((await server.program.stop()).code, 0);
}, ["curl"]);

test("web: --tls-self-signed makes a certificate, and tells its fingerprint", async () => {
  await using site = await makeSite({ "a.txt": "secret" });
  await using server = await startWeb(["--tls-self-signed", site.root]);
  await server.program.stderr.until(/^SHA-256 of the certificate: ([0-9A-F]{2}:){31}[0-9A-F]{2}$/m);
  const { code, stdout } = await curl("--insecure", `${server.url}a.txt`);
  assert.deepEqual([code, stdout.toString()], [0, "secret"]);
}, ["curl"]);

test("web: --unix listens on a socket file, and removes it", async () => {
  await using folder = await makeSite();
  await using site = await makeSite({ "a.txt": "text" });
  const path = folder.path("web.sock");
  const program = new InProcess("server", ["web", "--unix", path, site.root]);
  await using server = await listening(program, /^(http\+unix:)\S+\n/);
  assert.equal(server.url, `http+unix://${encodeURIComponent(path)}/`);
  const { code, stdout } = await curl("--unix-socket", path, "http://localhost/a.txt");
  assert.deepEqual([code, stdout.toString()], [0, "text"]);
  await server.program.stderr.until(/^unix - - \[.*\] "GET \/a\.txt HTTP\/1\.1" 200 4$/m);
  assert.equal((await server.program.stop()).code, 0);
  assert.ok(!existsSync(path));
}, ["curl"]);

test("web: flags of TLS and Unix sockets that do not go together exit 2", async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [["--tls-cert", "x"], /Option --tls-cert cannot read 'x': there is no such file/],
    [["--tls-key", "x"], /--tls-cert and --tls-key need each other/],
    [["--tls-self-signed", "--tls-cert", "x", "--tls-key", "x"], /exclude each other/],
    [["--tls-cert", "/none", "--tls-key", "/none"], /cannot read '\/none': there is no such file/],
    [["--unix", "x", "--port", "0"], /--unix cannot be used with --port/],
    [["--unix", "x", "--lan"], /--unix cannot be used with/],
    [["--unix", "x", "--tls-self-signed"], /--unix cannot be used with/],
  ];
  for (const [args, message] of wrong) assertFailed(await runServer(["web", ...args]), 2, message);
});
