// Where the servers listen: Unix sockets, TLS, and every address, as the flags say.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { InProcess } from "../support/in_process.ts";
import { runProgram } from "../support/peers.ts";
import { assertFailed, listening, runClient, runServer, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Calls `use` with a folder of its own, which is removed afterwards. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "serving-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test(
  "server: --unix listens on a socket file with --unix-mode, and removes it at the end",
  async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "echo.sock");
      const program = new InProcess("server", ["--unix", path, "--unix-mode", "600"]);
      await using server = await listening(program, /^unix:.*\n/);
      assert.equal(server.url, `unix:${path}`);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const ncat = await runProgram(["ncat", "-U", path], { stdin: "through a file" });
      assert.equal(ncat.stdout.toString(), "through a file");
      assert.equal((await server.program.stop()).code, 0);
      assert.throws(() => statSync(path), { code: "ENOENT" });
    });
  },
  ["ncat"],
);

test("server: a socket file that a server listens on is in use, and stays", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "echo.sock");
    await using _server = await listening(
      new InProcess("server", ["--unix", path]),
      /^unix:.*\n/,
    );
    const second = await runServer(["--unix", path, "-q"]);
    assertFailed(second, 7, /Cannot listen on .*echo\.sock: the address is already in use/);
    const ncat = await runProgram(["ncat", "-U", path], { stdin: "still there" });
    assert.equal(ncat.stdout.toString(), "still there");
  });
}, ["ncat"]);

test("server: a path that is too long for a socket is told so", async () => {
  const path = `/tmp/${"x".repeat(120)}`;
  const why = /the path is 125 bytes long, and a socket's has at most 107\. See /;
  for (const command of [["echo"], ["web"], ["chat"], ["relay", "--to", "localhost:1"]]) {
    assertFailed(
      await runServer([...command, "--unix", path]),
      2,
      /^server.ts: Option --unix /,
      why,
    );
  }
  const relay = await runServer(["relay", "--port", "0", "--to", `unix:${path}`]);
  assertFailed(
    relay,
    2,
    /^server.ts: Option --to unix: takes the path of a socket, not '\/tmp/,
    why,
  );
  for (const command of [["echo"], ["connect"], ["get", "http://localhost/"]]) {
    assertFailed(await runClient([...command, "--unix", path]), 2, /: Option --unix takes /, why);
  }
});

test(
  "server: --tls-self-signed tells the fingerprint that openssl sees, and ncat speaks with it",
  async () => {
    await using server = await startServer(["--tls-self-signed"]);
    assert.match(server.url, /^tls:\/\/127\.0\.0\.1:\d+$/);
    const at = `127.0.0.1:${server.port}`;
    const ncat = await runProgram(["ncat", "--ssl", "127.0.0.1", String(server.port)], {
      stdin: "over TLS",
    });
    assert.equal(ncat.stdout.toString(), "over TLS", ncat.stderr);
    const [, told] = await server.program.stderr.until(/SHA-256 of the certificate: (\S+)\n/);
    const shown = await runProgram([
      "sh",
      "-c",
      'openssl s_client -connect "$0" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256',
      at,
    ]);
    assert.match(shown.stdout.toString(), new RegExp(told));
  },
  ["ncat", "openssl"],
);

test("server: --tls-client-ca lets in only who shows a certificate of that issuer", async () => {
  await inFolder(async (folder) => {
    const { cert, key } = await selfSigned(["client"]);
    const [ca, clientKey] = [join(folder, "client.pem"), join(folder, "client.key")];
    writeFileSync(ca, cert);
    writeFileSync(clientKey, key);
    await using server = await startServer(["--tls-self-signed", "--tls-client-ca", ca]);
    const ncat = (...args: string[]) =>
      runProgram(["ncat", "--ssl", ...args, "127.0.0.1", String(server.port)], { stdin: "hello" });
    assert.equal((await ncat()).stdout.toString(), "");
    await server.program.stderr.until(
      /^Cannot accept TLS from 127\.0\.0\.1:\d+: .*\(ECERT\)\. If this client/m,
    );
    const known = await ncat("--ssl-cert", ca, "--ssl-key", clientKey);
    assert.equal(known.stdout.toString(), "hello", known.stderr);
  });
}, ["ncat"]);

test("server: on any address it tells every address it can be reached at", async () => {
  await using server = await startServer(["--host", ""]);
  await server.program.stderr.until(
    new RegExp(`^reachable at tcp://127\\.0\\.0\\.1:${server.port}$`, "m"),
  );
});

for (
  const [args, why] of [
    [["--unix", "/tmp/x.sock", "--port", "5"], /Option --unix cannot be used with --port/],
    [["--unix", "/tmp/x.sock", "--tls-self-signed"], /Option --unix cannot be used with TLS/],
    [["--unix", ""], /Option --unix takes a path, not ''/],
    [["--unix-mode", "600"], /Option --unix-mode needs --unix/],
    [["--unix", "/tmp/x.sock", "--unix-mode", "rw"], /takes permissions in octal/],
    [["--tls-key", "a.pem"], /--tls-cert and --tls-key need each other/],
    [["--tls-key-passphrase-file", "a"], /--tls-key-passphrase-file needs --tls-cert/],
    [["--tls-client-ca", "a.pem"], /Option --tls-client-ca needs --tls-cert/],
    [
      ["--tls-cert", "none.pem", "--tls-key", "none.pem"],
      /Option --tls-cert cannot read 'none.pem': there is no such/,
    ],
  ] as const
) {
  test(`server: '${args.join(" ")}' is a mistake that is explained`, async () => {
    assertFailed(await runServer([...args, "-q"]), 2, why);
  });
}
