// Which target a client gets: without sockets, on a clock that tests turn.

import assert from "node:assert/strict";
import { SocketError } from "../../lib/base/errors.ts";
import type { SocketErrorCode } from "../../lib/base/error_codes.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { type BalancedTarget, Balancer } from "../../lib/protocols/balance.ts";
import { mistakes, rejects } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

const { signal } = new AbortController();

/** A target that connects, fails, or answers nothing until it is told. */
class Fake implements BalancedTarget {
  readonly name: string;
  fails: SocketErrorCode | "silent" | undefined;
  /** How many connections were made or tried. */
  dialed = 0;

  constructor(name: string, fails?: Fake["fails"]) {
    this.name = name;
    this.fails = fails;
  }

  readonly dial = (signal: AbortSignal): Promise<Conn> => {
    this.dialed++;
    const { fails } = this;
    const failed = (code: SocketErrorCode) => new SocketError(code, "connect");
    if (fails === undefined) return Promise.resolve({ close() {} } as unknown as Conn);
    if (fails !== "silent") return Promise.reject(failed(fails));
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(failed("ETIMEDOUT")));
    });
  };
}

/** A balancer with its clock, and what it has reported: `a down`. */
function balanced(targets: readonly Fake[], checkInterval?: number) {
  const clock = new VirtualClock();
  const changes: string[] = [];
  const onChange = ({ name, state }: { name: string; state: string }) => {
    changes.push(`${name} ${state}`);
  };
  return { clock, changes, balancer: new Balancer(targets, { checkInterval, onChange, clock }) };
}

/** The names of targets with their connections: `a2 b1`. */
function counts({ targets }: Balancer): string {
  return targets.map(({ name, connections }) => `${name}${connections}`).join(" ");
}

test("balancer: a client gets the target with the fewest connections, and equals take turns", async () => {
  const { balancer } = balanced([new Fake("a"), new Fake("b"), new Fake("c")]);
  const conns: Conn[] = [];
  for (let i = 0; i < 7; i++) conns.push(await balancer.dial(signal));
  assert.equal(counts(balancer), "a3 b2 c2");
  // a has given back all of its own: the next three are for it.
  for (const i of [0, 3, 6]) balancer.release(conns[i]);
  assert.equal(counts(balancer), "a0 b2 c2");
  for (let i = 0; i < 2; i++) await balancer.dial(signal);
  assert.equal(counts(balancer), "a2 b2 c2");
  // A connection ends once, and one of others is not counted.
  balancer.release(conns[0]);
  balancer.release({} as Conn);
  assert.equal(counts(balancer), "a2 b2 c2");
  balancer.close();
});

test("balancer: one client after the other goes around the targets", async () => {
  const targets = [new Fake("a"), new Fake("b"), new Fake("c")];
  const { balancer } = balanced(targets);
  for (let i = 0; i < 9; i++) balancer.release(await balancer.dial(signal));
  assert.deepEqual(targets.map(({ dialed }) => dialed), [3, 3, 3]);
  balancer.close();
});

test("balancer: a target that fails is down at once, and its client gets the next one", async () => {
  const [a, b] = [new Fake("a", "ECONNREFUSED"), new Fake("b")];
  const { balancer, changes } = balanced([a, b]);
  for (let i = 0; i < 5; i++) await balancer.dial(signal);
  assert.deepEqual([a.dialed, b.dialed, counts(balancer)], [1, 5, "a0 b5"]);
  assert.deepEqual(changes, ["a down"]);
  balancer.close();
});

test("balancer: a check finds a target that is down, and one that is back", async () => {
  const [a, b] = [new Fake("a"), new Fake("b", "ECONNREFUSED")];
  const { balancer, changes, clock } = balanced([a, b], 1000);
  await clock.advance(0);
  assert.deepEqual(changes, ["b down"]);
  // Nothing new in the log of checks that show the same.
  await clock.advance(3000);
  assert.deepEqual([a.dialed, b.dialed, changes.length], [4, 4, 1]);
  b.fails = undefined;
  await clock.advance(999);
  assert.equal(changes.length, 1);
  await clock.advance(1);
  assert.deepEqual(changes, ["b down", "b up"]);
  balancer.close();
  await clock.advance(5000);
  assert.equal(a.dialed, 5);
});

test("balancer: a target that does not answer is down after the time of one check", async () => {
  const [a, b] = [new Fake("a", "silent"), new Fake("b")];
  const { balancer, changes, clock } = balanced([a, b], 1000);
  await clock.advance(999);
  assert.deepEqual(changes, []);
  await clock.advance(1);
  assert.deepEqual(changes, ["a down"]);
  // One check of a target at a time.
  assert.ok(a.dialed <= 2);
  balancer.close();
});

test("balancer: clients that wait for a target count, so that they do not all wait for it", async () => {
  const [a, b] = [new Fake("a", "silent"), new Fake("b")];
  const { balancer } = balanced([a, b]);
  const end = new AbortController();
  const waiting = balancer.dial(end.signal);
  await balancer.dial(signal);
  assert.equal(counts(balancer), "a1 b1");
  end.abort();
  await rejects(waiting, "ETIMEDOUT");
  // It was the client that went away.
  assert.deepEqual(balancer.targets.map(({ state }) => state), ["up", "up"]);
  assert.equal(counts(balancer), "a0 b1");
  balancer.close();
});

test("balancer: when all are down each is tried once more, and the error names them", async () => {
  const [a, b] = [new Fake("a", "ECONNREFUSED"), new Fake("b", "EHOSTUNREACH")];
  const { balancer, changes } = balanced([a, b]);
  for (let i = 1; i < 3; i++) {
    const error = await rejects(balancer.dial(signal), "ECONNREFUSED");
    assert.match(error.message, /all of 2 targets failed: a ECONNREFUSED, b EHOSTUNREACH/);
    assert.deepEqual([a.dialed, b.dialed], [i, i]);
  }
  // Whoever finds one that is back needs no check.
  b.fails = undefined;
  await balancer.dial(signal);
  assert.deepEqual(changes, ["a down", "b down", "b up"]);
  balancer.close();
});

test("balancer: a lack of descriptors here is no fault of a target, and no other is tried", async () => {
  const [a, b] = [new Fake("a", "EMFILE"), new Fake("b")];
  const { balancer, changes, clock } = balanced([a, b], 1000);
  await rejects(balancer.dial(signal), "EMFILE");
  await clock.advance(5000);
  assert.deepEqual([changes, counts(balancer)], [[], "a0 b0"]);
  balancer.close();
});

test("balancer: a target that is taken away drains, and may come back", async () => {
  const [a, b] = [new Fake("a"), new Fake("b")];
  const { balancer, changes, clock } = balanced([a, b], 1000);
  const conns = [await balancer.dial(signal), await balancer.dial(signal)];
  balancer.replace([b]);
  for (let i = 0; i < 3; i++) await balancer.dial(signal);
  assert.deepEqual([changes, counts(balancer)], [["a draining"], "a1 b4"]);
  balancer.replace([b, a]);
  assert.deepEqual(changes, ["a draining", "a up"]);
  await balancer.dial(signal);
  assert.equal(counts(balancer), "a2 b4");
  balancer.replace([b]);
  balancer.release(conns[0]);
  assert.equal(changes.length, 3);
  // A target that drains is not checked, and is gone with its last connection.
  const { dialed } = a;
  await clock.advance(5000);
  assert.equal(a.dialed, dialed);
  balancer.replace([new Fake("c")]);
  assert.deepEqual(changes.slice(2), ["a draining", "b draining"]);
  assert.deepEqual(balancer.targets.map(({ name, state }) => `${name} ${state}`), [
    "a draining",
    "b draining",
    "c up",
  ]);
  balancer.close();
});

test("balancer: a target without connections is drained as it is taken away", async () => {
  const [a, b] = [new Fake("a"), new Fake("b")];
  const { balancer, changes } = balanced([a, b]);
  const conn = await balancer.dial(signal);
  balancer.replace([new Fake("c")]);
  assert.deepEqual(changes, ["a draining", "b draining", "b drained"]);
  balancer.release(conn);
  assert.deepEqual(changes.slice(3), ["a drained"]);
  assert.equal(counts(balancer), "c0");
  balancer.close();
});

test("balancer: a mistake in `dial` is no failure of the target, and is not hidden", async () => {
  const mistake = new TypeError("a mistake");
  const { balancer } = balanced([new Fake("a"), new Fake("b")]);
  balancer.replace([{ name: "a", dial: () => Promise.reject(mistake) }]);
  await assert.rejects(balancer.dial(signal), mistake);
  assert.equal(counts(balancer), "a0");
  balancer.close();
});

test("balancer: targets and options that are not right are refused", async () => {
  const a = new Fake("a");
  const [make, list] = [Balancer as never as new (...args: unknown[]) => unknown, /one or more/];
  for (
    const [kind, message, args] of [
      ["TypeError", list, [a]],
      ["RangeError", list, [[]]],
      ["RangeError", list, [[a, new Fake("a")]]],
      ["TypeError", list, [[{ name: "a" }]]],
      ["RangeError", /milliseconds above 0/, [[a], { checkInterval: 0 }]],
      ["TypeError", /no option "interval"/, [[a], { interval: 5 }]],
    ] as const
  ) await mistakes(kind, message, (async () => await new make(...args))());
});
