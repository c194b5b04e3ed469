// The tests, compiled for Node, on the other runtimes: all of them, or those in files whose names
// contain one of the arguments.

import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { compile, OUT } from "./compile.ts";
import { ROOT, run } from "./program.ts";
import { type Counts, Report } from "./report.ts";
import { bun, nodes, type Runtime } from "./runtimes.ts";

const DEADLINE_MS = 600_000;

/**
 * Those that run on Bun: it is a third implementation of node:net, tested for what sockets do and for
 * what the library does on them. Not for these, which fail there:
 *
 * - workers_test: node:net makes no sockets for processes to inherit;
 * - serve_http_test: a large Response has no length, and one of JSON has another type;
 * - tls_test: a certificate that is self-signed is of an unknown issuer, and who ends first reads a reset;
 * - udp_test: a socket with a peer does not send into a zone;
 * - unix_test: a full backlog is ECONNREFUSED.
 */
const ON_BUN = [
  "transport_test.js",
  "datagram_test.js",
  "semantics_test.js",
  "socket_options_test.js",
  "lost_before_accept_test.js",
  "dial_test.js",
  "serve_test.js",
  "echo_test.js",
  "echo_udp_test.js",
  "relay_test.js",
  "chat_test.js",
  "join_test.js",
  "frames_conn_test.js",
  "http_client_test.js",
  "tls_leaving_test.js",
];

const TESTS = relative(ROOT, join(OUT, "tests"));

const wanted = process.argv.slice(2);

function testFiles(): string[] {
  return readdirSync(join(ROOT, TESTS)).filter((name) =>
    name.endsWith("_test.js") && (wanted.length === 0 || wanted.some((word) => name.includes(word)))
  ).sort();
}

/** How a runtime's test runner is called, and how it reports. */
interface Runner {
  readonly runtime: Runtime;
  readonly args: readonly string[];
  readonly files: readonly string[];
  readonly passed: RegExp;
  readonly failed: readonly RegExp[];
  /** Picks the failures from the output. */
  readonly failures: (output: string) => string;
}

function nodeRunner(runtime: Runtime): Runner {
  return {
    runtime,
    args: ["--test", "--test-reporter=tap"],
    files: testFiles(),
    passed: /^# pass (\d+)/m,
    failed: [/^# fail (\d+)/m, /^# cancelled (\d+)/m],
    // In TAP: a failed test's line and its details, up to a line of three dots; and as comments
    // what the tests themselves printed, which tells why a file did not load.
    failures: (output) =>
      output.match(/^ *not ok [^]*?^ *\.\.\.$|^# (?!Subtest: ).*$/gm)?.join("\n") ?? output,
  };
}

function bunRunner(runtime: Runtime): Runner {
  return {
    runtime,
    args: ["test"],
    files: testFiles().filter((name) => ON_BUN.includes(name)),
    passed: /^ *(\d+) pass$/m,
    failed: [/^ *(\d+) fail$/m, /^ *(\d+) errors?$/m],
    failures: (output) => output,
  };
}

function count(runner: Runner, code: number, output: string): Counts {
  const number = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  const passed = number(runner.passed);
  const failed = runner.failed.map(number).reduce((a, b) => a + b);
  // A runner that ran nothing, or that fell over after the last test, has failed too.
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

const report = new Report();
if (!await report.check("the sources compile for Node", compile)) report.end();
for (const runner of [...(await nodes()).map(nodeRunner), bunRunner(await bun())]) {
  const { runtime, args, files } = runner;
  if (files.length === 0 && wanted.length > 0) continue;
  const ended = await run(
    [runtime.path, ...args, ...files.map((name) => `./${TESTS}/${name}`)],
    { env: runtime.env, deadline: DEADLINE_MS },
  );
  const output = stripVTControlCharacters(ended.output);
  const counts = count(runner, ended.code, output);
  if (counts.failed > 0) console.log(runner.failures(output));
  console.log(`${runtime.name} | ${counts.passed} passed | ${counts.failed} failed`);
  report.add(counts);
}
report.end();
