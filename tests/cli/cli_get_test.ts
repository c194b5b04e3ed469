// client.ts get, against our server, servers of other people's making, and broken ones.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import zlib from "node:zlib";
import { NEXT } from "../../lib/cli/commands/get/errors.ts";
import { progressLine } from "../../lib/cli/commands/get/progress.ts";
import { retryBackoff, waitAfter } from "../../lib/cli/commands/get/retry.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type { LightHandler, LightRequest, LightResponse } from "../../lib/http/server/light.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { spread } from "../support/cases.ts";
import { bytes, freePort, OWN_HOST, randomBytes, until } from "../support/helpers.ts";
import { type Exit, Program, PYTHON, runProgram } from "../support/peers.ts";
import {
  assertFailed,
  inShell,
  InTurn,
  inTurnCommand,
  onTerminal,
  programCommand,
  runClient,
  startClient,
} from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

const MIB = 1024 * 1024;

/** Runs `fn` with the base URL of a server that answers with `handler`. */
async function withHttp(handler: LightHandler, fn: (url: string) => Promise<void>): Promise<void> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const stop = new AbortController();
  const errors: unknown[] = [];
  const served = serveLight(listener, handler, {
    signal: stop.signal,
    onError: (error) => errors.push(error),
  }).finished;
  try {
    await fn(`http://127.0.0.1:${(listener.addr as TcpAddr).port}`);
    assert.deepEqual(errors, []);
  } finally {
    stop.abort();
    await served;
  }
}

/** Runs `fn` with the URL of a server that gives each connection to the next of `turns`. */
async function withRaw(
  turns: ((conn: Conn, head: string) => Promise<void>)[],
  fn: (url: string, heads: string[]) => Promise<void>,
): Promise<void> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const heads: string[] = [];
  const serve = async () => {
    for (;;) {
      const conn = await listener.accept();
      const buffer = Buffer.alloc(4096);
      let head = "";
      while (!head.includes("\r\n\r\n")) {
        const n = await conn.read(buffer);
        if (n === null) break;
        head += buffer.toString("latin1", 0, n);
      }
      // Who asks for nothing may be anybody, on a port that was another program's a moment ago.
      if (head === "") {
        conn.close();
        continue;
      }
      heads.push(head);
      await turns[Math.min(heads.length, turns.length) - 1](conn, head).catch(() => {});
      conn.close();
    }
  };
  const served = serve().catch((error) => assert.ok(error instanceof SocketError, String(error)));
  try {
    await fn(`http://127.0.0.1:${(listener.addr as TcpAddr).port}`, heads);
  } finally {
    listener.close();
    await served;
  }
}

/** A connection on which these texts are sent, and that then ends. */
function says(...texts: string[]): (conn: Conn) => Promise<void> {
  return async (conn) => {
    for (const text of texts) await conn.write(Buffer.from(text, "latin1"));
  };
}

/** Runs `fn` in a folder of its own. */
async function withDir(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-get-"));
  try {
    await fn(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function get(args: readonly string[], stdin?: string): Promise<Exit> {
  return runClient(["get", ...args], stdin === undefined ? {} : { stdin });
}

/** Runs `get --retry` on a clock that stands still until the wait before each retry is told. */
async function retrying(waits: readonly number[], args: readonly string[]): Promise<Exit> {
  const clock = new TestClock();
  await using client = startClient(["get", "--retry", String(waits.length), ...args], { clock });
  for (const [i, seconds] of waits.entries()) {
    const told = `Trying again in ${seconds} s \\(${i + 1} of ${waits.length}\\)\\.\n$`;
    await client.stderr.until(new RegExp(told));
    await clock.asked(seconds * 1000);
    // Not before the time: what it tells and what it asks for would be more.
    const { stderr } = client;
    const { length } = stderr.text;
    await clock.advance(seconds * 1000 - 1);
    assert.equal(stderr.text.length, length);
    await clock.advance(1);
  }
  return await client.exit();
}

/** Asserts that a run went well, and told nothing about it. */
function assertQuiet({ code, stderr }: Pick<Exit, "code" | "stderr">): void {
  assert.deepEqual([code, stderr], [0, ""]);
}

const OK = "HTTP/1.1 200 OK\r\n";

/** Answers with what the request was. */
const mirror: LightHandler = async (request) => {
  const { method, target, headers } = request;
  const body: Buffer[] = [];
  for await (const bytes of request.body ?? []) body.push(Buffer.from(bytes));
  return {
    status: 200,
    body: JSON.stringify({ method, target, headers, body: Buffer.concat(body).toString("latin1") }),
  };
};

interface Mirrored {
  method: string;
  target: string;
  headers: string[];
  body: string;
}

/** What the server saw of a request. */
async function mirrored(args: readonly string[], stdin?: string): Promise<Mirrored> {
  const exit = await get(args, stdin);
  assertQuiet(exit);
  return JSON.parse(exit.stdout.toString());
}

function valueOf({ headers }: Mirrored, name: string): string | undefined {
  const i = headers.findIndex((other, i) => i % 2 === 0 && other.toLowerCase() === name);
  return i === -1 ? undefined : headers[i + 1];
}

// Output.

test("get: prints the content byte for byte, and nothing else", async () => {
  const content = Buffer.concat([
    Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    randomBytes(MIB),
  ]);
  const stream = async function* () {
    for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
  };
  const handler: LightHandler = ({ target }) => ({
    status: 200,
    body: target === "/stream" ? stream() : content,
  });
  await withHttp(handler, async (url) => {
    for (const args of [[url], [`${url}/stream`], ["-o", "-", url]]) {
      const exit = await get(args);
      assertQuiet(exit);
      assert.ok(exit.stdout.equals(content));
    }
  });
});

test("get: a URL is enough to mean it, and a URL without a scheme is http", async () => {
  await withHttp(({ target }) => ({ status: 200, body: target }), async (url) => {
    const bare = await runClient([`${url}/a`]);
    assertQuiet(bare);
    assert.equal(bare.stdout.toString(), "/a");
    const noScheme = await get([`${url.slice("http://".length)}/b?c#d`]);
    assertQuiet(noScheme);
    assert.equal(noScheme.stdout.toString(), "/b?c");
  });
});

test("get: -o writes a file, which is all that is left behind", async () => {
  const content = randomBytes(3 * MIB);
  await withHttp(() => ({ status: 200, body: content }), (url) =>
    withDir(async (dir) => {
      const saved = await get(["-o", join(dir, "one"), url]);
      assertQuiet(saved);
      assert.equal(saved.stdout.length, 0);
      assert.deepEqual(readdirSync(dir), ["one"]);
      assert.ok(readFileSync(join(dir, "one")).equals(content));
      // Again, over what is there.
      assertQuiet(await get(["-o", join(dir, "one"), url]));
    }));
});

test("get: -O takes one name out of the URL, whatever that tries, and writes a file, which is all that is left behind", async () => {
  const content = randomBytes(3 * MIB);
  await withHttp(() => ({ status: 200, body: content }), (url) =>
    withDir(async (dir) => {
      mkdirSync(join(dir, "in"));
      const paths = ["..%2f..%2fetc", "a%5cb", "%00", "a%0ab", "x/../..%2e%2fz"]
        .concat("x/Gr%C3%BC%C3%9Fe.iso?a=/b");
      const lines = paths.map((path) => ["client", "get", "-O", `${url}/${path}`]);
      await using all = new InTurn(
        new Program(inShell(`cd '${dir}/in' && "$@"`, inTurnCommand(lines))),
      );
      for (const exit of await all.exits()) assertQuiet(exit);
      assert.deepEqual(readdirSync(dir), ["in"]);
      const names = ["%00", "..%2e%2fz", "..%2f..%2fetc", "Grüße.iso", "a%0ab", "a%5cb"];
      assert.deepEqual(readdirSync(join(dir, "in")).sort(), names);
      for (const name of names) assert.ok(readFileSync(join(dir, "in", name)).equals(content));
      assertFailed(await get(["-O", `${url}/dir/`]), 2, /needs a URL with a file name/);
    }));
});

test("get: -o writes to a device as it is, and through a link", async () => {
  await withHttp(() => ({ status: 200, body: "x" }), (url) =>
    withDir(async (dir) => {
      assertQuiet(await get(["-o", "/dev/null", url]));
      const client = [...programCommand("client"), "get", "-o", "/dev/stdout", url];
      const piped = await runProgram(inShell(`"$@" | cat`, client));
      assertQuiet(piped);
      assert.equal(piped.stdout.toString(), "x");
      writeFileSync(join(dir, "file"), "old");
      symlinkSync(join(dir, "file"), join(dir, "link"));
      assertQuiet(await get(["-o", join(dir, "link"), url]));
      assert.equal(readFileSync(join(dir, "file"), "utf8"), "x");
      assert.deepEqual(readdirSync(dir).sort(), ["file", "link"]);
    }));
});

test("get: binary content is not printed on a terminal, unless -o - says so", () =>
  withHttp(
    ({ target }) => ({ status: 200, body: target === "/text" ? "t\xfcxt" : "GIF\x00\x9b" }),
    async (url) => {
      const onScreen = async (...args: string[]) => {
        const { code, stdout, stderr } = await runClient(["get", ...args], { terminal: "both" });
        return [code, stdout.toString(), stderr];
      };
      const refusal = "client.ts: The content is binary, and stdout a terminal. " +
        "Say -o FILE to save it, or -o - to print it all the same.";
      assert.deepEqual(await onScreen(url), [23, "", `${refusal}\n`]);
      assert.deepEqual(await onScreen("-o", "-", url), [0, "GIF\x00\x9b", ""]);
      assert.deepEqual(await onScreen(`${url}/text`), [0, "t\xfcxt", ""]);
      const client = [...programCommand("client"), "get", url];
      const { code, stdout } = await runProgram(onTerminal(client, true));
      assert.deepEqual([code, stdout.toString()], [23, `${refusal}\r\n`]);
    },
  ), ["python3"]);

test("get: -i puts the head before the content, -I shows nothing else, also in a file", async () => {
  const reply: LightResponse = { status: 200, headers: ["X-A", "1", "X-A", "2"], body: "hello" };
  await withHttp(() => reply, async (url) => {
    const head = /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*X-A: 1\r\nX-A: 2\r\n(.*\r\n)*\r\n/;
    const both = await get(["-i", url]);
    assertQuiet(both);
    assert.match(both.stdout.toString(), new RegExp(`${head.source}hello$`));
    const alone = await get(["-I", url]);
    assertQuiet(alone);
    assert.match(alone.stdout.toString(), new RegExp(`${head.source}$`));
    await withDir(async (dir) => {
      const file = join(dir, "file");
      for (const [option, end] of [["-i", "hello$"], ["-I", "$"]]) {
        const saved = await get([option, "-o", file, url]);
        assertQuiet(saved);
        assert.equal(saved.stdout.length, 0);
        assert.match(readFileSync(file, "latin1"), new RegExp(`${head.source}${end}`));
      }
      assert.deepEqual(readdirSync(dir), ["file"]);
    });
  });
});

// Requests.

test("get: -H, -X and -u shape the request", () =>
  withHttp(mirror, async (url) => {
    const plain = await mirrored([`${url}/a?b`]);
    assert.deepEqual([plain.method, plain.target, plain.body], ["GET", "/a?b", ""]);
    assert.match(valueOf(plain, "user-agent")!, /^plainsocket\/\d/);
    const shaped = await mirrored([
      "-H",
      "X-A: 1",
      "-H",
      "x-a:2",
      "-H",
      "Empty;",
      "-H",
      "Accept:",
      "-H",
      "Accept-Encoding:",
      "-H",
      "X-Ü".replace("Ü", "U") + ": ü",
      "-X",
      "PURGE",
      "-u",
      "me:pä:ss",
      url,
    ]);
    assert.equal(shaped.method, "PURGE");
    assert.deepEqual(shaped.headers.slice(-12, -2), [
      ...["X-A", "1", "x-a", "2", "Empty", "", "X-U", Buffer.from("ü").toString("latin1")],
      ...["Authorization", `Basic ${Buffer.from("me:pä:ss").toString("base64")}`],
    ]);
    assert.equal(valueOf(shaped, "accept"), undefined);
    const own = await mirrored(["-u", "a:b", "-H", "authorization: mine", url]);
    assert.equal(valueOf(own, "authorization"), "mine");
    const inUrl = await mirrored([url.replace("//", "//me:x@")]);
    assert.equal(valueOf(inUrl, "authorization"), "Basic bWU6eA==");
  }));

test("get: -d posts a form: text, files and stdin", () =>
  withHttp(mirror, (url) =>
    withDir(async (dir) => {
      const file = join(dir, "form");
      writeFileSync(file, "b=ü\r\nmore\n");
      const form = await mirrored(["-d", "a=1", "--data", `@${file}`, "-d", "@-", url], "c=\n3");
      assert.equal(form.method, "POST");
      assert.equal(Buffer.from(form.body, "latin1").toString(), "a=1&b=ümore&c=3");
      assert.equal(valueOf(form, "content-type"), "application/x-www-form-urlencoded");
      const binary = await mirrored(["--data-binary", `@${file}`, "--data-binary", "a\n", url]);
      assert.equal(binary.method, "POST");
      assert.equal(Buffer.from(binary.body, "latin1").toString(), "b=ü\r\nmore\n&a\n");
      const json = ["-d", "{}", "-H", "Content-Type: application/json", "-X", "PUT"];
      const put = await mirrored([...json, url]);
      assert.deepEqual([put.method, put.body], ["PUT", "{}"]);
      assert.equal(valueOf(put, "content-type"), "application/json");
    })));

test("get: --range asks for a part, and takes it", () =>
  withHttp((request) => {
    const range = request.header("range");
    if (range === undefined) return { status: 200, body: "0123456789" };
    assert.equal(range, "bytes=2-4");
    return { status: 206, headers: ["Content-Range", "bytes 2-4/10"], body: "234" };
  }, (url) =>
    withDir(async (dir) => {
      for (const args of [["--range", "2-4"], ["-H", "Range: bytes=2-4"]]) {
        const exit = await get([...args, url]);
        assertQuiet(exit);
        assert.equal(exit.stdout.toString(), "234");
      }
      assertQuiet(await get(["--range", "2-4", "-o", join(dir, "part"), url]));
      assert.equal(readFileSync(join(dir, "part"), "utf8"), "234");
    })));

test("get: --unix asks the server behind a socket file, redirects included, and so does http+unix", () =>
  withDir(async (dir) => {
    const path = join(dir, "socket");
    const listener = await systemTransport.listen({ path });
    const stop = new AbortController();
    const served = serveLight(
      listener,
      ({ host, target }) =>
        target === "/"
          ? { status: 302, headers: ["Location", "http://b.test/b"] }
          : { status: 200, body: `${host}${target}` },
      { signal: stop.signal },
    ).finished;
    const exit = await get(["--unix", path, "--timing", "http://a.test/"]);
    assert.deepEqual([exit.code, exit.stdout.toString()], [0, "b.test/b"]);
    assert.match(exit.stderr, /^resolve +-$/m);
    const url = `http+unix://${encodeURIComponent(path)}`;
    for (const [args, content] of [[["get", `${url}/c?d`], "localhost/c?d"], [[url], "b.test/b"]]) {
      const { code, stdout } = await runClient(args as string[]);
      assert.deepEqual([code, stdout.toString()], [0, content]);
    }
    stop.abort();
    await served;
    assertFailed(await get(["--unix", path, "http://a.test/"]), 7, /ENOENT/);
  }));

/** Runs `fn` with the URL of an https server and the file of its certificate. */
async function withHttps(fn: (url: string, cacert: string) => Promise<void>): Promise<void> {
  const { cert, key } = await selfSigned(["localhost"]);
  const listener = await systemTransport.listen({ host: "127.0.0.1", tls: { cert, key } });
  const stop = new AbortController();
  const served = serveLight(
    listener,
    ({ target }) =>
      target === "/big"
        ? { status: 200, body: new Uint8Array(4 * MIB) }
        : { status: 200, body: "hi" },
    {
      signal: stop.signal,
    },
  ).finished;
  await withDir(async (dir) => {
    writeFileSync(join(dir, "ca.pem"), cert);
    await fn(`https://localhost:${listener.addr.port}`, join(dir, "ca.pem"));
  });
  stop.abort();
  await served;
}

test("get: https with a certificate that is trusted, and with any one if it must be", () =>
  withHttps(async (url, cacert) => {
    const trusted = await get(["--cacert", cacert, "--timing", "--log", "json", url]);
    assert.deepEqual([trusted.code, trusted.stdout.toString()], [0, "hi"]);
    const { connect, tls, firstByte } = JSON.parse(trusted.stderr);
    assert.ok(connect < tls && tls < firstByte);
    const shown = await get(["-v", "--cacert", cacert, url]);
    assert.match(shown.stderr, /^\* TLS handshake done: TLSv1\.3.*\n> GET \/ HTTP/m);
    const insecure = await get(["-k", `${url}/big`]);
    assertQuiet(insecure);
    assert.equal(insecure.stdout.length, 4 * MIB);
  }));

test("get: a certificate that is not trusted is 60, a handshake that fails 35", () =>
  withHttps(async (url, cacert) => {
    const untrusted = await get([url]);
    assertFailed(untrusted, 60, /ECERT/, /--cacert FILE; for tests only, --insecure trusts/);
    const other = url.replace("localhost", "127.0.0.1");
    assertFailed(await get(["--cacert", cacert, other]), 60, /ECERT/);
    for (
      const [file, why] of [["/does/not/exist", "there is no such file"], ["/", "it is a folder"]]
    ) {
      assertFailed(
        await get(["--cacert", file, url]),
        2,
        new RegExp(`--cacert cannot read '${file}': ${why}\\. See`),
      );
    }
    await withHttp(() => ({ status: 200 }), async (plain) => {
      assertFailed(await get([plain.replace("http:", "https:")]), 35, /ETLS/);
    });
  }));

test("get: content is decompressed with --compressed, and as it is without", async () => {
  const text = "hello ".repeat(10_000);
  const encoded = zlib.gzipSync(text);
  const asked: (string | undefined)[] = [];
  await withHttp((request) => {
    asked.push(request.header("accept-encoding"));
    return { status: 200, headers: ["Content-Encoding", "gzip"], body: encoded };
  }, async (url) => {
    const raw = await get([url]);
    assertQuiet(raw);
    assert.ok(raw.stdout.equals(encoded));
    const decoded = await get(["--compressed", url]);
    assertQuiet(decoded);
    assert.equal(decoded.stdout.toString(), text);
    assert.deepEqual(asked, [undefined, "gzip, deflate, br"]);
    assertQuiet(await get(["--compressed", "-I", url]));
    assertFailed(
      await get(["--compressed", "--max-size", "1000", url]),
      63,
      /more than 1000 bytes/,
    );
  });
});

test("get: --compressed takes deflate with and without the zlib format around it", async () => {
  const text = "hello ".repeat(10_000);
  for (const body of [zlib.deflateSync(text), zlib.deflateRawSync(text)]) {
    await withHttp(
      () => ({ status: 200, headers: ["Content-Encoding", "deflate"], body }),
      async (url) => {
        const exit = await get(["--compressed", url]);
        assertQuiet(exit);
        assert.equal(exit.stdout.toString(), text);
      },
    );
  }
});

test("get: follows redirects, as many as it is told", () =>
  withHttp(({ target }) => {
    const n = Number(target.slice(1));
    if (n === 0) return { status: 200, body: "there" };
    return { status: 302, headers: ["Location", `/${n - 1}`], body: "not yet" };
  }, async (url) => {
    const there = await get([`${url}/10`]);
    assertQuiet(there);
    assert.equal(there.stdout.toString(), "there");
    assertFailed(await get([`${url}/11`]), 47, /more than 10 redirects \(TOO_MANY_REDIRECTS\)/);
    assertFailed(await get(["--max-redirects", "1", `${url}/2`]), 47);
    const none = await get(["--max-redirects", "0", `${url}/1`]);
    assertQuiet(none);
    assert.equal(none.stdout.toString(), "not yet");
  }));

// Failures.

test("get: what is wrong with the command line is exit code 2", async () => {
  const wrong: [string[], RegExp][] = [
    [[], /needs a URL/],
    [["http://a/", "http://b/"], /Too many arguments, from 'http:\/\/b\/' on; get takes one URL/],
    [["127.0.0.1", "8080"], /A colon stands between host and port: 127\.0\.0\.1:8080\./],
    [["-C", "-", "-o", "a", "http://a/"], /-C \(--continue\) takes no value: leave the '-' out/],
    [["-o", "a", "http://a/", "-C", "-"], /-C \(--continue\) takes no value: leave the '-' out/],
    [["--nope", "http://a/"], /Unknown option --nope/],
    [["-H", "no colon", "http://a/"], /takes 'Name: value', not 'no colon'/],
    [["-H", "X: a\r\nY: b", "http://a/"], /has a character/],
    [["-H", "X y: a", "http://a/"], /not the name of a header field/],
    [["-H", "Content-Length: 5", "http://a/"], /The client sets the field Content-Length itself/],
    [["-X", "GET /", "http://a/"], /not a method/],
    [["-u", "me", "http://a/"], /name:password/],
    [["-d", "@/does/not/exist", "http://a/"], /cannot read '.*': there is no such file\./],
    [["-d", "a", "-I", "http://a/"], /exclude each other/],
    [
      ["-o", "a", "-O", "http://a/b"],
      /-o \(--output\) and -O \(--remote-name\) exclude each other/,
    ],
    [["-C", "--range", "0-1", "-o", "a", "http://a/"], /exclude each other/],
    [["--sha256", SHA256, "-i", "http://a/"], /exclude each other/],
    [["-C", "http://a/"], /-C \(--continue\) needs/],
    [["-C", "-H", "range: bytes=0-1", "-o", "a", "http://a/"], /exclude each other/],
    [["-d", "a", "--data-binary", "b", "http://a/"], /exclude each other/],
    [["--data-binary", "@/does/not/exist", "http://a/"], /--data-binary cannot read/],
    [["--unix", "a", "http+unix://a/"], /--unix cannot be used with/],
    [["-sL", "http://a/"], /Unknown option -s: say -q/],
    [["--location", "http://a/"], /Unknown option --location: redirects are followed without it/],
    [["--range", "x", "http://a/"], /0-99/],
    [["--sha256", "abc", "http://a/"], /64 hexadecimal digits/],
    [["--max-size", "0", "http://a/"], /whole number from 1/],
  ];
  for (const [args, pattern] of wrong) assertFailed(await get(args), 2, pattern);
});

test("get: an option that must be something is not empty, as a variable that is not set is", async () => {
  const wrong: [string, RegExp][] = [
    ["--sha256", /Option --sha256 takes 64 hexadecimal digits, not ''/],
    ["-u", /Option -u takes 'name:password'/],
    ["-o", /Option -o takes a path, not ''/],
    ["-X", /Option -X takes a method, as PUT: '' is not a method/],
    ["--range", /Option --range takes 0-99, 100- or -100, not ''/],
    ["-H", /Option -H takes 'Name: value', not ''/],
    ["--unix", /Option --unix takes a path, not ''/],
    ["--cacert", /Option --cacert takes a path, not ''/],
  ];
  // Nobody listens there: without the check, that would be exit code 7.
  for (const [option, pattern] of wrong) {
    assertFailed(await get([option, "", "http://127.0.0.1:1/"]), 2, pattern);
  }
});

test("get: what is wrong with the URL is exit code 3", async () => {
  const wrong: [string, RegExp][] = [
    ["ftp://a/", /the protocol 'ftp' is not spoken here \(BAD_URL\)\. Give an http:\/\/ or https/],
    ["file:///etc/passwd", /the protocol 'file' is not spoken/],
    ["http://", /it names no host/],
    ["http://:80/", /it names no host/],
    ["http://a:x/", /its port 'x' is not a number from 0 to 65535/],
    ["http://u:pass@a:99999/", /Cannot get http:\/\/a:99999\/: its port '99999' is not a number/],
    ["http://[::1]:99999", /its port '99999' is not a number/],
    ["http://[::1/", /it is not a URL/],
    ["http://a/ b", /a space is in it, which a URL has as %20/],
    ["http://a/\tb", /white space or a control character is in it/],
    ["http+unix:///a", /it has no path/],
    ["http+unix://%ff/", /it has no path/],
    ["", /^client\.ts: Cannot get '': the URL is empty \(BAD_URL\)\. Give an http:\/\/ or https/],
  ];
  for (const [url, pattern] of wrong) {
    const exit = await get([url]);
    assertFailed(exit, 3, /^client\.ts: Cannot get .*BAD_URL/, pattern);
    assert.equal(exit.stderr.includes("%20"), url.includes(" "));
  }
});

test("get: failing to resolve is 6, failing to connect 7", async () => {
  assertFailed(await get(["http://does-not-exist.invalid/"]), 6, /ENOTFOUND|EAI_AGAIN/);
  assertFailed(await get(["http://127.0.0.1:1/"]), 7, /ECONNREFUSED/);
});

test("get: a status of 400 or above is 22, with the content on stdout and no file", () =>
  withHttp(
    ({ target }) => ({ status: Number(target.slice(1)), body: "sorry\n" }),
    (url) =>
      withDir(async (dir) => {
        for (const status of [400, 404, 500]) {
          for (const args of [[], ["-o", join(dir, "file")]]) {
            const exit = await get([...args, `${url}/${status}`]);
            assertFailed(exit, 22, new RegExp(`The server answered ${status} .* for ${url}`));
            assert.equal(exit.stdout.toString(), "sorry\n");
          }
        }
        assert.deepEqual(readdirSync(dir), []);
      }),
  ));

test("get: -O and -C need of Deno no more than the network and the folder", async () => {
  if (runtime !== "Deno") return;
  await withDir(async (dir) => {
    await withHttp(() => ({ status: 200, body: "text" }), async (url) => {
      const command = programCommand("client", [
        "--no-prompt",
        `--allow-net=${new URL(url).host}`,
        `--allow-read=${dir}`,
        `--allow-write=${dir}`,
      ]);
      const file = join(dir, "file");
      for (const args of [[], ["-C"]]) {
        const { code, stderr } = await runProgram([...command, "get", ...args, "-o", file, url]);
        assert.equal(code, 0, stderr);
        assert.deepEqual(readdirSync(dir), ["file"]);
      }
    });
  });
});

test("get: what cannot be written is 23", () =>
  withHttp(() => ({ status: 200, body: new Uint8Array(MIB) }), (url) =>
    withDir(async (dir) => {
      assertFailed(await get(["-o", "/dev/full", url]), 23, /no space left/);
      assertFailed(await get(["-o", join(dir, "no", "file"), url]), 23, /folder does not exist/);
      assertFailed(await get(["-o", dir, url]), 23, /it is a folder/);
      const client = [...programCommand("client"), "get", url];
      assertFailed(await runProgram(inShell(`"$@" > /dev/full`, client)), 23, /stdout/);
      assert.deepEqual(readdirSync(dir), []);
    })));

test("get: content that nobody reads any more is 23, on stdout and on a device", () =>
  withHttp(() => ({ status: 200, body: new Uint8Array(4 * MIB) }), async (url) => {
    for (const args of [[url], ["-o", "/dev/stdout", url]]) {
      const line = '{ "$@"; echo "exit $?" >&2; } | head -c 10';
      const { stdout, stderr } = await runProgram(
        inShell(line, [...programCommand("client"), "get", ...args]),
      );
      assert.equal(stdout.length, 10);
      assert.match(
        stderr,
        /^client\.ts: Cannot write \S*stdout: nobody reads it any more \(EPIPE\)\.\nexit 23\n$/,
      );
    }
  }));

test("get: when the disk is full what has come is kept", () =>
  withHttp(
    () => ({ status: 200, headers: ["ETag", '"a"'], body: new Uint8Array(4 * MIB) }),
    (url) =>
      withDir(async (dir) => {
        const client = [...programCommand("client"), "get", "-o", join(dir, "file"), url];
        // 1 MiB, in blocks of 512 bytes.
        const exit = await runProgram(inShell(`trap '' XFSZ; ulimit -f 2048; "$@"`, client));
        assertFailed(
          exit,
          23,
          /file\.part: .*[Ff]ile (is )?too large.* What came, 1048576 bytes, is kept in .*file\.part/,
        );
        assert.deepEqual(readdirSync(dir).sort(), ["file.part", "file.part.json"]);
      }),
  ));

test("get: silence is 28, before the response and in it", async () => {
  const forever = (text: string) => async (conn: Conn) => {
    await conn.write(Buffer.from(text));
    await conn.read(new Uint8Array(1));
  };
  for (const text of ["", `${OK}Content-Length: 5\r\n\r\nhel`]) {
    await withRaw([forever(text)], async (url, heads) => {
      const clock = new TestClock();
      await using client = startClient(["get", "--timeout", "30", url], { clock });
      await until(() => heads.length > 0, "the request");
      if (text !== "") await client.stdout.until(/^hel$/);
      await clock.asked(1000);
      await clock.advance(32_000);
      assertFailed(await client.exit(), 28, /nothing moved for 30 s/);
    });
  }
});

const HOSTILE: Record<string, [code: number, pattern: RegExp, kept: string, reply: string]> = {
  "empty": [52, /EMPTY_RESPONSE/, "", ""],
  "not HTTP": [56, /BAD_STATUS_LINE/, "", "220 ftp.example.com\r\n"],
  "malformed in its head": [56, /BAD_FIELD/, "", `${OK}X Y: a\r\n\r\nhello`],
  "ambiguous": [
    56,
    /BAD_TRANSFER_ENCODING/,
    "",
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  "of two lengths": [
    56,
    /BAD_CONTENT_LENGTH/,
    "",
    `${OK}Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello`,
  ],
  "truncated": [18, /PARTIAL/, "hel", `${OK}Content-Length: 5\r\n\r\nhel`],
  "truncated in its chunks": [
    18,
    /PARTIAL/,
    "hel",
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n`,
  ],
  "truncated in its head": [18, /PARTIAL/, "", `${OK}Content-Le`],
  "malformed in its chunks": [
    56,
    /BAD_CHUNK/,
    "",
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`,
  ],
  "too large": [63, /BODY_TOO_LARGE/, "", `${OK}Content-Length: 1001\r\n\r\n${"x".repeat(1001)}`],
  "a part that nobody asked for": [
    56,
    /unasked/,
    "",
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\nhello",
  ],
};

for (const [name, [code, pattern, kept, reply]] of Object.entries(HOSTILE)) {
  test(`get: a response that is ${name} leaves no file, and keeps what has come`, () =>
    withRaw([says(reply)], (url) =>
      withDir(async (dir) => {
        const exit = await get(["-o", join(dir, "file"), "--max-size", "1000", url]);
        assertFailed(exit, code, pattern);
        assert.equal(existsSync(join(dir, "file")), false);
        if (kept === "") assert.deepEqual(readdirSync(dir), []);
        else {
          assert.equal(readFileSync(join(dir, "file.part"), "utf8"), kept);
          assert.match(
            exit.stderr,
            new RegExp(
              `What came, ${kept.length} bytes, is kept in .*; -C cannot go on from there`,
            ),
          );
        }
      })));
}

test("get: a whole response is a file at once, whatever is behind it and whoever keeps the connection", async () => {
  for (const behind of ["", "\r\n", " world", `${OK}\r\n`]) {
    const stay = async (conn: Conn) => {
      await conn.write(bytes(`${OK}Content-Length: 5\r\n\r\nhello${behind}`));
      await conn.read(new Uint8Array(1));
    };
    await withRaw([stay], (url) =>
      withDir(async (dir) => {
        // On a clock that stands still nothing is waited for.
        await using client = startClient(["get", "-o", join(dir, "file"), url], {
          clock: new TestClock(),
        });
        assert.equal((await client.exit()).code, 0);
        assert.equal(readFileSync(join(dir, "file"), "utf8"), "hello");
        assert.deepEqual(readdirSync(dir), ["file"]);
      }));
  }
});

test("get: what stops it names the option that lets it pass, and with that it passes", async () => {
  const tooManyFields = `${OK}${"X: y\r\n".repeat(12_000)}Content-Length: 2\r\n\r\nok`;
  const cases: [code: number, advice: RegExp, reply: string, args: readonly string[]][] = [
    [56, /Raise --max-head/, tooManyFields, ["--max-head", "100000"]],
    [56, /Raise --max-head/, `HTTP/1.1 200 ${"x".repeat(70_000)}\r\n\r\n`, [
      "--max-head",
      "100000",
    ]],
    [
      56,
      /Without --compressed/,
      `${OK}Content-Encoding: rot13\r\nContent-Length: 2\r\n\r\nok`,
      [],
    ],
    [63, /Raise --max-size/, `${OK}Content-Length: 2000\r\n\r\n${"x".repeat(2000)}`, [
      "--max-size",
      "2000",
    ]],
  ];
  for (const [code, advice, reply, args] of cases) {
    await withRaw([says(reply)], async (url) => {
      const strict = /rot13/.test(reply) ? ["--compressed"] : ["--max-size", "1000"];
      const exit = await get([...strict, url]);
      assertFailed(exit, code, advice);
      assert.doesNotMatch(exit.stderr, /`|Allow more/);
      assert.equal((await get([...args, url])).code, 0);
    });
  }
  const help = (await get(["--help"])).stdout.toString();
  const advised = Object.values(NEXT).flatMap((next) => next.match(/--[a-z-]+/g) ?? []);
  assert.ok(advised.length > 3);
  for (const option of advised) assert.match(help, new RegExp(` ${option} `));
});

test("get: an old file stays as it was when a new one does not come whole", () =>
  withRaw([says(`${OK}Content-Length: 5\r\n\r\nhel`)], (url) =>
    withDir(async (dir) => {
      writeFileSync(join(dir, "file"), "old");
      assertFailed(await get(["-o", join(dir, "file"), url]), 18);
      assert.equal(readFileSync(join(dir, "file"), "utf8"), "old");
    })));

test("get: Ctrl-C is 130, and keeps what has come", () =>
  withRaw([async (conn) => {
    await conn.write(Buffer.from(`${OK}ETag: "a"\r\nContent-Length: 500000\r\n\r\n`));
    await conn.write(new Uint8Array(100_000));
    await conn.read(new Uint8Array(1));
  }], (url) =>
    withDir(async (dir) => {
      const part = join(dir, "file.part");
      await using client = startClient(["get", "-o", join(dir, "file"), url]);
      await until(
        () => existsSync(part) && readFileSync(part).length === 100_000,
        "100,000 bytes in the part",
      );
      const { code, stderr } = await client.stop("SIGINT");
      assert.equal(code, 130);
      assert.match(stderr, /^What came, 100000 bytes, is kept in .*; -C goes on from there\.\n$/);
      assert.deepEqual(readdirSync(dir).sort(), ["file.part", "file.part.json"]);
    })));

test("get: a server cannot command the terminal", async () => {
  await withRaw(
    [says("HTTP/1.1 404 \x9b31mred\r\nX: \x9b2J\r\nContent-Length: 0\r\n\r\n")],
    async (url) => {
      const { code, stderr } = await get(["-v", url]);
      assert.equal(code, 22);
      assert.match(stderr, /^< HTTP\/1\.1 404 \\x9b31mred\n< X: \\x9b2J\n/m);
      assert.match(stderr, /The server answered 404 \\x9b31mred/);
      assert.doesNotMatch(stderr, /[\x80-\x9f]/);
    },
  );
});

test("get: -v says when nobody can tell whether the content is whole", () =>
  withRaw([says(`${OK}\r\nhello`)], async (url) => {
    const { code, stdout, stderr } = await get(["-v", url]);
    assert.deepEqual([code, stdout.toString()], [0, "hello"]);
    assert.match(stderr, /^\* No length is given/m);
  }));

// Going on.

const CONTENT = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

interface Origin {
  /** Breaks off after so many bytes, once each. */
  readonly breaks: number[];
  readonly content: Buffer;
  readonly fields: string[];
  readonly seen: string[];
  /** Another way to answer. */
  readonly answer?: (request: LightRequest) => LightResponse | undefined;
}

/** A server of one file, which knows ranges. It breaks off by sending less than it said. */
function origin(
  options: Partial<Origin> = {},
): Origin & { turn: (conn: Conn, head: string) => Promise<void> } {
  const state = {
    breaks: [],
    content: CONTENT,
    fields: ['ETag: "one"'],
    seen: [],
    ...options,
  } as Origin;
  const turn = async (conn: Conn, head: string) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)\r$`, "mi").exec(head)?.[1];
    const { content, fields, breaks, seen } = state;
    const [range, condition] = [field("range"), field("if-range")];
    seen.push(`${range ?? "all"} ${condition ?? "-"}`);
    const known = fields.some((line) => line.endsWith(`: ${condition}`));
    const from = range !== undefined && known ? Number(/\d+/.exec(range)![0]) : 0;
    const status = from === 0
      ? "200 OK"
      : from < content.length
      ? `206 Partial Content\r\nContent-Range: bytes ${from}-${
        content.length - 1
      }/${content.length}`
      : `416 Range Not Satisfiable\r\nContent-Range: bytes */${content.length}`;
    const rest = content.subarray(from);
    await conn.write(Buffer.from(
      `HTTP/1.1 ${status}\r\n${
        fields.map((line) => `${line}\r\n`).join("")
      }Content-Length: ${rest.length}\r\n\r\n`,
    ));
    await conn.write(rest.subarray(0, breaks.shift() ?? rest.length));
    await conn.closeWrite();
    // Until the client has read all, so that no RST overtakes the bytes.
    while (await conn.read(new Uint8Array(100)) !== null);
  };
  return { ...state, turn };
}

const MODIFIED = [
  "Last-Modified: Sat, 21 Nov 2020 00:00:00 GMT",
  "Date: Sat, 21 Nov 2020 00:01:00 GMT",
];

test("get: -C goes on in another run, with a strong ETag or a Last-Modified that is old enough", async () => {
  for (const fields of [['ETag: "one"'], ['ETag: W/"weak"', ...MODIFIED]]) {
    const server = origin({ breaks: [30_000, 20_000], fields });
    await withRaw([server.turn], (url) =>
      withDir(async (dir) => {
        const args = ["-C", "-o", join(dir, "file"), "--sha256", SHA256, url];
        assertFailed(await get(args), 18, /30000 bytes, is kept .*; -C goes on from there/);
        assertFailed(await get(args), 18, /50000 bytes, is kept .*; -C goes on from there/);
        assertQuiet(await get(args));
        assert.ok(readFileSync(join(dir, "file")).equals(CONTENT));
        assert.deepEqual(readdirSync(dir), ["file"]);
        const condition = fields.length === 1 ? '"one"' : "Sat, 21 Nov 2020 00:00:00 GMT";
        assert.deepEqual(server.seen, [
          "all -",
          `bytes=30000- ${condition}`,
          `bytes=50000- ${condition}`,
        ]);
      }));
  }
});

test("get: -C begins anew without a validator, but keeps what it had if that differs from what comes", async () => {
  const cases: [first: string[], then: string[], path: string, seen: string, args: string[]][] = [
    [[], [], "", "all -", ["-C"]],
    [['ETag: W/"weak"'], ['ETag: W/"weak"'], "", "all -", ["-C"]],
    [[MODIFIED[0], `Date: ${MODIFIED[0].slice(15)}`], [], "", "all -", ["-C"]],
    [['ETag: "one"'], ['ETag: "one"'], "/other", "all -", ["-C"]],
    [['ETag: "one"'], ['ETag: "two"'], "", 'bytes=30000- "one"', ["-C"]],
    [['ETag: "one"'], ['ETag: "one"'], "", "all -", []],
  ];
  const sames = [0, 1, 29_999, 30_000];
  for (
    const [[first, then, path, seen, args], same] of spread(
      cases.flatMap((one) => sames.map((same) => [one, same] as const)),
    )
  ) {
    const content = Buffer.from(CONTENT.map((byte, i) => i < same ? byte : byte ^ 0xff));
    const before = origin({ breaks: [30_000], fields: first, content });
    const after = origin({ fields: then });
    await withRaw([before.turn, after.turn], (url) =>
      withDir(async (dir) => {
        const file = join(dir, "file");
        assertFailed(await get([...args, "-o", file, url]), 18);
        const part = readFileSync(`${file}.part`);
        const exit = await get([...args, "-o", file, "--sha256", SHA256, `${url}${path}`]);
        assert.equal(exit.code, 0, exit.stderr);
        assert.ok(readFileSync(file).equals(CONTENT));
        assert.deepEqual(after.seen, [seen]);
        if (same === 30_000) {
          assertQuiet(exit);
          assert.deepEqual(readdirSync(dir), ["file"]);
        } else {
          assert.match(
            exit.stderr,
            /part is not what .*: that, 30000 bytes, is kept in .*part\.1\.$/m,
          );
          assert.deepEqual(readdirSync(dir).sort(), ["file", "file.part.1"]);
          assert.ok(readFileSync(`${file}.part.1`).equals(part));
        }
      }));
  }
});

test("get: what is there is not lost when less comes of what is sent anew, and named apart", () =>
  withDir(async (dir) => {
    const file = join(dir, "file");
    // No validator: each time all of it is sent anew. It breaks off early, then late, then never.
    const server = origin({ breaks: [30_000, 10_000, 60_000], fields: [] });
    await withRaw([server.turn], async (url) => {
      const exit = await retrying([1, 2], ["-o", file, url]);
      assert.equal(exit.code, 18, exit.stderr);
      assert.match(exit.stderr, /What came, 60000 bytes, is kept in/);
      assert.deepEqual(readdirSync(dir), ["file.part"]);
      assert.ok(readFileSync(`${file}.part`).equals(CONTENT.subarray(0, 60_000)));
      // Other content, whole but shorter, and empty.
      for (const [i, length] of [50_000, 0].entries()) {
        writeFileSync(`${file}.part`, CONTENT);
        const other = origin({ fields: [], content: CONTENT.subarray(0, length) });
        await withRaw([other.turn], async (url) => {
          const { code, stderr } = await get(["-C", "-o", file, url]);
          assert.deepEqual([code, stderr.includes(`kept in ${file}.part.${i + 1}.`)], [0, true]);
        });
        assert.ok(readFileSync(file).equals(CONTENT.subarray(0, length)));
        assert.ok(readFileSync(`${file}.part.${i + 1}`).equals(CONTENT));
      }
    });
  }));

test("get: -C finds out that all is there already, or too much", () =>
  withDir(async (dir) => {
    const file = join(dir, "file");
    for (const extra of [0, 10]) {
      const server = origin();
      await withRaw([server.turn], async (url) => {
        const part = Buffer.concat([CONTENT, new Uint8Array(extra)]);
        writeFileSync(`${file}.part`, part);
        writeFileSync(`${file}.part.json`, JSON.stringify({ url: `${url}/`, validator: '"one"' }));
        const exit = await get(["-C", "-o", file, "--sha256", SHA256, url]);
        assert.equal(exit.code, 0);
        assert.ok(readFileSync(file).equals(CONTENT));
        assert.deepEqual(readdirSync(dir), extra === 0 ? ["file"] : ["file", "file.part.1"]);
        assert.equal(exit.stderr.includes("kept in"), extra !== 0);
        const asked = `bytes=${part.length}- "one"`;
        assert.deepEqual(server.seen, extra === 0 ? [asked] : [asked, "all -"]);
      });
    }
  }));

test("get: -C takes no other part than the one that is missing", async () => {
  const wrong = [
    "Content-Range: bytes 0-99999/100000",
    "Content-Range: bytes 29999-99998/100000",
    "Content-Range: bytes 30000-99999/5",
    "Content-Range: bytes 30000-30001/100000",
    'Content-Range: bytes 30000-99999/100000\r\nETag: "two"',
    "Content-Type: multipart/byteranges",
    "X: y",
  ];
  for (const fields of wrong) {
    const server = origin({ breaks: [30_000] });
    const part = `HTTP/1.1 206 Partial Content\r\n${fields}\r\nContent-Length: 70000\r\n\r\n${
      "x".repeat(70_000)
    }`;
    await withRaw([server.turn, says(part), server.turn], (url) =>
      withDir(async (dir) => {
        const file = join(dir, "file");
        assertFailed(await get(["-C", "-o", file, url]), 18);
        assertQuiet(await get(["-C", "-o", file, url]));
        assert.ok(readFileSync(file).equals(CONTENT), fields);
        assert.deepEqual(server.seen, ["all -", "all -"]);
      }));
  }
});

test("get: --retry goes on after a broken transfer, to a file and to stdout", async () => {
  for (const toFile of [true, false]) {
    const server = origin({ breaks: [30_000, 0] });
    await withRaw([server.turn], (url) =>
      withDir(async (dir) => {
        const file = join(dir, "file");
        const args = [...(toFile ? ["-o", file] : []), "--sha256", SHA256, url];
        const exit = await retrying([1, 2], args);
        assert.equal(exit.code, 0, exit.stderr);
        assert.match(
          exit.stderr,
          /^.*PARTIAL.* Trying again in 1 s \(1 of 2\)\.\n.* Trying again in 2 s \(2 of 2\)\.\n$/,
        );
        assert.ok((toFile ? readFileSync(file) : exit.stdout).equals(CONTENT));
        assert.deepEqual(server.seen, ["all -", 'bytes=30000- "one"', 'bytes=30000- "one"']);
      }));
  }
});

test("get: --retry does not print twice what it cannot go on with", async () => {
  for (const fields of [[], ['ETag: "two"']]) {
    const before = origin({ breaks: [30_000], fields: fields.length === 0 ? [] : ['ETag: "one"'] });
    const after = origin({ fields });
    await withRaw([before.turn, after.turn], async (url) => {
      // Without a validator there is nothing to try again.
      const exit =
        await (fields.length === 0 ? get(["-q", "--retry", "1", url]) : retrying([1], [url]));
      const told = exit.stderr.replace(/^.*PARTIAL.* Trying again in 1 s \(1 of 1\)\.\n/, "");
      assertFailed({ ...exit, stderr: told }, 18);
      assert.ok(exit.stdout.equals(CONTENT.subarray(0, 30_000)));
    });
  }
});

test("get: --retry waits as Retry-After says, gives up after so many, and not for what stays", async () => {
  let requests = 0;
  await withHttp(({ target }) => {
    requests++;
    const [, status, until] = target.split("/").map(Number);
    if (requests >= until) return { status: 200, body: "at last" };
    return { status, headers: ["Retry-After", "0"], body: "later" };
  }, async (url) => {
    for (const status of [408, 429, 500, 503]) {
      requests = 0;
      const exit = await get(["--retry", "3", `${url}/${status}/4`]);
      assert.deepEqual([exit.code, exit.stdout.toString()], [0, "at last"]);
      assert.match(
        exit.stderr,
        /^(The server answered .* Trying again in 0 s \(\d of 3\)\.\n){3}$/,
      );
    }
    requests = 0;
    const exit = await get(["-q", "--retry", "2", `${url}/503/9`]);
    assertFailed(exit, 22, /503/);
    assert.deepEqual([exit.stdout.toString(), requests], ["later", 3]);
    requests = 0;
    assertFailed(await get(["--retry", "2", `${url}/404/9`]), 22);
    assert.equal(requests, 1);
  });
});

test("get: the waits before retries double up to a minute", () => {
  const refused = new SocketError("ECONNREFUSED", "connect");
  const backoff = retryBackoff();
  assert.deepEqual(Array.from({ length: 8 }, () => waitAfter(refused, backoff)), [
    ...[1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000],
  ]);
  assert.equal(waitAfter(new SocketError("ENOTFOUND", "resolve"), backoff), undefined);
  assert.equal(waitAfter(new Error("a mistake"), backoff), undefined);
});

test("get: --max-size is for all of it, with what was there before", async () => {
  const server = origin({ breaks: [30_000] });
  await withRaw([server.turn], (url) =>
    withDir(async (dir) => {
      const args = ["-C", "-o", join(dir, "file"), "--max-size", "100000", url];
      assertFailed(await get(args), 18);
      assertFailed(await get(args.toSpliced(4, 1, "99999")), 63);
      assertQuiet(await get(args));
    }));
});

test("get: --retry tries to connect again", async () => {
  const exit = await retrying([1], ["http://127.0.0.1:1/"]);
  assert.equal(exit.code, 7);
  assert.match(exit.stderr, /Trying again in 1 s \(1 of 1\)\.\n.*ECONNREFUSED.*\n$/);
});

test("get: --retry does not advise to try again when it is about to", () =>
  withRaw([says(`${OK}Content-Length: 5\r\n\r\n`), says("")], async (url) => {
    const { code, stderr } = await retrying([1], [url]);
    assert.equal(code, 52);
    const [note, error] = stderr.split("\n");
    assert.match(note, /\(PARTIAL\)\. Trying again in 1 s \(1 of 1\)\.$/);
    assert.match(error, /\(EMPTY_RESPONSE\)\. Try again;/);
  }));

test("get: a part of an earlier run is named, with what -C makes of it", () =>
  withDir(async (dir) => {
    const [file, url] = [join(dir, "file"), "http://127.0.0.1:1/"];
    writeFileSync(`${file}.part`, "part");
    const anew = /part; -C cannot go on from there, and gets all of it anew\.$/;
    assertFailed(await get(["-o", file, url]), 7, anew);
    writeFileSync(`${file}.part.json`, JSON.stringify({ url: "http://b/", validator: '"a"' }));
    assertFailed(await get(["-o", file, url]), 7, anew);
    writeFileSync(`${file}.part.json`, JSON.stringify({ url, validator: '"a"' }));
    for (const args of [[], ["-C"]]) {
      assertFailed(await get([...args, "-o", file, url]), 7, /part; -C goes on from there\.$/);
    }
  }));

test("get: --sha256 keeps a file from appearing that is another one", () =>
  withHttp(() => ({ status: 200, body: CONTENT }), (url) =>
    withDir(async (dir) => {
      const file = join(dir, "file");
      const other = SHA256.replace(/^./, (digit) => digit === "0" ? "1" : "0");
      assertFailed(
        await get(["-o", file, "--sha256", other, url]),
        1,
        new RegExp(`${SHA256}, and not ${other}`),
      );
      assert.deepEqual(readdirSync(dir), ["file.part"]);
      assertQuiet(await get(["-o", file, "--sha256", SHA256.toUpperCase(), url]));
      assert.deepEqual(readdirSync(dir), ["file"]);
      assertFailed(await get(["--sha256", other, url]), 1);
      assertQuiet(await get(["--sha256", SHA256, url]));
    })));

// What it tells.

test("get: -v shows the conversation as curl does", () =>
  withHttp(
    ({ target }) =>
      target === "/a"
        ? { status: 302, headers: ["Location", "/b"], body: "" }
        : { status: 200, body: "hi" },
    async (url) => {
      const { code, stdout, stderr } = await get(["-v", `${url}/a`]);
      assert.deepEqual([code, stdout.toString()], [0, "hi"]);
      const host = url.slice("http://".length);
      const lines = stderr.split("\n").filter((line) => !/^< (Date|Connection)/.test(line));
      const connect = [
        `*   Trying ${host}...`,
        `* Connected to ${host} from 127.0.0.1:N`,
      ];
      const request = (path: string) => [
        ...[
          `> GET ${path} HTTP/1.1`,
          `> Host: ${host}`,
          "> User-Agent: plainsocket/V",
          "> Accept: */*",
        ],
        ...["> Connection: close", ">"],
      ];
      assert.deepEqual(
        lines.map((line) => line.replace(/(from [\d.]+:)\d+/, "$1N").replace(/t\/[\d.]+$/, "t/V")),
        [
          ...connect,
          ...request("/a"),
          ...["< HTTP/1.1 302 Found", "< Location: /b", "< Content-Length: 0", "<"],
          "* Closing the connection",
          ...connect,
          ...request("/b"),
          ...["< HTTP/1.1 200 OK", "< Content-Length: 2", "<", "* Closing the connection", ""],
        ],
      );
    },
  ));

test("get: --timing tells when what was done, in words and in JSON", () =>
  withHttp(() => ({ status: 200, body: "hi" }), async (url) => {
    const words = await get(["-q", "--timing", url]);
    assert.equal(words.code, 0);
    const names = words.stderr.trimEnd().split("\n").map((line) => line.split("  ")[0].trim());
    assert.deepEqual(names, ["resolve", "connect", "tls", "first byte", "total", "head", "body"]);
    const { code, stderr } = await get(["--timing", "--log", "json", url]);
    assert.equal(code, 0);
    const timing = JSON.parse(stderr);
    assert.deepEqual([timing.event, timing.status, timing.url], ["timing", 200, `${url}/`]);
    assert.deepEqual([timing.tls, timing.redirect, timing.bodyBytes], [null, 0, 2]);
    const order = [timing.resolve, timing.connect, timing.firstByte, timing.total];
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
  }));

test("get: every line of stderr is JSON with --log json", () =>
  withHttp(() => ({ status: 404, body: "no" }), async (url) => {
    const { code, stderr } = await get(["-v", "--timing", "--log", "json", url]);
    assert.equal(code, 22);
    const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(time))));
    const request = lines.find(({ event }) => event === "request");
    assert.equal(request.startLine, "GET / HTTP/1.1");
    assert.equal(lines.at(-1).level, "error");
  }));

test("get: a terminal shows how far a file is; nothing else does", () =>
  withHttp(
    () => ({ status: 200, body: new Uint8Array(2 * MIB) }),
    (url) =>
      withDir(async (dir) => {
        const args = ["get", "-o", join(dir, "file"), url];
        const shown = await runClient(args, { terminal: "stderr" });
        assert.equal(shown.code, 0);
        assert.match(
          shown.stderr.replaceAll("\x1b[K", ""),
          /file \[#{22,24}\] 100% 2\.0 MiB of 2\.0 MiB {2}[\d.]+ [KMG]?i?B\/s {2}\d:\d\d\n$/,
        );
        for (const args of [["-o", join(dir, "file"), "-q"], []]) {
          assertQuiet(await runClient(["get", ...args, url], { terminal: "stderr" }));
        }
      }),
  ));

test("get: the line of progress has bytes, rate and time left", () => {
  const GIB = 1024 * MIB;
  assert.equal(
    progressLine("a.iso", GIB / 2, GIB, GIB / 4, 2, 99),
    "a.iso [############------------]  50% 512.0 MiB of 1.0 GiB  128.0 MiB/s  0:04 left",
  );
  assert.equal(progressLine("a", 1536, undefined, 1536, 3, 99), "a  1.5 KiB  512 B/s");
  assert.match(
    progressLine("a", 0, 10 * GIB, 0, 0, 99),
    / \[-{24}\] {3}0% 0 B of 10\.0 GiB {2}0 B\/s {2}-:-- left$/,
  );
  assert.match(progressLine("a", MIB, 5 * GIB, MIB, 1, 99), / 1:25:19 left$/);
});

test("get: on a narrow terminal the bar and the name give way to the rate and the time left", () => {
  const of = "943.5 MiB of 1000.0 MiB";
  const line = (width: number) =>
    progressLine("a-very-long-name.iso", 943.5 * MIB, 1000 * MIB, 943.5 * MIB, 1, width);
  assert.equal(
    line(90),
    `a-very-long-name.iso [#############-]  94% ${of}  943.5 MiB/s  0:00 left`,
  );
  assert.equal(line(79), `a-very-long-name.iso  94% ${of}  943.5 MiB/s  0:00 left`);
  assert.equal(line(59), `a-ver…  94% ${of}  943.5 MiB/s  0:00 left`);
  assert.equal(line(39), "a-very-lon…  94% 943.5 MiB/s  0:00 left");
  assert.equal(line(24), "943.5 MiB/s  0:00 left");
  for (let width = 1; width < 120; width++) {
    const short = line(width);
    assert.ok(short.length <= width, short);
    if (width >= 22) assert.match(short, /943\.5 MiB\/s {2}0:00 left$/);
    for (const total of [undefined, 0]) {
      assert.ok(progressLine("name", 0, total, 0, 0, width).length <= width);
    }
  }
});

/** Has a command's terminal made narrower once it shows something, and ends it when that is drawn. */
const NARROWED = `
import fcntl, os, pty, signal, struct, sys, termios
child, terminal = pty.fork()
if child == 0: os.execvp(sys.argv[1], sys.argv[1:])
def resize(columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
resize(100)
shown = b""
while True:
    try: data = os.read(terminal, 65536)
    except OSError: break
    if not data: break
    if b"left" in data: resize(50)
    shown += data
    if shown.count(b"left") == 4: os.kill(child, signal.SIGTERM)
os.write(1, shown)
`;

test("get: the line of progress follows the width of the terminal", () =>
  withRaw([async (conn) => {
    await conn.write(Buffer.from(`${OK}Content-Length: ${2 * MIB}\r\n\r\n`));
    await conn.write(new Uint8Array(MIB));
    await conn.read(new Uint8Array(1));
  }], (url) =>
    withDir(async (dir) => {
      const client = [...programCommand("client"), "get", "-o", join(dir, "file"), url];
      const { stdout } = await runProgram([...PYTHON, "-c", NARROWED, ...client]);
      const lines = stdout.toString().split(/[\r\n]+/).map((line) => line.split("\x1b[K")[0])
        .filter((line) => line.endsWith("left"));
      assert.match(lines[0], /\[[#-]{24}\]/);
      assert.ok(lines[3].length < 50, lines[3]);
    })), ["python3"]);

test("get: --help leads with examples, and has every option and exit code", async () => {
  const { code, stdout, stderr } = await get(["--help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  const help = stdout.toString();
  assert.match(help, /goes on with FILE\.part only/);
  assert.match(help, /from the start/);
  assert.match(help, /^Gets .*\n\n {2}deno run -A client\.ts get http:/);
  for (const n of [0, 1, 2, 3, 6, 7, 18, 22, 23, 28, 35, 47, 52, 56, 60, 63, 70, 130]) {
    assert.match(help, new RegExp(`^  ${n} `, "m"));
  }
});

// Real servers.

/** Goes on with a file of `url` from several places: what -C needs is what an earlier run finds out. */
async function goOn(url: string, dir: string, content: Uint8Array): Promise<void> {
  const file = join(dir, "copy");
  const head = (await get(["-I", url])).stdout.toString();
  const validator = /^etag: (.*)\r$/mi.exec(head)![1];
  for (const length of [1, MIB, content.length]) {
    writeFileSync(`${file}.part`, content.subarray(0, length));
    writeFileSync(`${file}.part.json`, JSON.stringify({ url, validator }));
    const { code, stderr } = await get(["-v", "-C", "-o", file, url]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, length < content.length ? /^< HTTP\/1.1 206/m : /^< HTTP\/1.1 416/m);
    assert.ok(readFileSync(file).equals(content));
  }
}

test("get: from our own server of files, with ranges, validators and codings", () =>
  withDir(async (dir) => {
    const content = randomBytes(5 * MIB);
    const text = "All work and no play makes Jack a dull boy. ".repeat(1000);
    mkdirSync(join(dir, "root"));
    writeFileSync(join(dir, "root", "file"), content);
    // A file that has changed just now has a weak validator, with which there is no going on.
    utimesSync(join(dir, "root", "file"), 1, 1);
    writeFileSync(join(dir, "root", "text.txt"), text);
    await withHttp(fileHandler(join(dir, "root")), async (url) => {
      assertQuiet(await get(["-o", join(dir, "copy"), `${url}/file`]));
      assert.ok(readFileSync(join(dir, "copy")).equals(content));
      await goOn(`${url}/file`, dir, content);
      const packed = await get(["--compressed", "-v", `${url}/text.txt`]);
      assert.equal(packed.stdout.toString(), text);
      assert.match(packed.stderr, /^< Content-Encoding: (br|gzip)$/mi);
    });
  }));

test("get: from Python's http.server", () =>
  withDir(async (dir) => {
    const content = randomBytes(5 * MIB);
    writeFileSync(join(dir, "file"), content);
    mkdirSync(join(dir, "sub"));
    const command = [...PYTHON, "-u", "-m", "http.server", "--bind", "127.0.0.1", "-d", dir, "0"];
    await using server = new Program(command);
    const [, port] = await server.stdout.until(/port (\d+)/);
    const url = `http://127.0.0.1:${port}`;
    assertQuiet(await get(["-o", join(dir, "copy"), `${url}/file`]));
    assert.ok(readFileSync(join(dir, "copy")).equals(content));
    // It redirects /sub to /sub/, and knows no ranges.
    const listing = await get([`${url}/sub`]);
    assertQuiet(listing);
    assert.match(listing.stdout.toString(), /Directory listing/);
    writeFileSync(join(dir, "copy.part"), content.subarray(0, 1000));
    const validator = "Sat, 21 Nov 2020 00:00:00 GMT";
    writeFileSync(join(dir, "copy.part.json"), JSON.stringify({ url: `${url}/file`, validator }));
    assertQuiet(await get(["-C", "-o", join(dir, "copy"), `${url}/file`]));
    assert.ok(readFileSync(join(dir, "copy")).equals(content));
    assertFailed(await get([`${url}/nope`]), 22, /404/);
  }), ["python3"]);

test("get: from nginx, with ranges, validators and gzip", () =>
  withDir(async (dir) => {
    const content = randomBytes(5 * MIB);
    const text = "All work and no play makes Jack a dull boy. ".repeat(1000);
    writeFileSync(join(dir, "file"), content);
    writeFileSync(join(dir, "text.html"), text);
    const port = await freePort();
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${dir}/${name};`).join(" ");
    writeFileSync(
      join(dir, "conf"),
      `daemon off; master_process off; pid ${dir}/pid; error_log stderr notice; events {}
      http { access_log off; ${temp} gzip on;
        server { listen ${OWN_HOST}:${port}; root ${dir}; } }`,
    );
    const path = "PATH=$PATH:/usr/sbin:/usr/local/sbin exec nginx -e stderr";
    await using server = new Program(["sh", "-c", `${path} -p '${dir}' -c '${dir}/conf'`]);
    const url = `http://${OWN_HOST}:${port}`;
    const file = join(dir, "copy");
    // That is what it says when it listens.
    await server.stderr.until(/using the "/);
    const first = await get(["-o", file, `${url}/file`]);
    assert.equal(first.code, 0, first.stderr + server.stderr.text);
    assert.ok(readFileSync(file).equals(content));
    await goOn(`${url}/file`, dir, content);
    const packed = await get(["--compressed", "-v", `${url}/text.html`]);
    assert.equal(packed.stdout.toString(), text);
    assert.match(packed.stderr, /^< Content-Encoding: gzip$/m);
    const part = await get(["--range", "0-9", `${url}/text.html`]);
    assert.equal(part.stdout.toString(), text.slice(0, 10));
  }), ["nginx"]);
