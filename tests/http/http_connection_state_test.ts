import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { framingOf } from "../../lib/http/message/request_framing.ts";
import { HeadParser } from "../../lib/http/message/request_head.ts";
import {
  ConnectionState,
  type Ending,
  type Failure,
  READING,
  type RequestFacts,
  type Step,
  type Table,
  WRITING,
} from "../../lib/http/message/connection_state.ts";
import { test } from "../support/runner.deno.ts";

/** A table as it is drawn: a line for each state, its next states by event; `.` stands for none. */
function drawn(picture: string): { events: string[]; rows: Map<string, string[]> } {
  const [events, ...lines] = picture.trim().split("\n").map((line) => line.trim().split(/\s+/));
  return { events, rows: new Map(lines.map(([state, ...next]) => [state, next])) };
}

/** Asserts that a table has just what is drawn, and that what is not drawn is refused. */
function assertTable(table: Table<string, string>, picture: string): void {
  const { events, rows } = drawn(picture);
  assert.deepEqual(Object.keys(table), [...rows.keys()]);
  for (const [state, expected] of rows) {
    assert.equal(expected.length, events.length, state);
    const extra = Object.keys(table[state]).filter((event) => !events.includes(event));
    assert.deepEqual(extra, [], state);
    events.forEach((event, i) => {
      assert.equal(table[state][event] ?? ".", expected[i], `${state}: ${event}`);
    });
  }
}

test("what may come from a client follows one table, and nothing else may", () => {
  assertTable(
    READING,
    `
              begin request requestWithBody requestExpecting proceed bodyEnd close  next switch   expire  fail
    idle      head  done    body            expecting        .       .       closed .    .        .       broken
    head      .     done    body            expecting        .       .       closed .    .        expired broken
    expecting .     .       .               .                body    done    .      .    .        .       broken
    body      .     .       .               .                .       done    .      .    .        expired broken
    done      .     .       .               .                .       .       .      idle switched .       broken
    switched  .     .       .               .                .       .       .      .    .        .       broken
    closed    .     .       .               .                .       .       .      .    .        .       broken
    expired   .     .       .               .                .       .       .      .    .        .       expired
    broken    .     .       .               .                .       .       .      .    .        .       broken
    `,
  );
});

test("what may be sent to a client follows one table, and nothing else may", () => {
  assertTable(
    WRITING,
    `
             request head    contentEnd whole switch   refuse   next close  fail
    idle     owed    .       .          .     .        refusing .    .      broken
    owed     .       content .          done  switched refusing .    .      broken
    refusing .       .       .          done  .        .        .    .      broken
    content  .       .       done       .     .        .        .    .      broken
    done     .       .       .          .     .        .        idle closed broken
    switched .       .       .          .     .        .        .    .      broken
    closed   .       .       .          .     .        .        .    .      broken
    broken   .       .       .          .     .        .        .    .      broken
    `,
  );
});

const PLAIN: RequestFacts = { bodyLength: 0, keepAlive: true, expectsContinue: false };
const CHUNKED: RequestFacts = { ...PLAIN, bodyLength: -1 };
const EXPECTING: RequestFacts = { ...PLAIN, bodyLength: 5, expectsContinue: true };
const LAST: RequestFacts = { ...PLAIN, keepAlive: false };

/** All that can happen to a connection; what it returns is told by `returns`. */
const CALLS: Readonly<Record<string, (state: ConnectionState) => unknown>> = {
  begin: (state) => state.begin(),
  plain: (state) => state.request(PLAIN),
  body: (state) => state.request(CHUNKED),
  expecting: (state) => state.request(EXPECTING),
  last: (state) => state.request(LAST),
  proceed: (state) => state.proceed(),
  bodyEnd: (state) => state.bodyEnd(),
  clientClosed: (state) => state.clientClosed(),
  endAfterResponse: (state) => state.endAfterResponse(),
  drain: (state) => state.drain(),
  keepsAlive: (state) => state.keepsAlive(),
  responseHead: (state) => state.responseHead(),
  responseEnd: (state) => state.responseEnd(),
  next: (state) => state.next(),
  switch: (state) => state.switch(),
  closed: (state) => state.closed(),
  expire: (state) => state.expire(),
  refused: (state) => state.fail("refused"),
  lost: (state) => state.fail("lost"),
  mistake: (state) => state.fail("mistake"),
};

/** A connection of at most two requests to which this has happened. */
function after(calls: readonly string[]): ConnectionState {
  const state = new ConnectionState(2);
  for (const call of calls) CALLS[call](state);
  return state;
}

/** All that a connection can be asked. */
function shown(state: ConnectionState) {
  const { reading, writing, requests, underWay, idle, waits, mayStillSend, step } = state;
  return { reading, writing, requests, underWay, idle, waits, mayStillSend, step };
}

/** One thing that happened to a connection, for all states that it can come to. */
interface Happening {
  readonly before: ConnectionState;
  readonly call: string;
  readonly returned: unknown;
  readonly after: ConnectionState;
}

/** Everything that can happen in any state that can be reached, and what is refused. */
function explore(): {
  happenings: Happening[];
  refused: [before: ConnectionState, call: string][];
} {
  const seen = new Set<string>();
  const happenings: Happening[] = [];
  const refused: [ConnectionState, string][] = [];
  const paths: string[][] = [[]];
  for (let path; (path = paths.shift()) !== undefined;) {
    const before = after(path);
    // What is settled when a head is made tells two states apart that look alike.
    const key = JSON.stringify([shown(before), after(path).keepsAlive()]);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const call of Object.keys(CALLS)) {
      const state = after(path);
      try {
        const returned = CALLS[call](state);
        happenings.push({ before, call, returned, after: state });
        paths.push([...path, call]);
      } catch (error) {
        assert.match(
          String(error),
          /^Error: (The event \w+ cannot happen in the state \w+ of|No request may follow)/,
        );
        refused.push([before, call]);
      }
    }
  }
  return { happenings, refused };
}

const { happenings, refused } = explore();

test("a connection comes into these states of reading and writing, and no others", () => {
  const joint = new Set(
    happenings.map(({ after: { reading, writing } }) => `${reading} ${writing}`),
  );
  const pairs = (readings: string, writings: string) =>
    readings.split(" ").flatMap((reading) => writings.split(" ").map((w) => `${reading} ${w}`));
  assert.deepEqual(
    [...joint].sort(),
    [
      ...pairs("idle head closed", "idle"),
      ...pairs("expecting body done", "owed content done closed"),
      "switched switched",
      ...pairs("broken expired", "refusing done closed broken"),
    ].sort(),
  );
});

test("each request gets one response, and none is begun before the last one is whole", () => {
  const isRequest = /^(plain|body|expecting|last)$/;
  for (const { before, call, after } of happenings) {
    if (isRequest.test(call)) {
      assert.match(before.reading, /^(idle|head)$/);
      assert.equal(before.writing, "idle");
      assert.equal(after.writing, "owed");
    }
    if (call === "responseHead") assert.equal(before.writing, "owed");
    if (call === "next") assert.deepEqual([before.reading, before.writing], ["done", "done"]);
  }
  const twice = refused.filter(([{ writing }, call]) => writing === "done" && isRequest.test(call));
  assert.ok(twice.length > 0, "a request before the response to the one before is refused");
});

test("another protocol begins only behind a whole request that is not answered, and no HTTP follows", () => {
  const switches = happenings.filter(({ call }) => call === "switch");
  assert.ok(switches.length > 0);
  for (const { before } of switches) {
    assert.deepEqual([before.reading, before.writing], ["done", "owed"]);
  }
  for (const { before, after } of happenings) {
    if (before.switched) assert.match(after.reading, /^(switched|broken)$/);
  }
});

test("once a connection is to end, nothing has it go on", () => {
  for (const { before, call, after } of happenings) {
    if (before.step === "close") assert.equal(after.step, "close", call);
  }
  assert.deepEqual(
    [
      ...new Set(
        happenings.filter(({ before, after }) =>
          before.step !== after.step && after.step === "close"
        ).map(({ call }) => call),
      ),
    ].sort(),
    [
      "body",
      "endAfterResponse",
      "expecting",
      "expire",
      "keepsAlive",
      "last",
      "lost",
      "mistake",
      "plain",
      "refused",
      "switch",
    ],
  );
});

test("after a response comes the next request only if all of this one has come", () => {
  const steps: Record<string, Step> = { done: "request", body: "discard" };
  for (const { before } of happenings) {
    if (before.writing !== "done" || before.requests === 0) continue;
    // The head of its response has settled that.
    if (before.reading === "expecting") before.keepsAlive();
    const { reading, step } = before;
    assert.ok(step === "close" || step === steps[reading], `${reading}: ${step}`);
  }
});

test("100 is sent to a client that waits for it, once, and not behind the head of a response", () => {
  for (const { before, call, returned, after } of happenings) {
    if (call !== "proceed") continue;
    assert.equal(returned, before.reading === "expecting" && before.writing === "owed");
    assert.equal(after.reading, before.reading === "expecting" ? "body" : before.reading);
    assert.equal(after.proceed(), false);
  }
});

test("what goes wrong ends a connection as what has been sent of the response demands", () => {
  const failures: Record<string, Failure> = {
    refused: "refused",
    expire: "refused",
    lost: "lost",
    mistake: "mistake",
  };
  const expected = (writing: string, what: Failure): Ending =>
    what === "mistake" || writing === "content"
      ? "reset"
      : what === "refused" && /^(idle|owed)$/.test(writing)
      ? "refuse"
      : "close";
  const seen = new Set<unknown>();
  for (const { before, call, returned, after } of happenings) {
    if (!(call in failures)) continue;
    const settled = before.reading === "expired";
    assert.equal(returned, settled ? undefined : expected(before.writing, failures[call]));
    assert.equal(after.step, "close");
    assert.match(after.reading, call === "expire" || settled ? /^expired$/ : /^broken$/);
    if (!settled) assert.equal(after.writing, returned === "refuse" ? "refusing" : "broken");
    seen.add(returned);
  }
  assert.deepEqual(seen, new Set(["refuse", "close", "reset", undefined]));
});

test("a server that stops answers what has come, waits for the first request and for what has begun, and for nothing else", () => {
  for (const { call, after } of happenings) {
    if (call !== "drain") continue;
    assert.equal(after.waits, after.requests === 0 || after.reading === "head");
    assert.equal(after.keepsAlive(), false);
  }
});

test("a connection is idle between requests only, and a request is under way until it is answered", () => {
  for (const { after: { reading, writing, idle, underWay } } of happenings) {
    assert.equal(idle, reading === "idle" && writing === "idle");
    assert.equal(underWay, writing === "owed" || writing === "content");
  }
});

/** The state after a head was received, as it is on the wire. */
function received(head: string): ConnectionState {
  const bytes = Buffer.from(`${head.replaceAll("\n", "\r\n")}\r\n\r\n`);
  const parser = new HeadParser();
  assert.equal(parser.parse(bytes, 0, bytes.length), bytes.length);
  const state = new ConnectionState();
  state.request(framingOf(parser.take()));
  return state;
}

test("a connection is kept as the version and the field Connection of its request say", () => {
  const kept: readonly [head: string, kept: boolean][] = [
    ["GET / HTTP/1.1\nHost: a", true],
    ["GET / HTTP/1.1\nHost: a\nConnection: keep-alive", true],
    ["GET / HTTP/1.1\nHost: a\nConnection: close", false],
    ["GET / HTTP/1.1\nHost: a\nConnection: Close", false],
    ["GET / HTTP/1.1\nHost: a\nConnection: keep-alive, close", false],
    ["GET / HTTP/1.1\nHost: a\nConnection: keep-alive\nConnection: close", false],
    ["GET / HTTP/1.1\nHost: a\nConnection: x-close", true],
    ["GET / HTTP/1.0", false],
    ["GET / HTTP/1.0\nConnection: keep-alive", true],
    ["GET / HTTP/1.0\nConnection: Keep-Alive", true],
    ["GET / HTTP/1.0\nConnection: keep-alive, close", false],
    ["GET / HTTP/1.0\nConnection: TE", false],
  ];
  for (const [head, expected] of kept) {
    const state = received(head);
    assert.equal(state.keepsAlive(), expected, head);
    state.responseEnd();
    assert.equal(state.step, expected ? "request" : "close", head);
  }
});

const POST = "POST / HTTP/1.1\nHost: a\nContent-Length: 5";

test("a connection whose body was read is kept, and the rest of another one is discarded first", () => {
  const read = received(POST);
  assert.equal(read.proceed(), false);
  read.bodyEnd();
  assert.equal(read.keepsAlive(), true);
  read.responseEnd();
  assert.equal(read.step, "request");

  const unread = received(POST);
  assert.equal(unread.keepsAlive(), true);
  unread.responseEnd();
  assert.equal(unread.step, "discard");
  unread.bodyEnd();
  assert.equal(unread.step, "request");
  unread.next();
  assert.equal(unread.idle, true);
});

test("too much of a body that nobody wants ends the connection, and the client may be sending", () => {
  const state = received(POST);
  state.keepsAlive();
  state.responseEnd();
  state.endAfterResponse();
  assert.equal(state.step, "close");
  assert.equal(state.mayStillSend, true);
});

test("a client that was answered without its 100 is not waited for", () => {
  const state = received(`${POST}\nExpect: 100-continue`);
  assert.equal(state.reading, "expecting");
  assert.equal(state.keepsAlive(), false);
  state.responseEnd();
  assert.equal(state.step, "close");
  assert.equal(state.mayStillSend, true);
});

test("a client that did not wait for its 100 is kept once its body is there", () => {
  const state = received(`${POST}\nExpect: 100-continue`);
  state.bodyEnd();
  assert.equal(state.proceed(), false);
  assert.equal(state.keepsAlive(), true);
  state.responseEnd();
  assert.equal(state.step, "request");
});

test("the last of the requests that a connection may have ends it, and surprises the client", () => {
  const state = new ConnectionState(2);
  const answer = (): boolean => {
    state.request(PLAIN);
    const kept = state.keepsAlive();
    state.responseEnd();
    return kept;
  };
  assert.equal(answer(), true);
  assert.equal(state.mayStillSend, false);
  state.next();
  assert.equal(answer(), false);
  assert.equal(state.mayStillSend, true);
  assert.equal(state.step, "close");
});

test("a server that stops while a response is sent still answers what had come behind it", () => {
  const state = new ConnectionState();
  state.request(PLAIN);
  assert.equal(state.keepsAlive(), true);
  state.responseHead();
  state.drain();
  state.responseEnd();
  assert.equal(state.step, "request");
  state.next();
  assert.equal(state.waits, false);
  state.request(PLAIN);
  assert.equal(state.keepsAlive(), false);
});
