// The log of requests: its two formats, that nobody can forge a line, and that it writes in bulk.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { tcpAddr } from "../../../lib/base/addr.ts";
import type { Exchange } from "../../../lib/http/server/options.ts";
import { AccessLog } from "../../../lib/cli/commands/web/access_log.ts";
import { HttpError } from "../../../lib/http/message/errors.ts";
import { readTable } from "../../support/doc_table.ts";
import { until } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";
import { lightRequest, type Question } from "../../support/site_helpers.ts";

const NOW = Date.UTC(2026, 10, 9, 4, 5, 6, 789);

function exchange(question: Question, rest: Partial<Exchange> = {}): Exchange {
  const request = lightRequest(question);
  const { remoteAddr } = request;
  return {
    request,
    remoteAddr,
    status: 200,
    bytes: 5,
    complete: true,
    duration: 1.23456,
    error: undefined,
    ...rest,
  };
}

/** What the log writes for one exchange. */
function lineOf(exchange: Exchange, format: "clf" | "json" = "clf", users = false): string {
  let written = "";
  const log = new AccessLog({ write: (lines) => written += lines, format, users, now: () => NOW });
  log.record(exchange);
  log.flush();
  return written;
}

function basic(text: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(text).toString("base64")}` };
}

test("access log: a line is as Apache writes it, in UTC", () => {
  assert.equal(
    lineOf(exchange({ target: "/a?b=c" })),
    '127.0.0.1 - - [09/Nov/2026:04:05:06 +0000] "GET /a?b=c HTTP/1.1" 200 5\n',
  );
  assert.equal(
    lineOf(exchange({ method: "HEAD", target: "/" }, { status: 404, bytes: 0 })),
    '127.0.0.1 - - [09/Nov/2026:04:05:06 +0000] "HEAD / HTTP/1.1" 404 -\n',
  );
});

test("access log: what was no request has a line, too", () => {
  const { remoteAddr } = exchange({ target: "/" });
  const none = { ...exchange({ target: "/" }), request: undefined, remoteAddr, status: 400 };
  assert.equal(lineOf(none), '127.0.0.1 - - [09/Nov/2026:04:05:06 +0000] "-" 400 5\n');
  const { method, target, status } = JSON.parse(lineOf(none, "json"));
  assert.deepEqual([method, target, status], [undefined, undefined, 400]);
});

test("access log: why a request was refused is in it", () => {
  const error = new HttpError(431, "HEADERS_TOO_LARGE", "The header fields are too large\x1b");
  const refused = exchange({ target: "/" }, { request: undefined, status: 431, error });
  assert.equal(
    lineOf(refused).split("\n")[1],
    "refused a request of 127.0.0.1: The header fields are too large\\x1b (HEADERS_TOO_LARGE)",
  );
  const { status, code, message } = JSON.parse(lineOf(refused, "json"));
  assert.deepEqual([status, code, message], [431, error.code, error.message]);
});

test("access log: a request has the id that X-Request-Id says, if that is fit; or one of its own", () => {
  const idOf = (given?: string) => {
    const headers: Record<string, string> = given === undefined ? {} : { "X-Request-Id": given };
    return JSON.parse(lineOf(exchange({ target: "/", headers }), "json")).requestId;
  };
  for (const fit of ["a", "7b0c.F-_~+/=:@", "x".repeat(128)]) assert.equal(idOf(fit), fit);
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  for (const unfit of [undefined, "", "x".repeat(129), "a b", 'a"', "a,b", "é"]) {
    assert.match(idOf(unfit), uuid);
  }
  assert.notEqual(idOf(), idOf());
});

test("access log: nobody can forge a line or steer a terminal", () => {
  const target = '/"\\\x1b[2J\r\n\x7fé';
  assert.ok(
    lineOf(exchange({ target })).includes(
      '"GET /\\"\\\\\\x1b[2J\\x0d\\x0a\\x7f\\xc3\\xa9 HTTP/1.1" 200 5\n',
    ),
  );
  const headers = basic('a b"\n:secret');
  assert.ok(
    lineOf(exchange({ target: "/", headers }), "clf", true).includes(
      ' - a\\x20b\\"\\x0a [09/Nov',
    ),
  );
  assert.equal(lineOf(exchange({ target }), "json").split("\n").length, 2);
});

test("access log: users have their names in it if there are users, and no password", () => {
  const question = { target: "/", headers: basic("ann:secret") };
  assert.match(lineOf(exchange(question)), /^127\.0\.0\.1 - - \[/);
  const line = lineOf(exchange(question), "clf", true);
  assert.match(line, /^127\.0\.0\.1 - ann \[/);
  const json = lineOf(exchange(question), "json", true);
  assert.equal(JSON.parse(json).user, "ann");
  for (const text of [line, json]) assert.doesNotMatch(text, /secret/);
});

test("access log: as JSON it is one object a line", () => {
  const headers = { "X-Request-Id": "7", "User-Agent": "curl/8", Referer: "http://a/" };
  const line = lineOf(exchange({ target: "/a", headers }, { complete: false }), "json");
  assert.deepEqual(JSON.parse(line), {
    time: "2026-11-09T04:05:06.789Z",
    event: "request",
    requestId: "7",
    remoteAddr: "127.0.0.1",
    method: "GET",
    target: "/a",
    status: 200,
    bytes: 5,
    complete: false,
    duration: 1.235,
    userAgent: "curl/8",
    referer: "http://a/",
  });
});

test("access log: docs/operate.md names the fields of the JSON, and no other", () => {
  const rows = [...readTable("docs/operate.md", "## Log").keys()];
  const named = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const headers = { ...basic("ann:secret"), "User-Agent": "a", Referer: "b" };
  const all = exchange({ target: "/", headers }, {
    error: new HttpError(400, "BAD_FIELD", "It is not right"),
    remoteAddr: { ...tcpAddr("192.0.2.1", 1), via: tcpAddr("192.0.2.2", 2) },
  });
  const fields = Object.keys(JSON.parse(lineOf(all, "json", true)));
  assert.deepEqual(["time", "event", ...named].sort(), fields.sort());
});

test("access log: many lines are written in one go, and none waits for long", async () => {
  const writes: string[] = [];
  const log = new AccessLog({ write: (lines) => writes.push(lines), format: "clf", users: false });
  for (let i = 0; i < 100; i++) log.record(exchange({ target: `/${i}` }));
  assert.equal(writes.length, 0);
  await until(() => writes.length > 0, "the lines to be written");
  assert.equal(writes.length, 1);
  assert.equal(writes[0].split("\n").length, 101);
  log.record(exchange({ target: "/last" }));
  await until(() => writes.length > 1, "the last line to be written");
  assert.match(writes[1], /\/last/);
});

test("access log: what is gathered is bounded", async () => {
  const writes: string[] = [];
  const log = new AccessLog({ write: (lines) => writes.push(lines), format: "clf", users: false });
  const target = `/${"x".repeat(1000)}`;
  for (let i = 0; i < 1000; i++) log.record(exchange({ target }));
  assert.ok(writes.length > 10, `${writes.length} writes`);
  for (const lines of writes) assert.ok(lines.length < 70_000);
  const before = writes.length;
  log.flush();
  log.record(exchange({ target }));
  await until(() => writes.length > before + 1, "what is left to be written");
});
