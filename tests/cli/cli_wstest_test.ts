// `client.ts wstest`: a right server passes all, and a server with one flaw fails what is about that.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { serveHttp } from "../../lib/http/mod.ts";
import { websocket } from "../../lib/http/ws/mod.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { sectionsFor } from "../../lib/cli/commands/wstest/cases/all.ts";
import { turn } from "../support/helpers.ts";
import { folder } from "../support/replay_helpers.ts";
import { test } from "../support/runner.deno.ts";
import { assertFailed, runClient } from "../support/scripts.ts";
import { type Flaw, wsEcho } from "../support/ws_echo.ts";

/** Patient with a busy machine: what is right never waits so long. */
const wstest = (...args: string[]) => runClient(["wstest", "--parallel", "32", ...args]);

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly sections: readonly {
    readonly name: string;
    readonly cases: readonly Readonly<Record<string, string>>[];
  }[];
}

test("client wstest: a server that keeps the protocol passes every case", async () => {
  await using server = await wsEcho();
  const { code, stdout } = await wstest(server.url, "--timeout", "60");
  assert.match(stdout.toString(), /\n {3}All +401 passed, 2 skipped\n$/);
  assert.doesNotMatch(stdout.toString(), /FAILED|non-strict/);
  assert.equal(code, 0);
});

test("client wstest: our own server fails no case", async () => {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const echo = websocket(async (ws) => {
    for await (const message of ws) await ws.write(message);
  }, { deflate: true });
  const server = serveHttp(listener, echo);
  const { code, stdout } = await wstest(`ws://127.0.0.1:${listener.addr.port}/`, "--timeout", "60");
  await server.stop();
  assert.doesNotMatch(stdout.toString(), /FAILED/);
  assert.equal(code, 0);
});

test("client wstest: many cases at a time are no reason for the runtime to warn", async () => {
  const warnings: string[] = [];
  const onWarning = ({ message }: Error) => void warnings.push(message);
  process.on("warning", onWarning);
  await using server = await wsEcho();
  await wstest(server.url, "--timeout", "60", "--only", "2.4,2.5");
  await turn(); // warnings come a turn later
  process.removeListener("warning", onWarning);
  assert.deepEqual(warnings, []);
});

/** Ids by group: `2.4: 1-14` are `2.4-1` to `2.4-14`. */
type Ids = Readonly<Record<string, readonly number[]>>;

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

/** What a server with a flaw fails, and does not do strictly, among the cases of these groups. */
const FLAWS: readonly (readonly [Flaw, only: readonly string[], failed: Ids, nonStrict?: Ids])[] = [
  ["takes any version", ["1.4", "1.5"], { "1.5": upTo(5) }],
  ["takes any key", ["1.4", "1.5"], { "1.4": upTo(5) }],
  ["takes reserved bits", ["2.4", "2.5", "8.5"], { "2.4": upTo(14), "8.5": upTo(4) }],
  ["takes reserved opcodes", ["2.4", "2.5"], { "2.5": upTo(20) }],
  ["takes frames without a mask", ["2.5", "2.6"], { "2.6": upTo(4) }],
  ["takes long lengths", ["2.1", "2.3"], {}, { "2.3": upTo(5) }],
  ["mixes messages", ["3"], { "3.4": upTo(5) }],
  ["takes large control frames", ["4.3-1", "4.3-2", "4.4"], { "4.3": [1, 2] }],
  ["takes fragmented control frames", ["4"], { "4.4": upTo(4) }],
  ["answers Ping after the message", ["3", "4"], {}, { "3.2": [1, 2, 4] }],
  ["checks no UTF-8", ["5.1", "5.3", "6.2"], { "5.3": upTo(52), "6.2": [5, 6] }],
  ["checks UTF-8 at the end", ["5"], {}, { "5.5": upTo(14) }],
  ["closes with 1011", ["2.4", "6"], {}, {
    "2.4": upTo(14),
    "6.2": [4, 5, 6],
    "6.3": [1],
    "6.4": upTo(7),
    "6.5": [4, 5, 6, 7, 8, 9],
  }],
  ["takes any close code", ["6.1", "6.3", "6.4"], { "6.3": [1], "6.4": upTo(7) }],
  ["answers no Close", ["2.1", "6.1", "6.8"], { "6.1": upTo(15), "6.8": [1] }],
  ["goes on after Close", ["6.6-1", "6.6-2", "6.9"], { "6.6": [1, 2] }],
  ["inflates anything", ["8.3", "8.6"], { "8.6": [1, 2, 3] }],
  ["takes any offer", ["8.1-1", "8.2", "8.3"], { "8.2": upTo(9) }],
];

for (const [flaw, only, failed, nonStrict = {}] of FLAWS) {
  test(`client wstest: a server that ${flaw} fails what is about that, and no more`, async () => {
    await using server = await wsEcho(flaw);
    const patterns = only.flatMap((pattern) => ["--only", pattern]);
    const { code, stdout } = await wstest(server.url, "--json", "-", ...patterns);
    const report: Report = JSON.parse(stdout.toString());
    const found = (verdict: string) =>
      report.sections.flatMap(({ cases }) => cases).filter((one) => one.verdict === verdict)
        .map(({ id }) => id).sort();
    const ids = (groups: Ids) =>
      Object.entries(groups).flatMap(([group, numbers]) => numbers.map((n) => `${group}-${n}`))
        .sort();
    assert.deepEqual(found("fail"), ids(failed));
    assert.deepEqual(found("non-strict"), ids(nonStrict));
    assert.equal(code, Object.keys(failed).length === 0 ? 0 : 1);
  });
}

test("client wstest: a server that does not answer fails in time", async () => {
  await using server = await wsEcho("answers no Ping");
  const { code, stdout } = await wstest(server.url, "--only", "4.1-1", "--timeout", "1");
  assert.equal(code, 1);
  const [, line] = stdout.toString().split("\n");
  assert.match(
    line,
    /^ {3}FAILED 4\.1-1 {2}a Ping without a payload: a Pong does not come back; sent 8980\w{8}; expected pong ""; got nothing; RFC 6455 5\.5\.2: A Ping is answered /,
  );
});

test("client wstest: a server that floods does no harm: the case fails", async () => {
  await using server = await wsEcho("floods");
  const { code, stdout } = await wstest(server.url, "--only", "4.1-1", "--only", "4.1-2");
  assert.equal(code, 1);
  assert.match(stdout.toString(), /FAILED 4\.1-1 .*: it sends more than 10,000 messages;/);
  assert.match(stdout.toString(), /All +0 passed, 2 failed/);
});

test("client wstest: what is left when --max-time is over is skipped", async () => {
  await using server = await wsEcho("answers no Ping");
  const args = ["--only", "4.1", "--timeout", "0.2", "--max-time", "0.1", "--parallel", "1"];
  const { code, stdout } = await wstest(server.url, ...args);
  assert.match(stdout.toString(), /All +0 passed, 1 failed, 7 skipped/);
  assert.equal(code, 1);
});

test("client wstest: the report as JSON has each case, with what was sent, expected and got", async () => {
  await using server = await wsEcho();
  using place = folder();
  const file = join(place.path, "report.json");
  const { code, stdout } = await wstest(server.url, "--json", file, "--only", "4.3");
  assert.equal(code, 0);
  assert.match(stdout.toString(), /^4 {2}Control frames {2}4 passed\n/);
  const report: Report = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(report.counts, { pass: 4, "non-strict": 0, fail: 0, skipped: 0 });
  const { sent, ...one } = report.sections[0].cases[0];
  assert.match(sent, /^8186[0-9a-f]+… \(\d+ bytes\)$/);
  assert.deepEqual(one, {
    id: "4.3-1",
    rfc: "RFC 6455 5.5",
    rule: "A control frame has at most 125 bytes.",
    title: "a Ping with 126 bytes",
    verdict: "pass",
    expected: "Close with 1002",
    got: 'text "before", Close with 1002',
  });
});

test("client wstest: --list shows the cases, also some, and needs no server", async () => {
  const all = (await wstest("--list")).stdout.toString();
  assert.match(all, /^1 {2}Opening handshake\n {2}1\.1-1 {4}RFC 6455 4\.2 {6}the usual request\n/);
  assert.equal(all.match(/^ {2}\d/gm)!.length, 403);
  const some = (await wstest("--list", "--only", "second close", "--only", "2.6")).stdout
    .toString();
  assert.deepEqual(some.match(/^\d.*/gm), ["2  Framing", "6  Closing"]);
});

test("client wstest: no two cases have the same id, and each has a sentence of its RFC", () => {
  for (const side of ["server", "client"] as const) {
    const cases = sectionsFor(side).flatMap(({ cases }) => cases);
    assert.equal(new Set(cases.map(({ id }) => id)).size, cases.length);
    for (const { rfc, rule } of cases) {
      assert.match(rfc, /^RFC (6455|7692) \d/);
      assert.match(rule, /^[A-Z].*\.$/);
    }
  }
});

test("client wstest: a server that cannot be tested is one line, and why", async () => {
  await using masks = await wsEcho("masks its frames");
  assertFailed(
    await wstest(masks.url),
    22,
    /Cannot test ws:\/\/[\d.:]+\/: it does not send back a text message: its frame is masked\. Name /,
  );
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const url = `ws://127.0.0.1:${listener.addr.port}/`;
  const silent = listener.accept();
  assertFailed(
    await wstest(url, "--timeout", "0.1"),
    22,
    /the handshake fails: nothing comes back/,
  );
  (await silent).close();
  listener.close();
  assertFailed(await wstest(url), 7, /Cannot connect to 127\.0\.0\.1/);
});

test("client wstest: wrong use is one line", async () => {
  const lines: readonly (readonly [string[], number, RegExp])[] = [
    [[], 2, /wstest needs a URL, as ws:\/\/localhost:9001\/\. See 'client\.ts wstest --help'/],
    [
      ["localhost:9001"],
      2,
      /'localhost:9001' is not a URL of a WebSocket: write ws:\/\/HOST:PORT\//,
    ],
    [["ws://:1/"], 3, /it names no host/],
    [["ws://a/", "b"], 2, /Too many arguments, from 'b' on; wstest takes one URL/],
    [["ws://a/", "--only", "9.9"], 2, /No case is named '9\.9'; --list shows them/],
    [["ws://a/", "--list"], 2, /Option --list cannot be used with a URL/],
    [["ws://a/", "--timeout", "0"], 2, /Option --timeout takes more than 0/],
    [["ws://a/", "--parallel", "0"], 2, /takes a whole number from 1 to 64/],
  ];
  for (const [args, code, message] of lines) {
    assertFailed(await runClient(["wstest", ...args]), code, message);
  }
});
