// The programs while name servers do not answer, or not for all. In a network namespace: on Node a
// look-up that hangs in a thread would keep the process from ending, for more than a minute here. Those
// that run in turn do so in one process, which such a look-up of any of them would keep from ending.

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { Namespace, testInNamespace } from "../support/namespace.ts";
import { type Program, PYTHON } from "../support/peers.ts";
import { type InTurn, programCommand } from "../support/scripts.ts";

/** What is over at once is over by then, on a machine that is busy with other things. */
const AT_ONCE_MS = 20_000;

/** Waits for what must come at once. */
async function atOnce<T>(work: Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work;
  const took = performance.now() - began;
  assert.ok(took < AT_ONCE_MS, `It took ${took} ms to end`);
  return result;
}

/** Runs command lines of client.ts in turn. They and their process must end at once. */
function clientsEnd(ns: Namespace, lines: readonly (readonly string[])[]) {
  return atOnce(ns.inTurn(lines.map((args) => ["client", ...args])));
}

/** Sends a signal to each script that looks up its name, which must end at once. */
async function signalEach(
  ns: Namespace,
  scripts: InTurn,
  hosts: readonly string[],
  signal: "SIGINT" | "SIGTERM",
) {
  for (const [i, host] of hosts.entries()) {
    await ns.asked(host);
    scripts.program.kill(signal);
    await atOnce(scripts.ended(i + 1));
  }
  return await atOnce(scripts.exits());
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
    const lines = CLIENTS.map((argsFor) => [...argsFor("good.test"), "--connect-timeout", "0.3"]);
    for (const [i, { code, stderr }] of (await clientsEnd(ns, lines)).entries()) {
      assert.equal(code, 28, `${lines[i]}: ${stderr}`);
      assert.match(stderr, /Cannot resolve good\.test/, String(lines[i]));
      assert.match(stderr, /within 0\.3 s \(ETIMEDOUT\)\. Check .* name server/, String(lines[i]));
    }
  },
);

testInNamespace("name servers: while they are silent, Ctrl-C ends a client at once", async () => {
  await using ns = await Namespace.open();
  const hosts = CLIENTS.map((_, i) => `client${i}.test`);
  const lines = CLIENTS.map((argsFor, i) => [...argsFor(hosts[i]), "--connect-timeout", "0"]);
  await using clients = ns.startInTurn(lines.map((args) => ["client", ...args]));
  for (const [i, { code, stderr }] of (await signalEach(ns, clients, hosts, "SIGINT")).entries()) {
    assert.equal(code, 130, `${lines[i]}: ${stderr}`);
  }
});

/** Connects to a port, and waits until the other end closes. */
function peer(ns: Namespace, port: string): Program {
  const program = "import socket, sys\n" +
    'socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(1)';
  return ns.start([...PYTHON, "-c", program, port]);
}

testInNamespace(
  "name servers: while they are silent, SIGTERM ends a relay after its --grace, though it has a client",
  async () => {
    await using ns = await Namespace.open();
    for (const workers of ["0", "1"]) {
      const [target, port] = [`target${workers}.test`, `700${workers}`];
      const relay = ["relay", "--to", `${target}:80`, "--port", port, "--workers", workers]
        .concat("--grace", "0.2");
      await using program = ns.start([...programCommand("server"), ...relay]);
      await program.stdout.until(/^tcp:/);
      await using client = peer(ns, port);
      await ns.asked(target);
      program.kill("SIGTERM");
      const { code, stderr } = await atOnce(program.exit());
      assert.equal(code, 143, stderr);
      assert.match(
        stderr,
        /^stopped after 1 connection, 1 of them reset(; 1 worker, 0 restarts)?$/m,
      );
      await client.exit();
    }
  },
);

testInNamespace(
  "name servers: while they are silent, a server that starts ends at once",
  async () => {
    await using ns = await Namespace.open();
    const servers = [["echo"], ["echo", "--udp"], ["web"], ["chat"], ["echo", "--workers", "1"]];
    const hosts = servers.map((_, i) => `server${i}.test`);
    const lines = servers.map((args, i) => ["server", ...args, "--host", hosts[i]]);
    await using scripts = ns.startInTurn(lines);
    const exits = await signalEach(ns, scripts, hosts, "SIGTERM");
    for (const [i, { code, stderr }] of exits.entries()) {
      assert.equal(code, 143, `${lines[i]}: ${stderr}`);
    }
  },
);

testInNamespace(
  "name servers: when the answer for one family is lost, the other's addresses do",
  async () => {
    for (const [type, address] of [["A", "127.0.0.1"], ["AAAA", "[::1]"]] as const) {
      await using ns = await Namespace.open({ answers: [type] });
      const client = ["client", "echo", "hello", "--host", "good.test", "-v"];
      const [, { code, stderr }] = await atOnce(ns.inTurn([["server", "--host", ""], client]));
      assert.equal(code, 0, stderr);
      assert.ok(stderr.includes(`${address}:10000`), stderr);
    }
  },
);

testInNamespace(
  "name servers: one that is silent before one that answers does not keep the end waiting",
  async () => {
    await using ns = await Namespace.open({ answers: ["A", "AAAA"], deafFirst: true });
    const client = ["resolve", "good.test:80", "--connect-timeout", "15"];
    const command = [...programCommand("client"), ...client];
    await using program = ns.start(command, { pipe: true });
    const { code, stdout, stderr } = await atOnce(program.exit());
    assert.equal(code, 0, stderr);
    assert.match(stdout.toString(), /127\.0\.0\.1:80/);
  },
);

testInNamespace(
  "name servers: names that may be known elsewhere are asked for where the system would ask",
  async () => {
    await using ns = await Namespace.open();
    const names = ["printer.local", "site.localhost", "db", "good.test.", hostname()];
    const lines = names.map((name) => ["connect", `${name}:80`, "--connect-timeout", "0.3"]);
    for (const [i, { code, stderr }] of (await clientsEnd(ns, lines)).entries()) {
      assert.equal(code, 28, `${names[i]}: ${stderr}`);
    }
  },
);

testInNamespace("name servers: localhost, /etc/hosts and addresses need none", async () => {
  await using ns = await Namespace.open();
  const names = ["localhost", "LOCALHOST", "named.test", "NAMED.test"];
  const hosts = [...names, "127.0.0.1", "[::1]", "[fe80::1%lo]", "127.1"];
  const exits = await clientsEnd(ns, hosts.map((host) => ["resolve", `${host}:80`]));
  for (const [i, { code, stderr }] of exits.entries()) {
    assert.equal(code, 0, `${hosts[i]}: ${stderr}`);
  }
});
