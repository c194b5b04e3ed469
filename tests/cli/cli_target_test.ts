// The echo client over TLS and Unix sockets: against our server, and against other people's.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { InProcess } from "../support/in_process.ts";
import { Program } from "../support/peers.ts";
import { assertFailed, listening, runClient, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** A folder with certificates, which is removed afterwards. */
interface Folder extends Disposable {
  /** The path of a file in it. */
  path(name: string): string;
}

/** `server.pem` and `server.key` are for localhost, `client.pem` and `client.key` for a client. */
async function certificates(): Promise<Folder> {
  const folder = mkdtempSync(join(tmpdir(), "target-"));
  const path = (name: string) => join(folder, name);
  for (const [name, host] of [["server", "localhost"], ["client", "somebody"]] as const) {
    const { cert, key } = await selfSigned([host]);
    writeFileSync(path(`${name}.pem`), cert);
    writeFileSync(path(`${name}.key`), key);
  }
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

test("client: --tls trusts the certificate that --cacert names, and -v shows it", async () => {
  using files = await certificates();
  const [cert, key] = [files.path("server.pem"), files.path("server.key")];
  await using server = await startServer(["--tls-cert", cert, "--tls-key", key]);
  const port = ["--port", String(server.port)];
  const shown = await runClient(["echo", "secret", ...port, "--tls", "--cacert", cert, "-v"]);
  assert.deepEqual([shown.code, shown.stdout.toString()], [0, "secret"], shown.stderr);
  assert.match(
    shown.stderr,
    /^shook hands: TLSv1\.3\ncertificate of the peer:\n {2}Subject : CN=localhost\n {2}For {5}: DNS:localhost\n {2}Issuer {2}: CN=localhost\n {2}Until {3}: .*\n {2}SHA-256 : ([0-9A-F]{2}:){31}[0-9A-F]{2}$/m,
  );
  const json = await runClient(["echo", ...port, "--tls", "--cacert", cert, "-v", "--log", "json"]);
  const events = json.stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  const handshake = events.find(({ event }) => event === "handshake");
  assert.equal(handshake.peerCertificate.subject, "CN=localhost");

  assertFailed(await runClient(["echo", ...port, "--tls"]), 60, /certificate.*self-signed/);
  assertFailed(
    await runClient(["echo", ...port, "--host", "127.0.0.1", "--tls", "--cacert", cert]),
    60,
    /certificate/,
  );
  assert.equal((await runClient(["echo", ...port, "--tls", "--insecure", "-q"])).code, 0);
});

test("client: --tls to a server that does not speak it exits 35", async () => {
  await using server = await startServer();
  const exit = await runClient(["echo", "--port", String(server.port), "--tls"]);
  assertFailed(exit, 35, /^client\.ts: Cannot start TLS with .*\(ETLS\)/);
});

test("client: --cert and --key are shown to a server that asks for them", async () => {
  using files = await certificates();
  const ca = files.path("client.pem");
  await using server = await startServer(["--tls-self-signed", "--tls-client-ca", ca]);
  const args = ["echo", "it is me", "--port", String(server.port), "--tls", "--insecure", "-q"];
  const own = ["--cert", ca, "--key", files.path("client.key")];
  const known = await runClient([...args, ...own]);
  assert.deepEqual([known.code, known.stdout.toString()], [0, "it is me"], known.stderr);
  const stranger = await runClient(args);
  assert.notEqual(stranger.code, 0);
  assert.equal(stranger.stdout.toString(), "");
});

test("client: --tls to socat's OPENSSL-LISTEN", async () => {
  using files = await certificates();
  const [cert, key] = [files.path("server.pem"), files.path("server.key")];
  const listen = `OPENSSL-LISTEN:0,bind=127.0.0.1,cert=${cert},key=${key},verify=0`;
  await using socat = new Program(["socat", "-d", "-d", listen, "PIPE"]);
  const [, port] = await socat.stderr.until(/listening on .*:(\d+)/);
  const exit = await runClient(["echo", "hello", "--port", port, "--tls", "--cacert", cert, "-q"]);
  assert.deepEqual([exit.code, exit.stdout.toString()], [0, "hello"], exit.stderr);
}, ["socat"]);

test("client: --unix talks to our server, and to socat", async () => {
  using files = await certificates();
  const ours = files.path("ours.sock");
  await using _server = await listening(new InProcess("server", ["--unix", ours]), /^unix:.*\n/);
  const exit = await runClient(["echo", "through a file", "--unix", ours, "-v"]);
  assert.deepEqual([exit.code, exit.stdout.toString()], [0, "through a file"], exit.stderr);
  assert.match(exit.stderr, new RegExp(`^connecting to ${ours}\n`));

  const theirs = files.path("theirs.sock");
  await using socat = new Program(["socat", "-d", "-d", `UNIX-LISTEN:${theirs}`, "PIPE"]);
  await socat.stderr.until(/listening on/);
  const other = await runClient(["echo", "hello, socat", "--unix", theirs, "-q"]);
  assert.deepEqual([other.code, other.stdout.toString()], [0, "hello, socat"], other.stderr);
}, ["socat"]);

for (
  const [args, code, why] of [
    [["--unix", "/tmp/none.sock"], 7, /there is no such file or folder/],
    [["--unix", "/tmp/x.sock", "--port", "5"], 2, /--unix and --port exclude each other/],
    [["--unix", "/tmp/x.sock", "--tls"], 2, /--unix and --tls exclude each other/],
    [["--unix", ""], 2, /Option --unix takes a path, not ''/],
    [["--tls", "--cacert", "deno.json"], 2, /there is no certificate \(PEM\) in 'deno.json'/],
    [["--cacert", "x.pem"], 2, /Option --cacert needs --tls/],
    [["--tls", "--cacert", "none.pem"], 2, /Option --cacert cannot read 'none.pem'/],
    [["--tls", "--key", "x.pem"], 2, /--cert and --key need each other/],
    [["--tls", "--udp"], 2, /Option --udp cannot be used with --tls and --unix/],
  ] as const
) {
  test(`client: 'echo ${args.join(" ")}' is explained`, async () => {
    assertFailed(await runClient(["echo", ...args, "-q"]), code, why);
  });
}
