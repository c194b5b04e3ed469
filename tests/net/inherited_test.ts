// listen({ fd }): a socket that somebody else has bound, as systemd does for its services.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { mistakes, readAll, rejects } from "../support/helpers.ts";
import { Program, PYTHON } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const CAN = systemTransport.name === "node";

/** Binds a socket in Python, prints its address, and becomes a program that has it as descriptor 3. */
function bound(family: "AF_INET" | "AF_UNIX", address: string): Program {
  const program = `
import os, socket, sys
s = socket.socket(socket.${family})
s.bind(${address})
s.listen()
print(s.getsockname()[1] if s.family == socket.AF_INET else s.getsockname(), flush=True)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execvp(sys.argv[1], sys.argv[1:])
`;
  return new Program([...PYTHON, "-c", program, ...programCommand("tests/net/inherited_server")]);
}

test("listen: a TCP socket that was inherited is listened on", async () => {
  if (!CAN) return;
  await using program = bound("AF_INET", '("127.0.0.1", 0)');
  const [, port] = await program.stdout.until(/^(\d+)\n/);
  const addr = { transport: "tcp", host: "127.0.0.1", port: Number(port) };
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(await readAll(conn))), addr);
  assert.equal((await program.exit()).code, 0);
});

test("listen: a Unix socket that was inherited is listened on, and its file stays", async () => {
  if (!CAN) return;
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const path = join(dir, "socket");
    await using program = bound("AF_UNIX", JSON.stringify(path));
    await program.stdout.until(/\n/);
    using conn = await systemTransport.connect({ path });
    const told = JSON.parse(new TextDecoder().decode(await readAll(conn)));
    assert.deepEqual(told, { transport: "unix", path: "" });
    assert.equal((await program.exit()).code, 0);
    // It is there, and nobody listens: it was the business of who has bound it.
    await rejects(systemTransport.connect({ path }), "ECONNREFUSED");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** Opens what is not a socket to listen on, as descriptors from 10 on, and becomes a program that has it. */
const NO_LISTENERS = `
import fcntl, os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ours = [
    os.open("/etc/passwd", os.O_RDONLY), os.open("/", os.O_RDONLY), os.pipe()[0],
    udp.fileno(), socket.create_connection(server.getsockname()).detach(), datagrams.fileno(),
]
# Some of them may have these numbers.
for index, fd in enumerate([fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in ours]):
    os.dup2(fd, 10 + index)
    os.set_inheritable(10 + index, True)
os.execvp(sys.argv[1], sys.argv[1:])
`;

test(
  "listen: what is no socket to listen on is refused with what it is, and what to pass",
  async () => {
    if (!CAN) return;
    const program = programCommand("tests/net/inherited_refusals");
    await using refusals = new Program([...PYTHON, "-c", NO_LISTENERS, ...program]);
    const { stdout, stderr } = await refusals.exit();
    const unfit =
      "is a socket that cannot accept connections: a UDP socket, say, or a connected one";
    const faults = [
      "is a file, not a socket (ENOTSOCK)",
      "is a folder, not a socket (ENOTSOCK)",
      "is a pipe, not a socket (ENOTSOCK)",
      ...[1, 2, 3].map(() => `${unfit} (EINVAL)`),
    ];
    const messages = faults.map((fault, i) => {
      const fd = `descriptor ${10 + i}`;
      return `Cannot listen on socket: ${fd} ${fault}. ` +
        `Pass a TCP or Unix stream socket that is bound as ${fd}. systemd passes its first one as 3.`;
    });
    assert.deepEqual(JSON.parse(String(stdout)), messages, stderr);
  },
  ["python3"],
);

test("listen: a descriptor that is not open is EINVAL, and what is not a number of one a RangeError", async () => {
  if (!CAN) return;
  await rejects(systemTransport.listen({ fd: 100_000 }), "EINVAL");
  for (const fd of [-1, 1.5, NaN]) {
    await mistakes("RangeError", /fd as an integer from 0/, systemTransport.listen({ fd }));
  }
});

test("listen: an inherited socket is ENOTSUP on Deno and in memory", async () => {
  await rejects(new MemoryTransport().listen({ fd: 3 }), "ENOTSUP");
  if (!CAN) await rejects(systemTransport.listen({ fd: 3 }), "ENOTSUP");
});
