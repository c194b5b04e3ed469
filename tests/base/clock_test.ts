import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { test } from "../support/runner.deno.ts";

test("virtual clock: timers ring in their order, at their time, and not when cancelled", async () => {
  const clock = new VirtualClock();
  const rang: string[] = [];
  const ring = (name: string) => () => rang.push(`${name} ${clock.now()}`);
  clock.setTimer(20, ring("b"));
  clock.setTimer(10, ring("a"));
  clock.setTimer(15, ring("cancelled"))();
  clock.setTimer(31, ring("later"));
  clock.setTimer(10, () => clock.setTimer(5, ring("from a timer")));
  await clock.advance(30);
  assert.deepEqual(rang, ["a 10", "from a timer 15", "b 20"]);
  assert.equal(clock.now(), 30);
});

test("virtual clock: what waits on promises runs between two timers", async () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  clock.setTimer(1, () => void Promise.resolve().then(() => order.push("promise")));
  clock.setTimer(2, () => order.push("timer"));
  await clock.advance(2);
  assert.deepEqual(order, ["promise", "timer"]);
});

test("system clock: goes on, and a timer rings once", async () => {
  const before = systemClock.now();
  await new Promise<void>((resolve) => systemClock.setTimer(5, resolve));
  assert.ok(systemClock.now() > before);
  systemClock.setTimer(5, () => assert.fail("cancelled"))();
});

test("system clock: a timer longer than the runtime's longest does not ring at once", async () => {
  const cancel = [Infinity, 2 ** 31].map((ms) =>
    systemClock.setTimer(ms, () => assert.fail(`${ms} ms have not passed`))
  );
  await new Promise<void>((resolve) => systemClock.setTimer(20, resolve));
  for (const stop of cancel) stop();
});
