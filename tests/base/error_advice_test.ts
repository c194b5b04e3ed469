// What errors advise: that depends on what was tried, and on what, and not on the code alone.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ERROR_CODES, type SocketErrorCode, type SocketOp } from "../../lib/base/error_codes.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Addr, TcpAddr, UdpAddr } from "../../lib/base/addr.ts";
import { pair, rejects } from "../support/helpers.ts";
import { python } from "../support/peers.ts";
import { assertFailed, runClient, runServer } from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "advice-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tcp = (port: number): TcpAddr => ({ transport: "tcp", host: "192.0.2.1", port });
const udp: UdpAddr = { transport: "udp", host: "192.0.2.255", port: 9 };
const unix: Addr = { transport: "unix", path: "/run/a.sock" };

test("errors: one code advises by what was tried, and on what kind of socket", () => {
  const cases: [SocketErrorCode, SocketOp, Addr | UdpAddr, says: RegExp, not: RegExp][] = [
    ["EACCES", "listen", tcp(80), /Ports below 1024 are privileged/, /file|broadcast/],
    ["EACCES", "listen", tcp(8080), /needs no privilege.*security policy/, /below 1024/],
    ["EACCES", "connect", tcp(80), /firewall/, /privileged/],
    ["EACCES", "listen", unix, /who may write to the socket file/, /[Pp]ort/],
    ["EACCES", "connect", unix, /who may write to the socket file/, /[Pp]ort/],
    ["EACCES", "send", udp, /broadcast/, /privileged|file/],
    ["EADDRINUSE", "listen", tcp(80), /ss -lxtunp/, /path/],
    ["EADDRINUSE", "listen", unix, /ss -lxp.*another path/, /port/],
    ["EADDRINUSE", "connect", tcp(80), /local address/, /Stop the program/],
    ["EADDRNOTAVAIL", "connect", tcp(80), /no local port is free/, /all\./],
    ["ECONNREFUSED", "connect", tcp(80), /a server is listening there/, /datagrams|file/],
    ["ECONNREFUSED", "receive", udp, /receives datagrams there/, /server is listening/],
    ["ECONNREFUSED", "connect", unix, /start the server again/, /address is right/],
    ["ENOENT", "listen", unix, /Make its folder/, /has started/],
    ["ENOENT", "connect", unix, /server to connect to has started/, /Make its folder/],
    ["ECERT", "acceptTls", tcp(80), /this client/, /right server/],
    ["ETIMEDOUT", "connect", tcp(80), /allow more time/, /client|name/],
    ["ETIMEDOUT", "resolve", tcp(80), /the name server/, /up and answering/],
    ["ETIMEDOUT", "startTls", tcp(80), /the server speaks TLS/, /client/],
    ["ETIMEDOUT", "acceptTls", tcp(80), /the client speaks TLS/, /server/],
    ["ENETUNREACH", "connect", { ...tcp(80), host: "255.255.255.255" }, /broadcast or/, /route/],
    ["ENETUNREACH", "connect", { ...tcp(80), host: "224.0.0.1" }, /multicast/, /route/],
    ["EINVAL", "connect", { ...tcp(80), host: "ff02::1" }, /multicast/, /Correct/],
    ["ENETUNREACH", "connect", tcp(80), /a route/, /multicast/],
  ];
  for (const [code, op, addr, says, not] of cases) {
    const [, next] = new SocketError(code, op, { addr }).message.split(` (${code}). `);
    assert.match(next, says, `${code} ${op} ${next}`);
    assert.doesNotMatch(next, not, `${code} ${op} ${next}`);
    assert.match(next, /^[A-Z].*\.$/);
  }
  const told = new SocketError("EACCES", "listen", { addr: unix, next: "Do so." }).message;
  assert.match(told, / Do so\.$/);
});

test("errors: one without a name says what the runtime says", () => {
  const { message } = new SocketError("EUNKNOWN", "send", {
    cause: new Error("odd (os error 99)"),
  });
  assert.match(message, /an error we have no name for: odd \(os error 99\) \(EUNKNOWN\)/);
  assert.match(new SocketError("EUNKNOWN", "send").message, /no name for \(EUNKNOWN\)/);
});

test("unix: a socket for datagrams at the path is EPROTOTYPE, and says what is there", async () => {
  if (runtime === "Bun") return; // which says ECONNREFUSED to all
  await using peer = await python(`
import os, tempfile
for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    u = socket.socket(socket.AF_UNIX, kind)
    path = os.path.join(tempfile.mkdtemp(), "s")
    u.bind(path)
    say(path)
    sys.stdin.readline()
    os.unlink(path)
    os.rmdir(os.path.dirname(path))
`);
  for (let i = 0; i < 2; i++) {
    const path = await peer.hear();
    const { message } = await rejects(systemTransport.connect({ path }), "EPROTOTYPE");
    assert.match(message, /of another kind: .*\(EPROTOTYPE\)\. Name a socket/);
    assertFailed(await runClient(["connect", "-q", "--unix", path]), 7, /EPROTOTYPE/);
    peer.say("next");
  }
}, ["python3"]);

test("unix: a path with a file or a folder is not 'start the server'", () =>
  inFolder(async (folder) => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    mkdirSync(join(folder, "folder"));
    symlinkSync(file, join(folder, "link"));
    for (const name of ["file", "folder", "link"]) {
      const path = join(folder, name);
      const { message } = await rejects(systemTransport.connect({ path }), "ECONNREFUSED");
      assert.match(message, /what is there is not a socket \(ECONNREFUSED\)\. Name the file that/);
      const listened = await rejects(systemTransport.listen({ path }), "EADDRINUSE");
      assert.match(
        listened.message,
        /not a socket is there \(EADDRINUSE\)\. Choose another path, or move/,
      );
      assert.doesNotMatch(listened.message, /Stop the program/);
      assertFailed(await runServer(["-q", "--unix", path]), 7, /Choose another path, or move that/);
    }
  }));

test(
  "unix: a socket whose server has ended, and a folder that is missing, say so",
  () =>
    inFolder(async (folder) => {
      const path = join(folder, "socket");
      await using peer = await python(`
u = socket.socket(socket.AF_UNIX)
u.bind(${JSON.stringify(path)})
say("bound")
sys.stdin.read()
`);
      assert.equal(await peer.hear(), "bound");
      const { message } = await rejects(systemTransport.connect({ path }), "ECONNREFUSED");
      assert.match(message, /Nobody listens at that file any more/);
      const missing = join(folder, "none", "socket");
      const listened = await rejects(systemTransport.listen({ path: missing }), "ENOENT");
      assert.match(listened.message, /Make its folder first/);
      const connected = await rejects(systemTransport.connect({ path: missing }), "ENOENT");
      assert.match(connected.message, /the server to connect to has started/);
    }),
  ["python3"],
);

test("tcp: what is in use says which programs to look for", async () => {
  using taken = await pair(systemTransport);
  const { message } = await rejects(systemTransport.listen(taken.listener.addr), "EADDRINUSE");
  assert.match(message, /Stop the program that has it \(`ss -lxtunp` shows it\)/);
});

test("errors: every code that a kernel gives for a socket has a name", () => {
  const errnos = ["EACCES", "EPERM", "EPROTOTYPE", "ENETDOWN", "EHOSTDOWN", "ENODEV", "ENOSPC"];
  for (const errno of [...errnos, "EPROTO", "ENOTSOCK", "EADDRINUSE", "ENETUNREACH"]) {
    assert.ok(Object.hasOwn(ERROR_CODES, errno), errno);
  }
});
