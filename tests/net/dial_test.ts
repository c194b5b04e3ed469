import assert from "node:assert/strict";
import { interleave } from "../../lib/base/addr.ts";
import { dial } from "../../lib/dial.ts";
import { type SocketEvent } from "../../lib/observe/events.ts";
import { observe } from "../../lib/observe/observe.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { mistakes, rejects } from "../support/helpers.ts";
import { network, V4, V6 } from "../support/network.ts";
import { test } from "../support/runner.deno.ts";

test("dial: families take turns, from the first address's on (RFC 8305 section 4)", () => {
  const addrs = [...V6, ...V4].map((host) => ({ transport: "tcp" as const, host, port: 1 }));
  assert.deepEqual(interleave(addrs).map(({ host }) => host), [
    V6[0],
    V4[0],
    V6[1],
    V4[1],
    V6[2],
  ]);
  assert.deepEqual(interleave(addrs.toReversed())[0].host, V4[1]);
});

test("dial: attempts start 250 ms apart, and the losers are aborted", async () => {
  const net = await network({
    [V6[0]]: { after: null, ok: true },
    [V6[1]]: { after: null, ok: true },
    [V4[0]]: { after: 300, ok: true },
  });
  const dialing = dial(net.transport, net.options);
  await net.clock.advance(1000);
  using conn = await dialing;
  assert.equal(conn.remoteAddr.host, V4[0]);
  assert.deepEqual(net.tried, [`0 ${V6[0]}`, `250 ${V4[0]}`, `500 ${V6[1]}`]);
  assert.deepEqual(net.ended, [`${V6[0]} ECANCELED`, `${V6[1]} ECANCELED`]);
});

test("dial: a fast first address is the only one tried", async () => {
  const net = await network({
    [V6[0]]: { after: 100, ok: true },
    [V4[0]]: { after: 0, ok: true },
  });
  const dialing = dial(net.transport, net.options);
  await net.clock.advance(1000);
  using conn = await dialing;
  assert.equal(conn.remoteAddr.host, V6[0]);
  assert.deepEqual(net.tried, [`0 ${V6[0]}`]);
});

test("dial: when an attempt fails the next starts at once", async () => {
  const net = await network({
    [V6[0]]: { after: 10, ok: false },
    [V4[0]]: { after: 10, ok: true },
  });
  const dialing = dial(net.transport, net.options);
  await net.clock.advance(20);
  using conn = await dialing;
  assert.deepEqual(net.tried, [`0 ${V6[0]}`, `10 ${V4[0]}`]);
  assert.equal(conn.remoteAddr.host, V4[0]);
});

test("dial: while the winner shakes hands nobody else is tried", async () => {
  const net = await network({
    [V6[0]]: { after: 300, ok: false },
    [V4[0]]: { after: 20, ok: true },
    [V6[1]]: { after: 0, ok: true },
  });
  // A handshake that takes its time: longer than the losers.
  const transport = Object.assign(Object.create(net.transport), {
    startTls: (conn: Conn) =>
      new Promise((resolve) => net.clock.setTimer(2000, () => resolve(conn))),
  });
  const dialing = dial(transport, { ...net.options, tls: {} });
  await net.clock.advance(5000);
  using conn = await dialing;
  assert.equal(conn.remoteAddr.host, V4[0]);
  assert.deepEqual(net.tried, [`0 ${V6[0]}`, `250 ${V4[0]}`]);
});

test("dial: when all addresses fail the error names them all", async () => {
  const net = await network({
    [V6[0]]: { after: 10, ok: false },
    [V4[0]]: { after: 10, ok: false },
  });
  const failing = rejects(dial(net.transport, net.options), "ECONNREFUSED");
  await net.clock.advance(100);
  const error = await failing;
  assert.ok(error.message.includes("example.test:80"), error.message);
  assert.ok(error.message.includes(`[${V6[0]}]:80 ECONNREFUSED, ${V4[0]}:80 ECONNREFUSED`));
  assert.equal((error.cause as AggregateError).errors.length, 2);
});

test("dial: two that succeed at the same moment leave one connection open", async () => {
  const net = await network({
    [V6[0]]: { after: 350, ok: true, deaf: true },
    [V4[0]]: { after: 100, ok: true, deaf: true },
  });
  const dialing = dial(net.transport, net.options);
  await net.clock.advance(1000);
  using conn = await dialing;
  assert.equal(net.made.length, 2);
  const other = net.made.find((made) => made !== conn)!;
  await rejects(other.read(new Uint8Array(1)), "ECLOSED");
});

test("dial: the timeout covers the whole, and is ETIMEDOUT", async () => {
  const net = await network({ [V6[0]]: { after: null, ok: true } });
  const failing = rejects(dial(net.transport, { ...net.options, timeout: 3000 }), "ETIMEDOUT");
  await net.clock.advance(3000);
  assert.match((await failing).message, /example\.test:80: no answer within 3 s/);
  assert.deepEqual(net.ended, [`${V6[0]} ETIMEDOUT`]);
});

test("dial: a timeout says what it hit: the look-up, the connection or the handshake", async () => {
  const net = await network({ [V4[0]]: { after: 10, ok: true } });
  const never = () => new Promise<never>(() => {});
  const cases = [
    [{ resolve: never }, "resolve", /^Cannot resolve .*: the name was not looked up within 10 s/],
    [{ connect: never }, "connect", /^Cannot connect to .*: no answer within 10 s/],
    [{ startTls: never }, "startTls", /^Cannot start TLS with .*: no handshake within 10 s/],
  ] as const;
  const advice = new Set<string>();
  for (const [hangs, op, message] of cases) {
    const transport = { ...net.transport, ...hangs };
    const failing = rejects(dial(transport, { ...net.options, tls: {} }), "ETIMEDOUT");
    await net.clock.advance(10_000);
    const error = await failing;
    assert.equal(error.op, op);
    assert.match(error.message, message);
    advice.add(error.message.split("(ETIMEDOUT). ")[1]);
    // The caller's own timeout does, too.
    const controller = new AbortController();
    const late = dial(transport, { ...net.options, tls: {}, signal: controller.signal });
    const aborted = rejects(late, "ETIMEDOUT");
    await net.clock.advance(1000);
    controller.abort(new DOMException("too late", "TimeoutError"));
    assert.equal((await aborted).op, op);
  }
  assert.equal(advice.size, 3);
});

test("dial: aborted before, between and after", async () => {
  const net = await network({
    [V6[0]]: { after: null, ok: true },
    [V4[0]]: { after: null, ok: true },
  });
  await rejects(
    dial(net.transport, { ...net.options, signal: AbortSignal.abort() }),
    "ECANCELED",
  );
  const controller = new AbortController();
  const { signal } = controller;
  const failing = rejects(dial(net.transport, { ...net.options, signal }), "ECANCELED");
  await net.clock.advance(300);
  controller.abort();
  await failing;
  assert.deepEqual(net.ended, [`${V6[0]} ECANCELED`, `${V4[0]} ECANCELED`]);
  assert.equal(net.tried.length, 2, "an aborted dial starts nothing more");
});

test("dial: a name that does not resolve is ENOTFOUND, a port out of range is a RangeError", async () => {
  const net = await network({});
  await rejects(dial(net.transport, { ...net.options, host: "nowhere.test" }), "ENOTFOUND");
  const wrong = dial(net.transport, { ...net.options, port: 65536 });
  await mistakes("RangeError", /^dial .*port .* not 65536/, wrong);
});

test("dial: every attempt is an event", async () => {
  const net = await network({
    [V6[0]]: { after: 10, ok: false },
    [V6[1]]: { after: null, ok: true },
    [V4[0]]: { after: 260, ok: true },
  });
  const events: SocketEvent[] = [];
  const observed = observe(net.transport, (event) => events.push(event), net.clock);
  const dialing = dial(observed, net.options);
  await net.clock.advance(1000);
  using conn = await dialing;
  assert.equal(conn.remoteAddr.host, V4[0]);
  assert.deepEqual(
    events.map(({ time, type, ...rest }) => `${time} ${type} ${"socket" in rest && rest.socket}`),
    [
      "0 resolve false",
      "0 connect 1",
      "10 error 1",
      "10 connect 2",
      "260 connect 3",
      "270 connected 2",
      "270 error 3",
    ],
  );
});

test("dial: reaches a server on localhost through the system's sockets", async () => {
  using listener = await systemTransport.listen({ host: "localhost" });
  using conn = await dial(systemTransport, { host: "localhost", port: listener.addr.port });
  using accepted = await listener.accept();
  assert.deepEqual(accepted.remoteAddr, conn.localAddr);
});
