// The command lines of both scripts: help, version, and what is not right.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { VERSION } from "../../lib/base/version.ts";
import { InProcess } from "../support/in_process.ts";
import { runProgram } from "../support/peers.ts";
import { assertFailed, programCommand, runClient, runServer } from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";

const GENERAL = ["-v, --verbose", "-q, --quiet", "--log text|json", "-h, --help", "-V, --version"];
const INSTRUMENT = [
  "--record FILE",
  "--record-format FORMAT",
  "--record-limit BYTES",
  "--redact WHAT",
  "--record-wire",
  "--fault PLAN",
  "--seed N",
  "--watch",
  "--open",
] as const;

const FLAGS = {
  server: [
    "--host HOST",
    "--port PORT",
    "--backlog N",
    "--unix PATH",
    "--unix-mode MODE",
    "--fd N",
    "--systemd",
    "--metrics PORT",
    "--drain-delay SECONDS",
    "--tls-cert FILE",
    "--tls-key FILE",
    "--tls-key-passphrase-file FILE",
    "--tls-dir DIR",
    "--tls-self-signed",
    "--tls-client-ca FILE",
    "--allow CIDR",
    "--deny CIDR",
    "--max-per-address N",
    "--proxy-protocol CIDR",
    "--workers N",
    "--worker-kind processes|threads",
    "--udp",
    "--recv-size BYTES",
    "--ws",
    "--allow-origin ORIGIN",
    "--deflate",
    "--trust-proxy CIDR",
    "--max-connections N",
    "--idle-timeout SECONDS",
    "--grace SECONDS",
    ...INSTRUMENT,
    ...GENERAL,
  ],
  client: [
    "--host HOST",
    "--port PORT",
    "--connect-timeout SECONDS",
    "--timeout SECONDS",
    "--recv-size BYTES",
    "--unix PATH",
    "--tls",
    "--servername NAME",
    "--cacert FILE",
    "-k, --insecure",
    "--cert FILE",
    "--key FILE",
    "--alpn NAMES",
    "--udp",
    "--datagram-size BYTES",
    "--retries N",
    ...INSTRUMENT,
    ...GENERAL,
  ],
} as const;

for (const script of ["server", "client"] as const) {
  const run = (...args: string[]) => new InProcess(script, args).exit();

  test(`${script}: --help shows examples, protocols, all flags and the exit codes`, async () => {
    const { code, stdout, stderr } = await run("--help");
    const help = stdout.toString();
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(help, new RegExp(`^  deno run -A ${script}\\.ts  +\\w`, "m"));
    assert.match(help, new RegExp(`^  npx plainsocket ${script}  +\\w`, "m"));
    assert.match(
      help,
      new RegExp(`^  deno run -A jsr:@plainsocket/plainsocket/${script}  +\\w`, "m"),
    );
    assert.match(help, /^Protocols:\n {2}echo /m);
    for (const flag of FLAGS[script]) {
      assert.ok(help.includes(`${flag}  `), `${flag} is not in the help:\n${help}`);
    }
    assert.equal(help.match(/^ {2}(-\w,| {3}) --/gm)?.length, FLAGS[script].length);
    assert.match(help, /\b143\b/);
    for (const line of help.split("\n")) assert.ok(line.length <= 100, `Too long: ${line}`);
  });

  test(`${script}: -h and -V are short for --help and --version`, async () => {
    const [h, help, V, version] = await Promise.all(
      ["-h", "--help", "-V", "--version"].map((flag) => run(flag)),
    );
    assert.deepEqual(h, help);
    assert.deepEqual(V, version);
    assert.deepEqual([V.code, V.stdout.toString(), V.stderr], [0, `plainsocket ${VERSION}\n`, ""]);
  });

  const wrong: [args: string[], message: RegExp][] = [
    [["frob"], /Unknown protocol 'frob'.*\becho\b/],
    [["ecoh"], /Unknown protocol 'ecoh'; did you mean echo\? See /],
    [["--recv_size", "16"], /Unknown option --recv_size; did you mean --recv-size\? See /],
    [["--versoin"], /Unknown option --versoin; did you mean --version\? See /],
    [["--prot", "7"], /Unknown option --prot; did you mean --port\? See /],
    [["-x"], /Unknown option -x\b/],
    [["-p", "80"], /Unknown option -p: say --port\. See /],
    [["-A"], /Unknown option -A: it is an option of Deno, and goes before the script\. See /],
    [["--port"], /Option --port needs a value: --port PORT/],
    [["--port", "65536"], /Option --port takes a whole number from [01] to 65535, not '65536'/],
    [["--port", "-1"], /Option --port/],
    [["--port", "ten"], /'ten'/],
    [["--recv-size", "0"], /Option --recv-size takes a whole number from 1 /],
    [["--log", "xml"], /Option --log takes text or json, not 'xml'/],
    [["--verbose=1"], /Option --verbose takes no value/],
    [["--host", "a:80"], /Option --host takes the host alone: write --host a --port 80\. See /],
    script === "server"
      ? [["--grace", "soon"], /Option --grace takes a number of seconds .*'soon'/]
      : [["--timeout", "-5"], /Option --timeout/],
    script === "server"
      ? [["echo", "now"], /Too many arguments, from 'now' on; echo takes options only/]
      : [["echo", "one", "two"], /from 'two' on; put quotes around a message of several words/],
    [["8080"], /Unknown protocol '8080'; there is: echo, .*; say '--port 8080'/],
    script === "server"
      ? [["docs"], /Unknown protocol 'docs'; .*; to serve a directory say 'web docs'/]
      : [["example.com"], /say 'get example.com' for HTTP, or '--host example.com' for echo/],
    script === "server"
      ? [
        ["localhost:80"],
        /say '--host localhost --port 80' to listen there, or 'relay --to localhost:80' to lead there/,
      ]
      : [
        ["[::1]:7"],
        /'get \[::1\]:7' for HTTP, 'connect \[::1\]:7' .*, or '--host ::1 --port 7' for echo/,
      ],
    script === "server"
      ? [["--port", "0", "web", "docs"], /'web' goes before the options/]
      : [["tcp://localhost:10000"], /; say '--host localhost --port 10000'/],
  ];
  test(`${script}: a command line that is not right exits 2, with one line that tells`, async () => {
    for (const [args, message] of wrong) {
      const exit = await run(...args);
      assertFailed(exit, 2, message, new RegExp(`See '${script}\\.ts( echo)? --help'\\.$`));
      assert.equal(exit.stderr.split("\n").length, 2, exit.stderr);
      assert.equal(exit.stdout.length, 0);
    }
  });
}

const USELESS: [run: typeof runServer, args: string[], message: RegExp][] = [
  [runServer, ["--worker-kind", "threads"], /Option --worker-kind needs --workers/],
  [runServer, ["--worker-kind", "processes"], /Option --worker-kind needs --workers/],
  [runServer, ["--workers", "0", "--worker-kind", "threads"], /--worker-kind needs --workers/],
  [runServer, ["--unix", "/s", "--backlog", "511"], /Option --unix cannot be used with --backlog/],
  [runServer, ["--udp", "--backlog", "511"], /Option --udp cannot be used with --backlog/],
  [runServer, ["--unix-mode", "600"], /Option --unix-mode needs --unix/],
  [runServer, ["web", "--max-upload", "1073741824"], /Option --max-upload needs --upload/],
  [
    runServer,
    ["relay", "--to", "localhost:1", "--worker-kind", "threads"],
    /Option --worker-kind needs --workers/,
  ],
  [
    runServer,
    ["chat", "--unix", "/s", "--backlog", "5"],
    /Option --unix cannot be used with --backlog/,
  ],
  [runClient, ["--retries", "3"], /Option --retries needs --udp/],
  [runClient, ["--datagram-size", "5"], /Option --datagram-size needs --udp/],
  [
    runClient,
    ["echo", "hello", "--udp", "--datagram-size", "5"],
    /Option --datagram-size is for stdin: say - in place of the message/,
  ],
  [runClient, ["--alpn", ""], /Option --alpn needs --tls/],
  [runClient, ["connect", "--frame-limit", "9", "a:1"], /Option --frame-limit needs --frame/],
  [
    runClient,
    ["connect", "-z", "--on-eof", "half-close", "a:1"],
    /Options --probe and --on-eof exclude each other/,
  ],
  [
    runClient,
    ["connect", "-z", "--idle-timeout", "5", "a:1"],
    /Options --probe and --idle-timeout exclude each other/,
  ],
  [
    runClient,
    ["get", "-C", "-o", "-", "http://a/"],
    /Option -C \(--continue\) needs a file: -o FILE/,
  ],
];

test("server and client: an option that would mean nothing is refused, and not ignored", async () => {
  for (const [run, args, message] of USELESS) {
    const exit = await run(args);
    assertFailed(exit, 2, message);
    assert.equal(exit.stderr.split("\n").length, 2, exit.stderr);
  }
});

test("client: an empty --host is told so", async () => {
  const exit = await runClient(["--host", ""]);
  assertFailed(
    exit,
    2,
    /Option --host takes a name or an address, not ''; this machine is localhost/,
  );
  assert.equal(exit.stderr.split("\n").length, 2, exit.stderr);
});

test("server: help and --help go before a protocol's name, too", async () => {
  const [web, ...others] = await Promise.all(
    ["web --help", "help web", "--help web", "-h web"].map((args) => runServer(args.split(" "))),
  );
  assert.match(web.stdout.toString(), /^A directory as a web site\./);
  for (const other of others) assert.deepEqual(other, web);
  assert.deepEqual(await runServer(["help"]), await runServer(["--help"]));
});

test("server: the default is echo on localhost port 10000", async () => {
  // The port may be taken, so what counts is what it tries.
  await using program = new InProcess("server", []);
  await program.stderr.until(/^starting up on localhost port 10000\n/);
  await Promise.race([program.stdout.until(/\n/).catch(() => {}), program.exit()]);
});

test("client: the default is to talk to localhost port 10000", async () => {
  await using program = new InProcess("client", []);
  // It ends by itself, whether somebody listens there or not: what looks the name up cannot be ended.
  const { stderr } = await program.exit();
  assert.match(stderr, /^connecting to localhost port 10000\n/);
});

if (runtime !== "Deno") {
  // Deno looks for what a script imports beside the link.
  test("server and client: a script is known through a link, and without its ending", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plainsocket-"));
    try {
      for (const name of ["server", "client"]) {
        const [node, script] = programCommand(name);
        const link = join(folder, basename(script));
        symlinkSync(script, link);
        for (const way of [link, script.replace(/\.js$/, "")]) {
          const { code, stdout } = await runProgram([node, way, "--version"]);
          assert.deepEqual([code, stdout.toString()], [0, `plainsocket ${VERSION}\n`], way);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
