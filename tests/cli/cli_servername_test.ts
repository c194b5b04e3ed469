// --servername: the certificate of a server is for another name than the one that is connected to.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { freshPath } from "../contract/networks.ts";
import { bytes, readText } from "../support/helpers.ts";
import { assertFailed, runClient, runServer, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const NAME = "inner.example";
const own = await selfSigned([NAME]);
const file = freshPath();
writeFileSync(file, own.cert + own.key);

/** A server on 127.0.0.1 whose certificate is for another name. */
const start = () => startServer(["--host", "127.0.0.1", "--tls-cert", file, "-q"]);

const TRUST = ["--cacert", file];

test("client echo: --servername is the name that the certificate must have", async () => {
  await using server = await start();
  const args = ["echo", "hello", "--host", "127.0.0.1", "--port", String(server.port), "--tls"];
  const exit = await runClient([...args, ...TRUST, "--servername", NAME]);
  assert.deepEqual([exit.code, exit.stdout.toString()], [0, "hello"], exit.stderr);
  const other = await runClient([...args, ...TRUST]);
  assertFailed(other, 60, /ECERT.*say that name as `servername` \(`--servername` of/);
});

test("client connect: --servername is the name that the certificate must have, with -z, too", async () => {
  await using server = await start();
  const args = ["connect", `127.0.0.1:${server.port}`, "--tls", ...TRUST];
  const exit = await runClient([...args, "--servername", NAME], { stdin: "hello" });
  assert.deepEqual([exit.code, exit.stdout.toString()], [0, "hello"], exit.stderr);
  assert.equal((await runClient(args, { stdin: "hello" })).code, 60);
  assert.equal((await runClient([...args, "-z", "--servername", NAME])).code, 0);
});

test("server relay: --servername is whom the certificate of the target must be for", async () => {
  await using server = await start();
  const to = ["--to", `tls:127.0.0.1:${server.port}`, ...TRUST, "--servername", NAME];
  await using relay = await startServer(["relay", "--host", "127.0.0.1", ...to]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
  await conn.write(bytes("hello"));
  assert.equal(await readText(conn, 5), "hello");
});

test("--servername: where it means nothing, and what is no name, is explained", async () => {
  const client: [args: string[], why: RegExp][] = [
    [["echo", "--servername", NAME], /Option --servername needs --tls/],
    [["connect", "localhost:1", "--servername", NAME], /Option --servername needs --tls/],
    [
      ["echo", "--tls", "--servername", ""],
      /--servername takes a name or an address alone, not ''/,
    ],
    [["echo", "--tls", "--servername", "a:443"], /--servername takes a name or .*, not 'a:443'/],
    [["echo", "--tls", "--servername", "https://a/"], /--servername takes a name or .*alone/],
  ];
  for (const [args, why] of client) assertFailed(await runClient([...args, "-q"]), 2, why);
  const relay = ["relay", "--to", "localhost:1", "--servername", NAME, "-q"];
  assertFailed(await runServer(relay), 2, /Option --servername is for a target with TLS/);
});
