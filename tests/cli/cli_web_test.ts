// server.ts web: its command line, what it prints, and curl as its client.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, readdir, readFile, symlink, truncate } from "node:fs/promises";
import process from "node:process";
import { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { ownAddresses } from "../../lib/cli/serving/own_addresses.ts";
import { bytes, randomBytes, readAll, readText, until } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { Program, runProgram } from "../support/peers.ts";
import {
  assertFailed,
  inShell,
  listening,
  programCommand,
  runClient,
  runServer,
  startWeb,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite, type Site } from "../support/site_helpers.ts";

/** Runs curl, and resolves to what it prints. */
async function curl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(["curl", "--silent", "--show-error", ...args]);
  assert.equal(code, 0, stderr);
  return stdout.toString();
}

/** Runs curl, and resolves to the status alone. */
function status(...args: string[]): Promise<string> {
  return curl("--output", "/dev/null", "--write-out", "%{http_code}", ...args);
}

/** Listens on a port of loopback; on 0 for any. */
function occupy(port: number) {
  return systemTransport.listen({ host: "127.0.0.1", port });
}

test("web: --help shows examples, all flags and the exit codes", async () => {
  const { code, stdout, stderr } = await runServer(["web", "--help"]);
  const help = stdout.toString();
  assert.deepEqual([code, stderr], [0, ""]);
  const flags = [
    "--host HOST",
    "--port PORT",
    "--lan",
    "--unix PATH",
    "--unix-mode MODE",
    "--fd N",
    "--systemd",
    "--workers N",
    "--worker-kind processes|threads",
    "--tls-cert FILE",
    "--tls-key FILE",
    "--tls-key-passphrase-file FILE",
    "--tls-dir DIR",
    "--tls-self-signed",
    "--tls-client-ca FILE",
    "--allow CIDR",
    "--deny CIDR",
    "--max-per-address N",
    "--metrics PORT",
    "--drain-delay SECONDS",
    "--proxy-protocol CIDR",
    "--trust-proxy CIDR",
    "--allow-host NAME",
    "--open",
    "--spa",
    "--dotfiles",
    "--cache-control VALUE",
    "--type EXT=TYPE",
    "-H, --header 'NAME: VALUE'",
    "--cors",
    "--auth USER:PASSWORD",
    "--auth-env NAME",
    "--upload",
    "--max-upload BYTES",
    "--max-connections N",
    "--grace SECONDS",
    "--record FILE",
    "--record-format FORMAT",
    "--record-limit BYTES",
    "--redact WHAT",
    "--record-wire",
    "--fault PLAN",
    "--seed N",
    "--watch",
    "-v, --verbose",
    "-q, --quiet",
    "--log text|json",
    "-h, --help",
    "-V, --version",
  ];
  for (const flag of flags) assert.ok(help.includes(`${flag}  `), `${flag} is not in:\n${help}`);
  assert.equal(help.match(/^ {2}(-\w,| {3}) --/gm)?.length, flags.length);
  for (const line of help.split("\n")) assert.ok(line.length <= 100, `Too long: ${line}`);
  assert.match(help, /^ {2}deno run -A server\.ts web /m);
  assert.match(help, /^ {2}npx plainsocket server web /m);
});

test("web: stdout gets the URL, and nothing else; the files are there", async () => {
  await using site = await makeSite({ "index.html": "<h1>Hi</h1>", "a b.txt": "text" });
  await using server = await startWeb([site.root]);
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.equal(await curl(server.url), "<h1>Hi</h1>");
  assert.equal(await curl(`${server.url}a%20b.txt`), "text");
  const { code, stdout, stderr } = await server.program.stop("SIGINT");
  assert.equal(stdout.toString(), `${server.url}\n`);
  assert.equal(code, 0);
  assert.match(stderr, /^serving .*; Ctrl-C stops$/m);
  assert.match(stderr, /^stopped after 2 connections, 0 of them reset\n$/m);
}, ["curl"]);

test("web: without DIR it serves the current directory", async () => {
  await using site = await makeSite({ "here.txt": "here" });
  const command = [...programCommand("server"), "web", "--port", "0"];
  const dir = JSON.stringify(site.root);
  await using server = await listening(new Program(inShell(`cd ${dir} && exec "$@"`, command)));
  assert.equal(await curl(`${server.url}here.txt`), "here");
  await server.program.stderr.until(/^serving the current directory/m);
}, ["curl"]);

test("web: a directory that cannot be served exits 2, and says why", async () => {
  await using site = await makeSite({ "file": "" });
  assertFailed(await runServer(["web", site.path("none")]), 2, /none': there is no such directory/);
  assertFailed(await runServer(["web", site.path("file")]), 2, /file': it is not a directory/);
  // As Python's http.server takes its port.
  assertFailed(
    await runServer(["web", "8080"]),
    2,
    /'8080': .*\. For port 8080 say --port 8080\.$/,
  );
});

test("web: a directory that may not be read or written exits 2", async () => {
  if (process.getuid?.() === 0) return; // root may do everything
  await using site = await makeSite({ "sub/": "" });
  await chmod(site.path("sub"), 0o500);
  assertFailed(await runServer(["web", "--upload", site.path("sub")]), 2, /may not write it/);
  await chmod(site.path("sub"), 0o000);
  assertFailed(await runServer(["web", site.path("sub")]), 2, /may not read it/);
});

test("web: a command line that is not right exits 2, with one line that tells", async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [["a", "b"], /Too many arguments, from 'b' on; web serves one DIR/],
    [["-H", "No colon"], /--header takes 'Name: value' in ASCII, not 'No colon'/],
    [["-H", "a b: c"], /--header takes/],
    [["-H", "X: a\nY: b"], /not 'X: a\\nY: b'/],
    [["-H", "X: é"], /--header takes/],
    [["-H", "Content-Length: 5"], /--header cannot set Content-Length: the server does/],
    [["-H", "content-type: x/y"], /--header cannot set content-type/],
    [["-H", "Cache-Control: no-store"], /--cache-control does/],
    [["--cors", "-H", "Access-Control-Allow-Origin: x"], /--cors does/],
    [["--cors", "-H", "Access-Control-Max-Age: 5"], /--cors does/],
    [["--cache-control", "a\r\nb"], /--cache-control takes/],
    // A variable in a script that is not set must not let everybody in.
    [["--auth", ""], /--auth takes USER:PASSWORD/],
    [["--cache-control", ""], /--cache-control takes a value as in 'max-age=3600', not ''/],
    [["--header", ""], /--header takes 'Name: value' in ASCII, not ''/],
    [["--allow", ""], /--allow takes networks: '' is neither/],
    [["--deny", ""], /--deny takes networks: '' is neither/],
    [["--tls-cert", ""], /--tls-cert takes a path, not ''/],
    [["--tls-key", ""], /--tls-key takes a path, not ''/],
    [["--tls-client-ca", ""], /--tls-client-ca takes a path, not ''/],
    [["--max-upload", ""], /--max-upload takes a whole number/],
    [["--auth", "alone"], /--auth takes USER:PASSWORD/],
    [["--auth", ":secret"], /--auth takes USER:PASSWORD/],
    [["--auth", "user:"], /--auth takes USER:PASSWORD/],
    [["--type", "ts"], /--type takes an extension and a media type, as ts=video\/mp2t, not "ts"/],
    [["--type", "=text/plain"], /--type takes/],
    [["--type", "tar.gz=application/gzip"], /--type takes/],
    [["--type", "a=text"], /--type takes/],
    [["--type", "a=text/plain\r\nX: y"], /--type takes .* not "a=text\/plain\\r\\nX: y"/],
    [["--lan", "--host", "localhost"], /--lan and --host exclude each other/],
    [["--lan", "--host", "127.0.0.1"], /--lan and --host exclude each other/],
    [["--max-upload", "0"], /--max-upload takes a whole number/],
    [["--recv-size", "1"], /Unknown option --recv-size/],
  ];
  for (const [args, message] of wrong) {
    const exit = await runServer(["web", ...args]);
    assertFailed(exit, 2, message, /See 'server\.ts web --help'\.$/);
    assert.equal(exit.stdout.length, 0);
  }
});

test("web: a port that was asked for and is in use exits 7", async () => {
  await using site = await makeSite();
  using listener = await occupy(0);
  const exit = await runServer(["web", "--port", String(listener.addr.port), site.root]);
  assertFailed(exit, 7, /EADDRINUSE/);
});

test("web: the default port is 8080, and if that is in use the next that is free", async () => {
  await using site = await makeSite({ "a.txt": "a" });
  for (let free = true; free;) {
    // Somebody else may have it, which is as good, unless he gives it up just now.
    using listener = await occupy(8080).catch((error) => {
      assert.ok(error instanceof SocketError && error.code === "EADDRINUSE", String(error));
      return undefined;
    });
    await using server = await listening(new InProcess("server", ["web", site.root]));
    free = listener === undefined && server.port === 8080;
    if (free) continue;
    assert.ok(server.port > 8080 && server.port <= 8100, server.url);
    const note = new RegExp(`^port 8080 is in use; port ${server.port} is free$`, "m");
    await server.program.stderr.until(note);
    assert.equal(await curl(`${server.url}a.txt`), "a");
  }
}, ["curl"]);

test("web: needs no more permissions than its address and its directory", async () => {
  const large = randomBytes(1_000_000);
  await using site = await makeSite({ "a.txt": "text", "sub/b.txt": "b", "large": large });
  await symlink("a.txt", site.path("link.txt"));
  let port: number;
  {
    using listener = await occupy(0);
    port = listener.addr.port;
  }
  const permissions = [
    "--no-prompt",
    `--allow-net=127.0.0.1:${port}`,
    `--allow-read=${site.root}`,
    `--allow-write=${site.root}`,
  ];
  const command = programCommand("server", permissions);
  const args = ["web", "--port", String(port), "--upload", site.root];
  await using server = await listening(new Program([...command, ...args]));
  const { url } = server;
  assert.match(await curl(url), /<table/);
  assert.equal(await curl(`${url}link.txt`), "text");
  assert.equal(await curl("--range", "1-2", `${url}a.txt`), "ex");
  for (const name of ["a.txt", "large"]) {
    assert.equal(await status("--head", url + name), "200");
    assert.equal(await status(url + name), "200");
  }
  assert.equal(await status(`${url}none`), "404");
  assert.equal(await status("--upload-file", site.path("a.txt"), `${url}c.txt`), "201");
  assert.equal(await status("--form", `x=@${site.path("a.txt")};filename=d`, url), "303");
}, ["curl"]);

test("web --log json: says who asked with what, and why a request was refused", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb([
    "--log",
    "json",
    "--upload",
    site.root,
  ]);
  const say = async (text: string) => {
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
    await conn.write(bytes(text));
    return await readText(conn, 12);
  };
  const head = "Host: a\r\nX-Request-Id: proxy-7\r\nUser-Agent: one\r\nReferer: http://b/\r\n";
  assert.equal(await say(`GET /a.txt HTTP/1.1\r\n${head}\r\n`), "HTTP/1.1 421");
  const local = "Host: 127.0.0.1\r\n";
  const refusals: readonly (readonly [text: string, status: number, code: string])[] = [
    ["GET / HTTP/1.1\r\n\r\n", 400, "BAD_HOST"],
    ["GET / HTTP/1.1\r\nHost: 127.0.0.1\n\n", 400, "BAD_LINE_END"],
    [`GET /${"x".repeat(20_000)} HTTP/1.1\r\n`, 414, "REQUEST_LINE_TOO_LONG"],
    [`GET / HTTP/1.1\r\nA: ${"x".repeat(70_000)}`, 431, "HEADERS_TOO_LARGE"],
    [`PUT /b HTTP/1.1\r\n${local}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, "BAD_CHUNK"],
    ["GET / HTTP/2.0\r\n\r\n", 505, "BAD_VERSION"],
  ];
  for (const [text, status] of refusals) assert.equal(await say(text), `HTTP/1.1 ${status}`);
  await server.program.stderr.until(/BAD_VERSION/);
  const [first, ...refused] = server.program.stderr.lines.map((line) => JSON.parse(line))
    .filter(({ event }) => event === "request");
  const { requestId, userAgent, referer, target, status, duration } = first;
  assert.deepEqual(
    [requestId, userAgent, referer, target, status, typeof duration],
    ["proxy-7", "one", "http://b/", "/a.txt", 421, "number"],
  );
  assert.deepEqual(
    refused.map(({ status, code }) => [status, code]),
    refusals.map(([, ...rest]) => rest),
  );
});

test("web --log json: an error while a file is sent has the id of its request", async () => {
  await using site = await makeSite({ "large": new Uint8Array(8_000_000) });
  await using server = await startWeb(["--log", "json", site.root]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await conn.write(bytes("GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
  await readText(conn, 12);
  await truncate(site.path("large"));
  await readAll(conn).catch(() => {});
  await server.program.stderr.until(/"event":"request"/);
  const lines = server.program.stderr.lines.map((line) => JSON.parse(line));
  const { requestId, complete } = lines.find(({ event }) => event === "request");
  assert.equal(complete, false);
  const { message } = lines.find(({ message = "" }) => message.startsWith("GET /large"));
  assert.ok(message.startsWith(`GET /large (request ${requestId}): `), message);
});

test("web: each request has a line on stderr; with -q none", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb(["--auth", "ann:secret", site.root]);
  await curl("--user", "ann:secret", `${server.url}a.txt?b="c"`);
  await curl(`${server.url}none`);
  const time = String.raw`\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\]`;
  await server.program.stderr.until(
    new RegExp(
      `^127\\.0\\.0\\.1 - ann ${time} "GET /a\\.txt\\?b=\\\\"c\\\\" HTTP/1\\.1" 200 4$`,
      "m",
    ),
  );
  await server.program.stderr.until(
    new RegExp(`^127\\.0\\.0\\.1 - - ${time} "GET /none HTTP/1\\.1" 401 \\d+$`, "m"),
  );
  await using quiet = await startWeb(["-q", site.root]);
  await curl(`${quiet.url}a.txt`);
  assert.equal((await quiet.program.stop()).stderr, "");
}, ["curl"]);

test("web: --log json makes all of it JSON", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb(["--log", "json", site.root]);
  await curl(`${server.url}a.txt`);
  const { stderr } = await server.program.stop();
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { time, duration, requestId, userAgent, ...request } = lines.find(({ event }) =>
    event === "request"
  );
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  assert.match(userAgent, /^curl\//);
  assert.match(time, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.ok(duration >= 0);
  assert.deepEqual(request, {
    event: "request",
    remoteAddr: "127.0.0.1",
    method: "GET",
    target: "/a.txt",
    status: 200,
    bytes: 4,
    complete: true,
  });
}, ["curl"]);

test("web: -v shows every step of the conversation", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb(["-v", site.root]);
  await curl(`${server.url}a.txt`);
  const { stderr } = await server.program.stop();
  assert.match(stderr, /^waiting for a connection$/m);
  assert.match(stderr, /^connection from 127\.0\.0\.1:\d+$/m);
  assert.match(stderr, /^< GET \/a\.txt HTTP\/1\.1\n/m);
}, ["curl"]);

test("web --spa: without an index.html it says so, and does not start", async () => {
  await using site = await makeSite({ "sub/": "", "public/index.html/": "" });
  for (const dir of [site.root, site.path("public")]) {
    const exit = await runServer(["web", "--spa", dir]);
    assertFailed(
      exit,
      2,
      /with --spa: there is no index\.html in it\. Name the directory that has it/,
    );
  }
});

test("web: flags reach the responses", async () => {
  await using site = await makeSite({
    "index.html": "app",
    ".env": "x",
    "a.ts": "x",
    "b.foo": "x",
  });
  await using server = await startWeb([
    ...["--spa", "--dotfiles", "--cors", "--cache-control", "max-age=60"],
    ...["-H", "X-One: 1", "--header", "X-Empty:"],
    ...["--type", "ts=video/mp2t", "--type", ".FOO=text/html;charset=koi8-r"],
    site.root,
  ]);
  const reply = await curl("--include", `${server.url}some/page`);
  assert.match(reply, /^HTTP\/1\.1 200 /);
  assert.match(reply, /\r\n\r\napp$/);
  for (
    const field of [
      "X-One: 1",
      "X-Empty: ",
      "Access-Control-Allow-Origin: *",
      "Cache-Control: max-age=60",
    ]
  ) assert.ok(reply.includes(`\r\n${field}\r\n`), `${field} is not in:\n${reply}`);
  assert.equal(await curl(`${server.url}.env`), "x");
  for (const [name, type] of [["a.ts", "video/mp2t"], ["b.foo", "text/html;charset=koi8-r"]]) {
    const format = ["--output", "/dev/null", "--write-out", "%{content_type}"];
    assert.equal(await curl(...format, server.url + name), type);
  }
}, ["curl"]);

test("web: curl uploads a file with -T, and a form with -F", async () => {
  await using source = await makeSite({ "large": randomBytes(5_000_000), "small": "small" });
  await using site = await makeSite({ "sub/": "" });
  await using server = await startWeb(["--upload", site.root]);
  const { url } = server;
  assert.equal(await status("-T", source.path("large"), `${url}large`), "201");
  assert.equal(await status("-T", source.path("large"), `${url}large`), "204");
  assert.equal(await status("-T", source.path("small"), "-H", "Expect:", `${url}sub/`), "201");
  const chunked = ["-H", "Transfer-Encoding: chunked"];
  assert.equal(await status("-T", source.path("large"), ...chunked, `${url}chunked`), "201");
  const form = ["-F", `a=@${source.path("large")}`, "-F", `b=@${source.path("small")};filename=ö`];
  assert.equal(await status(...form, `${url}sub/`), "303");
  assert.equal(await status(...form, `${url}sub/`), "409");
  const large = await readFile(source.path("large"));
  for (const name of ["large", "chunked", "sub/large"]) {
    assert.ok(large.equals(await readFile(site.path(name))), name);
  }
  assert.deepEqual((await readdir(site.path("sub"))).sort(), ["large", "small", "ö"]);
}, ["curl"]);

test("web: --max-upload takes a unit", async () => {
  await using site = await makeSite();
  await using server = await startWeb(["--upload", "--max-upload", "10kB", site.root]);
  const put = (size: number) =>
    runClient(["get", "-q", "-X", "PUT", "--data-binary", "x".repeat(size), `${server.url}file`]);
  const { code, stderr } = await put(10_001);
  assert.equal(code, 22);
  assert.match(stderr, / 413 /);
  assert.equal((await put(10_000)).code, 0);
});

test("web: more than --max-upload is 413, and leaves nothing", async () => {
  await using source = await makeSite({ "large": randomBytes(100_001) });
  await using site = await makeSite();
  await using server = await startWeb(["--upload", "--max-upload", "100000", site.root]);
  const large = source.path("large");
  assert.equal(await status("-T", large, `${server.url}x`), "413");
  assert.equal(
    await status("-T", large, "-H", "Transfer-Encoding: chunked", `${server.url}x`),
    "413",
  );
  assert.equal(await status("-F", `x=@${large}`, server.url), "413");
  assert.deepEqual(await readdir(site.root), []);
}, ["curl"]);

test(
  "web: without --upload, one of any size is 405 at once, and names what is allowed",
  async () => {
    await using source = await makeSite({ "large": randomBytes(5_000_000) });
    await using site = await makeSite();
    await using server = await startWeb([site.root]);
    const chunked = ["-H", "Transfer-Encoding: chunked"];
    for (const more of [[], ["-H", "Expect:"], chunked, ["-X", "POST"], ["-X", "DELETE"]]) {
      const head = ["--output", "/dev/null", "--dump-header", "-"];
      const reply = await curl(...head, "-T", source.path("large"), ...more, `${server.url}large`);
      assert.match(reply, /^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD, OPTIONS\r\n/s, more.join(" "));
    }
    assert.deepEqual(await readdir(site.root), []);
  },
  ["curl"],
);

test("web: an upload whose client goes away leaves nothing", async () => {
  await using site = await makeSite();
  await using server = await startWeb(["--upload", site.root]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await conn.write(bytes("PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"));
  await untilCount(site, 1);
  conn.close();
  await untilCount(site, 0);
});

/** Waits until there are so many files. */
async function untilCount(site: Site, count: number): Promise<void> {
  await until(() => readdirSync(site.root).length === count, `${count} files in the folder`);
}

test("web: --auth lets curl -u in, and nobody else", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb(["--auth", "ann:s:ecret", site.root]);
  assert.equal(await curl("-u", "ann:s:ecret", `${server.url}a.txt`), "text");
  assert.equal(await status("-u", "ann:s", `${server.url}a.txt`), "401");
  assert.equal(await status(`${server.url}a.txt`), "401");
}, ["curl"]);

test(
  "web: an upload of any size by somebody else is told what is missing, and not its size",
  async () => {
    await using source = await makeSite({ "large": randomBytes(5_000_000) });
    await using site = await makeSite();
    const limits = ["--upload", "--max-upload", "1000"];
    await using server = await startWeb([...limits, "--auth", "ann:secret", site.root]);
    const large = ["-T", source.path("large"), `${server.url}x`];
    assert.equal(await status(...large), "401");
    assert.equal(await status("-u", "ann:wrong", "-H", "Expect:", ...large), "401");
    assert.equal(await status("-u", "ann:secret", ...large), "413");
    assert.equal(
      await status("-u", "ann:secret", "-H", "Origin: http://a.example", ...large),
      "403",
    );
    await using open = await startWeb([...limits, site.root]);
    const foreign = ["-H", "Host: evil.example", "-T", source.path("large"), `${open.url}x`];
    assert.equal(await status(...foreign), "421");
    assert.deepEqual(await readdir(site.root), []);
  },
  ["curl"],
);

test("web: SIGTERM lets an upload finish, and refuses new ones", async () => {
  await using site = await makeSite();
  await using server = await startWeb(["--upload", "--grace", "1000", site.root]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await conn.write(bytes("PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nhalf"));
  await untilCount(site, 1);
  server.program.kill("SIGTERM");
  await server.program.stderr.until(/^stopping: requests get 1000 s to finish/m);
  await conn.write(bytes("half"));
  assert.match(await readText(conn, 12), /^HTTP\/1\.1 201/);
  const { code } = await server.program.exit();
  assert.equal(code, 0);
  assert.equal(await readFile(site.path("x"), "utf8"), "halfhalf");
});

test("web: an upload that does not finish within --grace is reset, and leaves nothing", async () => {
  await using site = await makeSite();
  await using server = await startWeb(["--upload", "--grace", "0.2", site.root]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await conn.write(bytes("PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nhalf"));
  await untilCount(site, 1);
  assert.equal((await server.program.stop("SIGINT")).code, 130);
  await untilCount(site, 0);
});

test("web: --open opens the URL, and a desktop that cannot is a note", async () => {
  if (process.platform !== "linux") return;
  await using bin = await makeSite({ "xdg-open": '#!/bin/sh\necho "$1" > "$0.opened"\n' });
  await chmod(bin.path("xdg-open"), 0o755);
  await using site = await makeSite();
  const options = { env: { PATH: `${bin.root}:${process.env.PATH}` } };
  {
    await using server = await startWeb(["--open", site.root], options);
    const file = bin.path("xdg-open.opened");
    const opened = () => existsSync(file) ? readFileSync(file, "utf8") : "";
    await until(() => opened() !== "", "the desktop to be called");
    assert.equal(opened(), `${server.url}\n`);
  }
  await using failing = await makeSite({ "xdg-open": "#!/bin/sh\nexit 3\n" });
  await chmod(failing.path("xdg-open"), 0o755);
  await using server = await startWeb(["--open", site.root], {
    env: { PATH: `${failing.root}:${process.env.PATH}` },
  });
  await server.program.stderr.until(/^could not open the browser: xdg-open ended with 3$/m);
  assert.equal(await status(server.url), "200");
}, ["curl"]);

test("web: the addresses of the machine are told, IPv4 first, without those of one link only", () => {
  const common = { netmask: "", mac: "", cidr: null };
  const addresses = ownAddresses(() => ({
    eth0: [
      { ...common, address: "fe80::1", family: "IPv6", internal: false, scopeid: 2 },
      { ...common, address: "fd00::2", family: "IPv6", internal: false, scopeid: 0 },
      { ...common, address: "192.168.1.5", family: "IPv4", internal: false },
    ],
    lo: [{ ...common, address: "127.0.0.1", family: "IPv4", internal: true }],
    none: undefined,
  }));
  const told = addresses?.map(({ address, internal }) => `${address} ${internal}`);
  assert.deepEqual(told, ["192.168.1.5 false", "127.0.0.1 true", "fd00::2 false"]);
});
