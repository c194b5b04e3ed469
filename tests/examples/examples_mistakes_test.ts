// The programs in examples/ when something goes wrong that is no mistake of theirs.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { freePort, OWN_HOST } from "../support/helpers.ts";
import { python, runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const CLIENTS = ["echo_client", "easy_client", "web_client"];
const SERVICES = ["chargen", "daytime", "discard", "time"];
const SERVERS = ["echo_server", "hono_site", "reverse_proxy", "web_server", ...SERVICES];

/** Runs an example that fails: its last line tells, as `pattern` says, and no other looks like a stack. */
async function fails(name: string, args: readonly string[], pattern: RegExp): Promise<void> {
  const { code, stderr } = await runProgram([...programCommand(`examples/${name}`), ...args]);
  assert.equal(code, 1, stderr);
  const lines = stderr.trimEnd().split("\n");
  assert.match(lines.at(-1)!, pattern);
  const telling = lines.filter((line) => /^Cannot |^\w+ takes the option /.test(line));
  assert.equal(telling.length, 1, stderr);
  assert.doesNotMatch(stderr, /^\s+at |Uncaught|SocketError/m);
}

/** What a client takes to reach a server. */
const reaching = (name: string, host: string, port: string | number) =>
  name === "web_client" ? [`http://${host}:${port}/`] : [host, String(port)];

test("examples: all programs among them are looked at here", () => {
  const names = readdirSync(new URL("../../examples/", import.meta.url))
    .filter((file) => /\.[jt]s$/.test(file)).map((file) => file.replace(/\..*$/, ""))
    .filter((name) => name !== "explain" && !name.endsWith("_test"));
  assert.deepEqual([...new Set(names)].sort(), [...CLIENTS, ...SERVERS].sort());
});

for (const name of CLIENTS) {
  test(`examples: ${name} tells in one line that no server is there`, async () => {
    const port = await freePort();
    await fails(
      name,
      reaching(name, OWN_HOST, port),
      /^Cannot connect to 127[\d.]+:\d+: .*ECONNREFUSED/,
    );
  });

  if (name === "web_client") continue; // its port is that of a URL
  test(`examples: ${name} tells in one line of a port that is none`, () => {
    return fails(name, ["127.0.0.1", "http"], /port as an integer from 1 to 65535, not NaN/);
  });
}

test(
  "examples: echo_client tells in one line of a reset, and that a server closed early",
  async () => {
    for (
      const [end, pattern] of [["reset(s)", /ECONNRESET/], ["s.close()", /^The server closed/]]
    ) {
      await using peer = await python(`
s, _ = l.accept()
message = b""
while len(message) < 42: message += s.recv(1000)
s.sendall(message[:10])
${end}
`);
      const command = programCommand("examples/echo_client");
      const { host, port } = peer.endpoint;
      const { code, stderr } = await runProgram([...command, host, String(port)]);
      assert.equal(code, 1, stderr);
      assert.match(stderr.trimEnd().split("\n").at(-2)!, pattern as RegExp);
      assert.match(stderr, /\nclosing socket\n$/);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
  },
  ["python3"],
);

for (const name of SERVERS) {
  test(`examples: ${name} tells in one line of a port that is taken, or none`, async () => {
    using listener = await systemTransport.listen({ host: "127.0.0.1" });
    // What it serves comes before its own address.
    const served: Record<string, string> = {
      hono_site: ".",
      web_server: ".",
      reverse_proxy: "http://127.0.0.1:8080",
    };
    const at = name in served ? [served[name], "127.0.0.1"] : ["127.0.0.1"];
    const taken = [...at, String(listener.addr.port)];
    await fails(name, taken, /^Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
    await fails(name, [...at, "65536"], /port as an integer from 0 to 65535, not 65536/);
  });
}

test("examples: web_server tells in one line of a directory that is not there", async () => {
  const command = [...programCommand("examples/web_server"), "no/such/directory"];
  const { code, stderr } = await runProgram(command);
  assert.equal(code, 1);
  assert.match(stderr, /^ENOENT: [^\n]*no\/such\/directory[^\n]*\n$/);
});

for (const name of SERVICES) {
  test(`examples: ${name} tells in one line that only the port of UDP is taken`, async () => {
    using socket = await systemTransport.listenDatagram({ host: "127.0.0.1", port: 0 });
    const taken = ["127.0.0.1", String(socket.addr.port)];
    await fails(name, taken, /^Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  });
}
