// The small services of examples/, over TCP and UDP, with clients of others.

import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { until } from "../support/helpers.ts";
import { hasTakenAll } from "../support/kernel.ts";
import { Program, python, runProgram } from "../support/peers.ts";
import { startService } from "../support/scripts.ts";
import { afterAll, beforeAll, test } from "../support/runner.deno.ts";

/** The services, which serve all tests. */
const services = new Map<string, Awaited<ReturnType<typeof startService>>>();

beforeAll(async () => {
  for (const name of ["discard", "daytime", "time", "chargen"]) {
    services.set(name, await startService(name));
  }
});

afterAll(async () => {
  for (const { service } of services.values()) await service[Symbol.asyncDispose]();
});

/** The port of a service. */
const portOf = (name: string): string => services.get(name)!.port;

/** What ncat prints that is connected to the service over TCP, until that closes. */
async function overTcp(port: string): Promise<Buffer> {
  const { code, stdout, stderr } = await runProgram(["ncat", "--recv-only", "127.0.0.1", port]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** What ncat prints when it has sent a line over UDP, once it matches. */
async function overUdp(port: string, pattern: RegExp): Promise<void> {
  await using ncat = new Program(["ncat", "-u", "127.0.0.1", port], { pipe: true });
  ncat.stdin.write("?\n");
  await ncat.stdout.until(pattern);
}

test(
  "examples: discard takes a megabyte over TCP and datagrams over UDP, and answers nothing",
  async () => {
    const port = portOf("discard");
    const ncat = ["ncat", "127.0.0.1", port];
    const { code, stdout } = await runProgram(ncat, { stdin: "x".repeat(1024 * 1024) });
    assert.deepEqual([code, stdout.length], [0, 0]);
    await using peer = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("127.0.0.1", ${port}))
for size in (0, 1, 65507): u.send(b"x" * size)
say("sent")
sys.stdin.readline()
try: u.recv(1, socket.MSG_DONTWAIT); say("an answer")
except BlockingIOError: say("silence")
`);
    assert.equal(await peer.hear(), "sent");
    await until(
      () => hasTakenAll({ host: "127.0.0.1", port: Number(port) }),
      "the service to take the datagrams",
    );
    // What it does next comes behind what it would have answered.
    assert.equal((await runProgram(ncat, { stdin: "?" })).code, 0);
    peer.say("look");
    assert.equal(await peer.hear(), "silence");
  },
  ["ncat", "python3"],
);

test("examples: daytime says the date and time to ncat, over TCP and UDP", async () => {
  const port = portOf("daytime");
  const line = /^[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} \d\d:\d\d:\d\d-UTC\r\n$/;
  const since = Date.now();
  const said = (await overTcp(port)).toString();
  assert.match(said, line);
  const time = Date.parse(said.trim().replace("-UTC", " UTC").replace(/^\w+, /, ""));
  assert.ok(time > since - 1000 && time <= Date.now(), said);
  await overUdp(port, line);
}, ["ncat"]);

test("examples: time says the seconds since 1900 to python, over TCP and UDP", async () => {
  const port = portOf("time");
  await using peer = await python(`
import time
expected = int(time.time()) + 2208988800
def difference(data): return abs(struct.unpack(">I", data)[0] - expected) if len(data) == 4 else data
t = socket.create_connection(("127.0.0.1", ${port}))
say(difference(t.recv(5)))
say(t.recv(1))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("127.0.0.1", ${port}))
u.send(b"")
say(difference(u.recv(5)))
`);
  assert.ok(Number(await peer.hear()) < 60);
  assert.equal(await peer.hear(), "b''");
  assert.ok(Number(await peer.hear()) < 60);
}, ["python3"]);

test(
  "examples: chargen turns its characters, waits for slow clients, and ends with each",
  async () => {
    const port = portOf("chargen");
    await using slow = await python(`
t = socket.create_connection(("127.0.0.1", ${port}))
t.sendall(b"thrown away")
say(t.recv(1))
sys.stdin.readline()
data = b""
while len(data) < 8000000: data += t.recv(65536)
lines = data.split(b"\\r\\n")[:-1]
say(all(len(line) == 72 for line in lines[1:]) and lines[1][1:] == lines[2][:-1])
t.close()
`);
    assert.equal(await slow.hear(), "b' '");
    // While one does not read, another is served; head closes after a few lines, and that is all.
    const head = await runProgram(["sh", "-c", `ncat 127.0.0.1 ${port} < /dev/null | head -n 96`]);
    const lines = head.stdout.toString().split("\r\n");
    assert.ok(lines[0].startsWith(" !\"#$%&'()*+,-./0123"));
    assert.equal(lines[1], lines[0].slice(1) + "h");
    assert.equal(lines[95], lines[0]);
    slow.say("now read");
    assert.equal(await slow.hear(), "True");
    await using udp = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("127.0.0.1", ${port}))
sizes = []
for _ in range(50):
    u.send(b"?")
    sizes.append(len(u.recv(65535)))
say(max(sizes) <= 512 and len(set(sizes)) > 1)
`);
    assert.equal(await udp.hear(), "True");
  },
  ["ncat", "python3"],
);

/** The services that answer datagrams. */
const ANSWERING = ["daytime", "time", "chargen"];

test("examples: a service does not answer its own port on another address", async () => {
  await using peer = await python(`
for port in (${ANSWERING.map(portOf)}):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind(("127.0.0.2", port))
    u.sendto(b"?", ("127.0.0.1", port))
    v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    v.sendto(b"?", ("127.0.0.1", port))
    v.recv(65535)
    u.setblocking(False)
    try: u.recv(65535); say("an answer")
    except BlockingIOError: say("nothing")
`);
  for (const name of ANSWERING) assert.equal(await peer.hear(), "nothing", name);
}, ["python3"]);

test("examples: a service does not answer another one's port", async () => {
  await using peer = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: u.bind(("127.0.0.1", 1019))
except PermissionError: u = None
for port in (${ANSWERING.map(portOf)}):
    if u is None: say("nothing"); continue
    u.sendto(b"?", ("127.0.0.1", port))
    v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    v.sendto(b"?", ("127.0.0.1", port))
    v.recv(65535)
    try: u.recv(65535, socket.MSG_DONTWAIT); say("an answer")
    except BlockingIOError: say("nothing")
`);
  for (const name of ANSWERING) assert.equal(await peer.hear(), "nothing", name);
}, ["python3"]);
