// Other people's programs at the other end: ncat, socat, and Python's socket module with the
// tutorial's own programs. Each is the client of our server, and the server of our client.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { freePort, OWN_HOST, randomBytes } from "../support/helpers.ts";
import { Program, runProgram } from "../support/peers.ts";
import { hasIPv6, runClient, startClient, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { easyClient, echoClient, echoServer } from "./tutorial.ts";

const MESSAGE = "This is the message.  It will be repeated.";
const RECEIVED = [
  'received "This is the mess"',
  'received "age.  It will be"',
  'received " repeated."',
];

/** More than the kernels on both sides hold. */
const DATA = Buffer.from(randomBytes(16 * 1024 * 1024));

/** Starts ncat as an echo server. It cannot tell a port that the kernel chose, so we choose. */
async function startNcat(): Promise<[ncat: Program, port: string]> {
  const port = await freePort();
  const args = ["-v", "--listen", OWN_HOST, port, "--keep-open", "--exec", "/bin/cat"];
  const ncat = new Program(["ncat", ...args]);
  await ncat.stderr.until(/Listening on \S+:\d+/);
  return [ncat, port];
}

/** What a program's transcript says it received. */
function received(stderr: string): string[] {
  return stderr.split("\n").filter((line) => line.startsWith("received "));
}

test("ncat talks to our server", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const ncat = ["ncat", "127.0.0.1", String(server.port)];
  for (const data of [Buffer.from(MESSAGE), DATA]) {
    const { code, stdout } = await runProgram(ncat, { stdin: data });
    assert.equal(code, 0);
    assert.ok(stdout.equals(data), `${stdout.length} of ${data.length} bytes came back`);
  }
}, ["ncat"]);

// With --exec, ncat writes to cat without reading from it at the same time: more than their pipes
// hold can block both for ever. And once it reads FIN it closes, whatever cat still has to say.
test("our client talks to ncat", async () => {
  const [ncat, port] = await startNcat();
  await using _ncat = ncat;
  for (const data of [Buffer.from(MESSAGE), DATA.subarray(0, 64 * 1024)]) {
    const at = ["--host", OWN_HOST, "--port", port];
    await using client = startClient([...at, "-q"], { pipe: true });
    client.stdin.write(data);
    await client.stdout.untilLength(data.length);
    client.stdin.end();
    const { code, stdout, stderr } = await client.exit();
    assert.deepEqual([code, stderr], [0, ""]);
    assert.ok(stdout.equals(data));
  }
}, ["ncat"]);

test("socat talks to our server", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  // -t: how long it waits for the echo once all is sent.
  const socat = ["socat", "-t", "30", "-", `TCP:127.0.0.1:${server.port}`];
  for (const data of [Buffer.from(MESSAGE), DATA]) {
    const { code, stdout } = await runProgram(socat, { stdin: data });
    assert.equal(code, 0);
    assert.ok(stdout.equals(data), `${stdout.length} of ${data.length} bytes came back`);
  }
}, ["socat"]);

test("our client talks to socat", async () => {
  const listen = "TCP-LISTEN:0,bind=127.0.0.1,fork";
  await using socat = new Program(["socat", "-dd", "-t", "30", listen, "EXEC:/bin/cat"]);
  const [, port] = await socat.stderr.until(/listening on .*:(\d+)/);
  for (const data of [Buffer.from(MESSAGE), DATA]) {
    const exit = await runClient(["--host", "127.0.0.1", "--port", port, "-q"], { stdin: data });
    assert.deepEqual([exit.code, exit.stderr], [0, ""]);
    assert.ok(exit.stdout.equals(data));
  }
}, ["socat"]);

test("tutorial: its server and client, and ours, receive the same in every pairing", async () => {
  for (const ourServer of [false, true]) {
    for (const ourClient of [false, true]) {
      await using server = ourServer
        ? (await startServer(["--host", "localhost", "-v", "--recv-size", "16"])).program
        : new Program(echoServer("localhost"));
      const [, port] = await server.stdout.until(/(\d+)\n/);
      await server.stderr.until(/waiting for a connection\n/);
      const client = ourClient
        ? await runClient(["--host", "localhost", "--port", port, "-v", "--recv-size", "16"])
        : await runProgram(echoClient("localhost", port));
      await server.stderr.until(/no more data[^]*waiting for a connection\n/);
      const who = `${ourServer ? "our" : "its"} server, ${ourClient ? "our" : "its"} client`;
      assert.equal(client.code, 0, who);
      assert.deepEqual(received(client.stderr), RECEIVED, who);
      assert.deepEqual(received(server.stderr.text), [...RECEIVED, 'received ""'], who);
      // Either server is ready for the next client.
      await runProgram(echoClient("localhost", port));
      await server.stderr.until(/(no more data[^]*){2}waiting for a connection\n/);
    }
  }
}, ["python3"]);

test("tutorial: the easy client's Family, Type and Protocol are those of our client", async () => {
  await using server = await startServer(["--host", "", "--recv-size", "16"]);
  const port = String(server.port);
  for (const host of await hasIPv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
    const easy = await runProgram(easyClient(host, port));
    assert.deepEqual([easy.code, received(easy.stderr)], [0, RECEIVED]);
    const ours = await runClient(["--host", host, "--port", port, "-v"]);
    const constants = (stderr: string) =>
      stderr.match(/^ *(Family|Type|Protocol) *:.*$/gm)?.map((line) => line.trim());
    assert.equal(
      constants(easy.stderr)?.[0],
      `Family  : ${host === "::1" ? "AF_INET6" : "AF_INET"}`,
    );
    assert.deepEqual(constants(ours.stderr), constants(easy.stderr));
  }
}, ["python3"]);

test("tutorial: an explicit address, both ways", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const client = await runProgram(echoClient("127.0.0.1", String(server.port)));
  assert.deepEqual([client.code, received(client.stderr).length > 0], [0, true]);
  await using python = new Program(echoServer("127.0.0.1"));
  const [, port] = await python.stdout.until(/(\d+)\n/);
  await python.stderr.until(/waiting for a connection\n/);
  assert.equal((await runClient(["--host", "127.0.0.1", "--port", port])).code, 0);
}, ["python3"]);

test("tutorial: any address, both ways", async () => {
  await using server = await startServer(["--host", ""]);
  const client = await runProgram(echoClient("127.0.0.1", String(server.port)));
  assert.equal(client.code, 0, client.stderr);
  await using python = new Program(echoServer(""));
  const [, port] = await python.stdout.until(/(\d+)\n/);
  await python.stderr.until(/waiting for a connection\n/);
  assert.equal((await runClient(["--host", "127.0.0.1", "--port", port])).code, 0);
  // Its any address is IPv4's; our client goes on to that one if localhost is ::1 first.
  assert.equal((await runClient(["--host", "localhost", "--port", port])).code, 0);
}, ["python3"]);
