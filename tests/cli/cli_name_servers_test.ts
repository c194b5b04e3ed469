// The programs while name servers do not answer, or not for all. In a network namespace: on Node a
// look-up that hangs in a thread would keep the process from ending, for more than a minute here.

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { Namespace, testInNamespace } from "../support/namespace.ts";
import type { Program } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";

/** What is over at once is over by then, on a machine that is busy with other things. */
const AT_ONCE_MS = 20_000;

function client(ns: Namespace, ...args: string[]): Program {
  return ns.start([...programCommand("client"), ...args], { pipe: true });
}

function server(ns: Namespace, ...args: string[]): Program {
  return ns.start([...programCommand("server"), ...args]);
}

/** Waits for the end of a program, which must come at once. */
async function endsAtOnce(program: Program): Promise<{ code: number | null; stderr: string }> {
  const began = performance.now();
  const exit = await program.exit();
  const took = performance.now() - began;
  assert.ok(took < AT_ONCE_MS, `It took ${took} ms to end`);
  return exit;
}

/** What clients do with a host. */
const CLIENTS: readonly ((host: string) => string[])[] = [
  (host) => ["echo", "hello", "--host", host],
  (host) => ["echo", "hello", "--host", host, "--udp"],
  (host) => ["get", `http://${host}/`],
  (host) => ["connect", `${host}:80`],
  (host) => ["connect", "--udp", `${host}:80`],
  (host) => ["connect", "-z", `${host}:80-90`],
  (host) => ["resolve", `${host}:80`],
  (host) => ["resolve", "--connect", `${host}:80`],
];

testInNamespace(
  "name servers: while they are silent, a client's timeout ends it at once, and names the look-up",
  async () => {
    await using ns = await Namespace.open();
    for (const argsFor of CLIENTS) {
      const args = argsFor("good.test");
      await using program = client(ns, ...args, "--connect-timeout", "0.3");
      const { code, stderr } = await endsAtOnce(program);
      assert.equal(code, 28, `${args}: ${stderr}`);
      assert.match(stderr, /Cannot resolve good\.test/, String(args));
      assert.match(stderr, /within 0\.3 s \(ETIMEDOUT\)\. Check .* name server/, String(args));
    }
  },
);

testInNamespace("name servers: while they are silent, Ctrl-C ends a client at once", async () => {
  await using ns = await Namespace.open();
  for (const [i, argsFor] of CLIENTS.entries()) {
    const host = `client${i}.test`;
    const args = argsFor(host);
    await using program = client(ns, ...args, "--connect-timeout", "0");
    await ns.asked(host);
    program.kill("SIGINT");
    const { code, stderr } = await endsAtOnce(program);
    assert.equal(code, 130, `${args}: ${stderr}`);
  }
});

testInNamespace(
  "name servers: while they are silent, SIGTERM ends a relay at once, though it has a client",
  async () => {
    await using ns = await Namespace.open();
    for (const workers of ["0", "1"]) {
      const [target, port] = [`target${workers}.test`, `700${workers}`];
      const relay = ["relay", "--to", `${target}:80`, "--port", port, "--workers", workers];
      await using program = server(ns, ...relay);
      await program.stdout.until(/^tcp:/);
      await using peer = client(ns, "connect", `127.0.0.1:${port}`);
      await ns.asked(target);
      program.kill("SIGTERM");
      const { code, stderr } = await endsAtOnce(program);
      assert.equal(code, 0, stderr);
      await peer.exit();
    }
  },
);

testInNamespace(
  "name servers: while they are silent, a server that starts ends at once",
  async () => {
    await using ns = await Namespace.open();
    const servers = [["echo"], ["echo", "--udp"], ["web"], ["chat"], ["echo", "--workers", "1"]];
    for (const [i, args] of servers.entries()) {
      const host = `server${i}.test`;
      await using program = server(ns, ...args, "--host", host);
      await ns.asked(host);
      program.kill("SIGTERM");
      const { code, stderr } = await endsAtOnce(program);
      assert.equal(code, 143, `${args}: ${stderr}`);
    }
  },
);

testInNamespace(
  "name servers: when the answer for one family is lost, the other's addresses do",
  async () => {
    for (const [type, address] of [["A", "127.0.0.1"], ["AAAA", "[::1]"]] as const) {
      await using ns = await Namespace.open({ answers: [type] });
      await using echo = server(ns, "--host", "");
      await echo.stdout.until(/^tcp:/);
      const began = performance.now();
      await using program = client(ns, "echo", "hello", "--host", "good.test", "-v");
      const { code, stderr } = await program.exit();
      assert.equal(code, 0, stderr);
      assert.ok(stderr.includes(`${address}:10000`), stderr);
      assert.ok(performance.now() - began < AT_ONCE_MS);
    }
  },
);

testInNamespace(
  "name servers: one that is silent before one that answers does not keep the end waiting",
  async () => {
    await using ns = await Namespace.open({ answers: ["A", "AAAA"], deafFirst: true });
    const began = performance.now();
    await using program = client(ns, "resolve", "good.test:80", "--connect-timeout", "15");
    const { code, stdout, stderr } = await program.exit();
    assert.equal(code, 0, stderr);
    assert.match(stdout.toString(), /127\.0\.0\.1:80/);
    assert.ok(performance.now() - began < AT_ONCE_MS);
  },
);

testInNamespace(
  "name servers: names that may be known elsewhere are asked for where the system would ask",
  async () => {
    await using ns = await Namespace.open();
    for (const name of ["printer.local", "site.localhost", "db", "good.test.", hostname()]) {
      const args = ["connect", `${name}:80`, "--connect-timeout", "0.3"];
      await using program = client(ns, ...args);
      const { code, stderr } = await endsAtOnce(program);
      assert.equal(code, 28, `${name}: ${stderr}`);
    }
  },
);

testInNamespace("name servers: localhost, /etc/hosts and addresses need none", async () => {
  await using ns = await Namespace.open();
  const names = ["localhost", "LOCALHOST", "named.test", "NAMED.test"];
  for (const host of [...names, "127.0.0.1", "[::1]", "[fe80::1%lo]", "127.1"]) {
    await using program = client(ns, "resolve", `${host}:80`);
    const { code, stderr } = await endsAtOnce(program);
    assert.equal(code, 0, `${host}: ${stderr}`);
  }
});
