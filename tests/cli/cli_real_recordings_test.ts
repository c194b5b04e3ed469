// Conversations of programs of others, recorded through the relay, and replayed to either of them.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, OWN_HOST } from "../support/helpers.ts";
import { startNginx } from "../support/nginx.ts";
import { type Exit, Program, PYTHON, python, runProgram } from "../support/peers.ts";
import { runClient, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** A conversation between programs of others. */
interface Conversation {
  /** Where the server listens: HOST:PORT. */
  readonly target: string;
  /** Runs the client against a server on this port of 127.0.0.1. */
  readonly client: (port: number) => Promise<Exit>;
  /** What `replay` takes, besides the file. */
  readonly options?: readonly string[];
}

/**
 * Records what the client says to the server, and asserts that each of them is content with the
 * recording instead of the other. Returns what the client printed when it spoke to the server.
 */
async function recordAndReplay(
  { target, client, options = [] }: Conversation,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const file = join(folder, "x.jsonl");
    const own = ["--host", "127.0.0.1"];
    await using relay = await startServer(["relay", "--to", target, ...own, "--record", file]);
    const real = await client(relay.port);
    assert.equal(real.code, 0, real.stderr);
    await relay.program.stop();

    await using player = await startServer(["replay", file, ...own, ...options]);
    const played = await client(player.port);
    assert.deepEqual([played.code, String(played.stdout)], [0, String(real.stdout)], played.stderr);
    const { code, stderr } = await player.program.exit();
    assert.equal(code, 0, stderr);

    const asClient = await runClient(["replay", file, "--to", target, ...options]);
    assert.equal(asClient.code, 0, asClient.stderr);
    return String(real.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("real recordings: curl and nginx", async () => {
  await using nginx = await startNginx(1);
  const printed = await recordAndReplay({
    target: new URL(nginx.url).host,
    client: (port) => {
      const url = `http://127.0.0.1:${port}/own`;
      // Two requests on one connection.
      return runProgram(["curl", "-sSi", "--fail", `${url}/a`, `${url}/b`]);
    },
    // The ports differ, and nginx says what time it is.
    options: ["--match", "http", "--ignore-field", "host,date"],
  });
  assert.equal(printed.match(/^Server: nginx/gm)?.length, 2);
  assert.match(printed, /nginx has \/own\/a\n[^]*nginx has \/own\/b\n$/);
}, ["curl", "nginx"]);

/** Starts a redis that keeps nothing. It cannot tell which port it got. */
async function startRedis(): Promise<[redis: Program, port: string]> {
  const port = await freePort();
  const at = ["--bind", OWN_HOST, "--port", port];
  const redis = new Program(["redis-server", ...at, "--save", "", "--appendonly", "no"]);
  await redis.stdout.until(/Ready to accept connections/);
  return [redis, port];
}

test("real recordings: redis-cli and redis, with binary data", async () => {
  const [redis, port] = await startRedis();
  await using _redis = redis;
  // With commands on stdin it would first ask for the names of all commands, in no fixed order.
  const script = `
redis="redis-cli -h 127.0.0.1 -p $1 --no-raw"
$redis FLUSHALL && printf 'hel\\377\\000lo' | $redis -x SET greeting && $redis GET greeting &&
  $redis APPEND greeting ! && $redis LRANGE missing 0 -1 && $redis NOSUCHCOMMAND`;
  const printed = await recordAndReplay({
    target: `${OWN_HOST}:${port}`,
    client: (port) => runProgram(["sh", "-c", script, "sh", String(port)]),
  });
  assert.match(printed, /OK\nOK\n"hel\\xff\\x00lo"\n\(integer\) 8\n\(empty array\)\n\(error\) ERR/);
}, ["redis-cli", "redis-server"]);

/** An SMTP server for one message after the other, which it does not keep. */
const SMTP_SERVER = `
import socketserver
class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda text: self.wfile.write(text.encode() + b"\\r\\n")
        say("220 mail.example ESMTP")
        for line in self.rfile:
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                say("250-mail.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250 SIZE 1000000")
            elif verb == b"DATA":
                say("354 go on")
                while self.rfile.readline() != b".\\r\\n":
                    pass
                say("250 taken")
            elif verb == b"QUIT":
                return say("221 bye")
            else:
                say("250 ok")
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
server = Server(l.getsockname(), Mail, bind_and_activate=False)
server.socket.close()
server.socket = l
server.serve_forever()
`;

const SMTP_CLIENT = `
import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example") as mail:
    print(mail.ehlo()[1].decode())
    refused = mail.sendmail(
        "me@client.example",
        ["you@mail.example", "they@mail.example"],
        "Subject: hello\\r\\n\\r\\n.a line that begins with a dot\\r\\n\\u00fcber\\r\\n".encode(),
    )
    print("refused", refused)
`;

test("real recordings: Python's smtplib and a server that speaks first", async () => {
  await using server = await python(SMTP_SERVER);
  const { host, port } = server.endpoint;
  const printed = await recordAndReplay({
    target: `${host}:${port}`,
    client: (port) => runProgram([...PYTHON, "-c", SMTP_CLIENT, String(port)]),
  });
  assert.match(printed, /PIPELINING[^]*refused \{\}/);
}, ["python3"]);

test("real recordings: ncat, and a server that sends a banner and ends", async () => {
  await using server = await python(`
while True:
    s, _ = l.accept()
    s.sendall(b"SSH-2.0-banner\\r\\n" + bytes(range(256)))
    s.close()
`);
  const { host, port } = server.endpoint;
  const printed = await recordAndReplay({
    target: `${host}:${port}`,
    client: (port) => runProgram(["ncat", "--recv-only", "127.0.0.1", String(port)]),
  });
  assert.match(printed, /^SSH-2\.0-banner\r\n/);
}, ["ncat", "python3"]);
