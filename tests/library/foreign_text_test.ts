// What others have written, wherever the programs show it: peers, certificates, file names, and what
// stands on the command line. No terminal is steered by it, and no line of a log is forged.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Writable } from "node:stream";
import type { Io } from "../../lib/cli/io/io.ts";
import { processIo } from "../../lib/cli/io/io.ts";
import { Log, type LogFormat } from "../../lib/cli/io/log.ts";
import { progressLine } from "../../lib/cli/commands/get/progress.ts";
import { clientTranscript } from "../../lib/cli/io/transcript.ts";
import { dial } from "../../lib/dial.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { escapeAscii, escapeText, isSafeText, safeJson } from "../../lib/base/escape.ts";
import { RequestError } from "../../lib/http/client/errors.ts";
import { warn } from "../../lib/serve/server.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Listener } from "../../lib/net/transport.ts";
import { bytes, OWN_HOST } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { runClient, runServer, startClient, startServer, startWeb } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** One of each kind, spelled out once more: what is tested does not say what is right. */
const HOSTILE = [
  ...["\x1b[2J", "\x00", "\x07", "\b", "\t", "\n", "\r", "\x7f", "\x80", "\x9b31m", "\x9d"],
  ...["\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"],
  ...["\u2028", "\u2029", "\ufeff"],
];
const LONE = ["\ud800", "\udfff"];
/** All of them, and a line that is to look like one of ours. */
const EVIL = `${HOSTILE.join("a")}\nFORGED`;
/** Of those what fits into a byte, as HTTP's fields have it; a tab may stand in them. */
const EVIL_BYTES = Buffer.from("\x80\x85\x8d\x9b31m\x9d\xc2\x9b\xe2\x80\xae", "latin1");

const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** Asserts that a terminal can show it: only the ends of lines may be control characters. */
function assertSafe(output: string | Uint8Array, where = ""): void {
  const text = typeof output === "string" ? output : Buffer.from(output).toString();
  const at = text.search(UNSAFE);
  assert.equal(at, -1, `${where}: ${JSON.stringify(text.slice(Math.max(0, at - 40), at + 20))}`);
  assert.doesNotMatch(text, /^FORGED/m, where);
  assert.ok(!/\p{Cs}/u.test(text), where);
}

function randomText(): string {
  const pick = [...HOSTILE, ...LONE, "a", "é", '"', "\\", "日", "👨‍👩‍👧", "~", " "];
  return Array.from(
    { length: 20 },
    () =>
      randomInt(2) === 0 ? pick[randomInt(pick.length)] : String.fromCharCode(randomInt(0x10000)),
  ).join("");
}

test("escapeText: what comes out is safe, and what was safe is as it was", () => {
  for (let i = 0; i < 2000; i++) {
    const text = randomText();
    const escaped = escapeText(text);
    assertSafe(escaped);
    assert.doesNotMatch(escaped, /[\t\n]/);
    assert.equal(isSafeText(text), escaped === text);
    assert.equal(escapeText(escaped), escaped);
    assert.match(escapeAscii(text), /^[\x20-\x7e]*$/);
  }
  assert.equal(
    escapeText("\x1b[31m\n\x9b\u202e\ud800é👨‍👩‍👧"),
    // Not with String.raw, in which Bun escapes what is not ASCII.
    "\\x1b[31m\\x0a\\x9b\\u{202e}\\u{d800}é👨‍👩‍👧",
  );
  assert.equal(escapeAscii('"\\é\n'), String.raw`\"\\\xc3\xa9\x0a`);
});

test("safeJson: the same value, in safe characters", () => {
  for (let i = 0; i < 2000; i++) {
    const value = { [randomText()]: randomText(), list: [randomText()] };
    const json = safeJson(value);
    assertSafe(json);
    assert.doesNotMatch(json, /[\t\n]/);
    assert.deepEqual(JSON.parse(json), value);
  }
});

/** Makes a log, and returns it with what it has written. */
function logOf(format: LogFormat): { log: Log; text: () => string } {
  const written: Buffer[] = [];
  const stderr = new Writable({
    write: (chunk, _encoding, done) => (written.push(chunk), done()),
  });
  const io: Io = { ...processIo, stdout: stderr, stderr, env: {} };
  return {
    log: new Log(io, { verbose: true, quiet: false, log: format }),
    text: () => Buffer.concat(written).toString(),
  };
}

for (const format of ["text", "json"] as const) {
  test(`log: ${format} of anything is safe, whichever way it comes in`, () => {
    for (const evil of [...HOSTILE, ...LONE, EVIL]) {
      const { log, text } = logOf(format);
      const sink = log.sink(clientTranscript());
      const lineEnds = () => text().split("\n").length - 1;
      log.note(evil);
      log.error(`Cannot: ${evil}`);
      log.event(evil, { event: evil });
      log.report([evil], { event: "x", evil: [evil] });
      sink({ time: 0, type: "recv", socket: 1, data: bytes(evil) });
      assert.equal(lineEnds(), 5, text());
      log.mistake(new Error(evil), "GET /: ");
      log.mistake(evil);
      const peerCertificate = {
        subject: `CN=${evil}`,
        subjectAltName: evil,
        issuer: evil,
        validFrom: evil,
        validTo: evil,
        fingerprint256: evil,
        raw: new Uint8Array(),
      };
      const protocol = evil;
      sink({
        time: 0,
        type: "handshake",
        socket: 1,
        protocol,
        alpnProtocol: evil,
        peerCertificate,
      });
      assertSafe(text(), JSON.stringify(evil));
    }
  });
}

test("errors: their messages are one safe line, whatever they quote", () => {
  for (const evil of [...HOSTILE, ...LONE, EVIL]) {
    const path = `/tmp/${evil}`;
    const errors = [
      new SocketError("ECERT", "startTls", { why: `its name is ${evil}` }),
      new SocketError("ENOENT", "connect", { addr: { transport: "unix", path } }),
      new SocketError("ENOTFOUND", "resolve", { addr: { host: evil, port: 1 } }),
      new RequestError("BAD_REDIRECT", `http://${evil}/`, `Location is ${evil}`),
    ];
    for (const { message } of errors) {
      assertSafe(message);
      assert.doesNotMatch(message, /[\t\n]/);
    }
  }
});

test("warnings: what a handler was asked for, and what it threw, is safe", () => {
  const { emitWarning } = process;
  const warnings: (Error & { detail?: string })[] = [];
  process.emitWarning = ((warning: Error) => warnings.push(warning)) as typeof emitWarning;
  try {
    for (const evil of [...HOSTILE, EVIL]) warn(new Error(`thrown: ${evil}`), `for ${evil}`);
  } finally {
    process.emitWarning = emitWarning;
  }
  for (const { message, detail } of warnings) {
    assertSafe(message);
    assertSafe(detail!.replaceAll("\nFORGED", ""));
  }
});

test("get: what a broken or evil server says reaches no terminal as it is", async () => {
  const evil = EVIL_BYTES.toString("latin1");
  const responses = [
    `HTTP/1.1 500 ${evil}\r\nServer: ${evil}\r\nContent-Length: 0\r\n\r\n`,
    `HTTP/1.1 302 ${evil}\r\nLocation: ftp://${evil}\r\nContent-Length: 0\r\n\r\n`,
    `HTTP/1.1 302 Found\r\nLocation: //${evil}:99999/\r\nContent-Length: 0\r\n\r\n`,
    `HTTP/1.1 200 OK\r\nContent-Encoding: ${evil}\r\nContent-Length: 1\r\n\r\nx`,
    `HTTP/1.1 200 OK\r\nContent-Length: ${evil}\r\n\r\nx`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${evil}\r\n\r\nx`,
    `HTTP/1.1 ${evil}\r\n\r\n`,
    `${evil} 200 OK\r\n\r\n`,
    `HTTP/1.1 200 OK\r\n${evil}: x\r\n\r\n`,
    `HTTP/1.1 200 OK\r\nX: \x1b[2J\r\n\r\n`,
    "\x1b[2J\x1b]0;FORGED\x07\r\n\r\n",
  ];
  for (const response of responses) {
    for (const more of [["-v"], ["-v", "--log", "json"], ["--compressed", "--retry", "1"], []]) {
      using listener = await systemTransport.listen({ host: "127.0.0.1" });
      const served = answerAll(listener, Buffer.from(response, "latin1"));
      const url = `http://127.0.0.1:${listener.addr.port}/`;
      await using client = startClient(["get", ...more, url]);
      const { stderr } = await Promise.race([
        client.exit(),
        // Some of them may pass, and then it waits to try once more: that is enough to see.
        client.stderr.until(/Trying again/).then(() => client.stop()),
      ]);
      assertSafe(stderr, JSON.stringify([response, more]));
      listener.close();
      await served;
    }
  }
});

/** Gives everybody the same answer. */
async function answerAll(listener: Listener, answer: Uint8Array): Promise<void> {
  for (;;) {
    try {
      using conn = await listener.accept();
      await conn.read(new Uint8Array(65536));
      await conn.write(answer);
      await conn.closeWrite();
      while (await conn.read(new Uint8Array(65536)) !== null);
    } catch (error) {
      if ((error as SocketError).code === "ECLOSED") return;
      if ((error as SocketError).code !== "ECONNRESET") throw error;
    }
  }
}

test("get -I and -i: a head is shown safely on a terminal, and as it is elsewhere", async () => {
  const head = Buffer.concat([
    Buffer.from("HTTP/1.1 200 OK\r\nX: "),
    EVIL_BYTES,
    Buffer.from("\r\nContent-Length: 0\r\n\r\n"),
  ]);
  for (const option of ["-I", "-i"]) {
    using listener = await systemTransport.listen({ host: "127.0.0.1" });
    const served = answerAll(listener, head);
    const args = ["get", option, `http://127.0.0.1:${listener.addr.port}/`];
    const { stdout: shown } = await runClient(args, { terminal: "both" });
    assertSafe(shown.toString("latin1").replaceAll("\r\n", "\n"), option);
    assert.deepEqual((await runClient(args)).stdout, head, option);
    listener.close();
    await served;
  }
});

test("get: the line of progress has a safe name", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const served = answerAll(listener, bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
  const folder = mkdtempSync(join(tmpdir(), "foreign-"));
  try {
    const file = join(folder, "\x1b[2J\x9b\u202eb.txt");
    const url = `http://127.0.0.1:${listener.addr.port}/`;
    const { stderr } = await runClient(["get", "-o", file, url], { terminal: "stderr" });
    assert.match(stderr, /\\x1b\[2J/);
    assertSafe(stderr.replaceAll("\x1b[K", "").replaceAll("\r", ""));
  } finally {
    rmSync(folder, { recursive: true });
    listener.close();
    await served;
  }
});

test("web: the log of requests is safe in both formats, the names of users included", async () => {
  for (const log of ["text", "json"]) {
    await using server = await startWeb([tmpdir(), "--auth", "a:b", "--log", log]);
    for (const user of [...HOSTILE, EVIL]) {
      const basic = Buffer.from(`${user}:b`).toString("base64");
      const { code } = await runClient([
        ...["get", "-q", "-H", `Authorization: Basic ${basic}`],
        ...[
          "-H",
          `User-Agent: ${EVIL_BYTES.toString("latin1")}`,
          `${server.url}x?${encodeURI(user)}`,
        ],
      ]);
      assert.equal(code, 22);
    }
    const { stderr } = await server.program.stop();
    assert.equal(stderr.match(/ 401 |"status":401/g)?.length, HOSTILE.length + 1);
    assertSafe(stderr, log);
  }
});

test("servers: -v shows what clients send safely", async () => {
  for (const args of [["echo"], ["chat"], ["echo", "--log", "json"], ["web", tmpdir()]]) {
    await using server = await startServer([...args, "-v", "--host", "127.0.0.1"]);
    const conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
    await conn.write(bytes(`GET /${EVIL} HTTP/1.1\r\nHost: ${EVIL}\r\n\r\n`));
    await conn.closeWrite();
    for (const buffer = new Uint8Array(65536); await conn.read(buffer) !== null;);
    conn.close();
    assertSafe((await server.program.stop()).stderr, args.join(" "));
  }
});

test("connect --frame: a frame that would steer a terminal is printed with escapes", async () => {
  for (const evil of HOSTILE.filter((text) => text !== "\t")) {
    using listener = await systemTransport.listen({ host: "127.0.0.1" });
    const payload = bytes(`a${evil}b`);
    const served = answerAll(listener, Buffer.concat([Uint8Array.of(payload.length), payload]));
    const at = `127.0.0.1:${listener.addr.port}`;
    const { stdout } = await runClient(["connect", "-q", "--frame", "u8", at], { stdin: "x\n" });
    assert.match(stdout.toString(), /^a.+b\n$/u);
    assertSafe(stdout, JSON.stringify(evil));
    listener.close();
    await served;
  }
});

test("TLS: the subject of a certificate is safe with -v, and in what is said of it", async () => {
  const { cert, key } = await selfSigned([`evil${EVIL}`, "other.example"]);
  using listener = await systemTransport.listen({ host: "127.0.0.1", tls: { cert, key } });
  const accepting = (async () => {
    for (;;) (await listener.accept()).close();
  })().catch(() => {});
  const at = `127.0.0.1:${listener.addr.port}`;
  for (const log of ["text", "json"]) {
    for (const trust of [["--insecure"], []]) {
      const exit = await runClient(["connect", "--tls", "-v", "--log", log, ...trust, at]);
      if (trust.length > 0) assert.match(exit.stderr, /evil/);
      assertSafe(exit.stderr, `${log} ${trust}`);
    }
  }
  // The issuer is known, and the name is another one: both runtimes quote the certificate's names.
  const { port } = listener.addr;
  await assert.rejects(
    dial(systemTransport, { host: "127.0.0.1", port, tls: { caCerts: [cert] } }),
    (error: SocketError) => {
      assert.equal(error.code, "ECERT");
      assertSafe(error.message);
      return true;
    },
  );
  listener.close();
  await accepting;
});

test("command lines: what is not right is quoted safely", async () => {
  const folder = mkdtempSync(join(tmpdir(), "foreign-"));
  try {
    const evil = EVIL.replaceAll("\0", "");
    const list = join(folder, evil.replaceAll("/", ""));
    writeFileSync(list, `${evil}\n`);
    mkdirSync(join(folder, "empty"));
    const servers = [
      [evil],
      ["--port", evil],
      ["--host", evil],
      [`--${evil}`],
      ["--unix", `${folder}/none/${evil}`],
      ["--allow", `@${list}`],
      ["--allow", `@${evil}`],
      ["--tls-cert", evil, "--tls-key", evil],
      ["web", `${folder}/${evil}`, "--port", "0"],
      ["web", "-H", `A: ${evil}`],
      ["relay", "--to", evil],
      ["relay", "--to", `unix:${"x".repeat(200)}${evil}`],
    ];
    for (const args of servers) {
      const { code, stderr } = await runServer([...args, "--log", "text"]);
      assert.notEqual(code, 0);
      assert.equal(stderr.trimEnd().split("\n").at(-1)!.startsWith("server.ts: "), true, stderr);
      assertSafe(stderr, JSON.stringify(args));
    }
    const clients = [
      ["connect", evil],
      ["connect", `${OWN_HOST}:1`, evil],
      ["connect", "--unix", `${folder}/${evil}`],
      ["connect", "--frame", evil, "a:1"],
      ["get", evil],
      ["get", "-X", evil, "http://a/"],
      ["get", "-H", evil, "http://a/"],
      ["get", "-d", `@${evil}`, "http://a/"],
      ["get", "--cacert", evil, "https://a/"],
      ["resolve", `${evil}:1`],
    ];
    for (const args of clients) {
      const { code, stderr } = await runClient(args);
      assert.notEqual(code, 0);
      assertSafe(stderr, JSON.stringify(args));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("get: the line of progress keeps its width with a name that has been escaped", () => {
  const line = progressLine(escapeText("\x1b".repeat(30)), 5, 10, 5, 1, 60);
  assert.ok(line.length <= 60, line);
});

test("connect: an error names a socket's path safely on stderr as JSON, too", async () => {
  const path = `/tmp/none-${"\u202e"}${"\x9b"}`;
  await using client = new InProcess("client", ["connect", "--log", "json", "--unix", path]);
  const { stderr } = await client.exit();
  assertSafe(stderr);
  assert.match(JSON.parse(stderr.trimEnd().split("\n").at(-1)!).message, /none-\\u\{202e\}\\x9b/);
});
