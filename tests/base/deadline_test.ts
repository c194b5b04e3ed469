import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { Backoff, ExhaustionBackoff } from "../../lib/base/backoff.ts";
import { sleep } from "../../lib/base/clock.ts";
import { Deadline, inTime, within } from "../../lib/base/wait.ts";
import { SocketError, TimeLimit } from "../../lib/base/errors.ts";
import { test } from "../support/runner.deno.ts";

/** A clock that counts the timers that have neither rung nor been cancelled. */
class CountingClock extends VirtualClock {
  timers = 0;

  override setTimer(ms: number, fn: () => void): () => void {
    this.timers++;
    let over = false;
    const end = () => {
      if (!over) this.timers--;
      over = true;
    };
    const cancel = super.setTimer(ms, () => {
      end();
      fn();
    });
    return () => {
      end();
      cancel();
    };
  }
}

/** Rejects with the reason of the signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
}

test("deadline: the signal is aborted when the time is over, and says how long it was", async () => {
  const clock = new CountingClock();
  using deadline = new Deadline({ timeout: 1000, clock });
  await clock.advance(999);
  assert.equal(deadline.signal.aborted, false);
  await clock.advance(1);
  const { reason } = deadline.signal;
  assert.ok(reason instanceof TimeLimit);
  assert.equal(reason.limit, 1000);
});

test("deadline: the signal is aborted with the reason of the caller's", () => {
  const controller = new AbortController();
  using deadline = new Deadline({ signal: controller.signal });
  controller.abort("enough");
  assert.equal(deadline.signal.reason, "enough");
  using late = new Deadline({ signal: controller.signal });
  assert.equal(late.signal.reason, "enough");
});

test("deadline: both reasons pass through the function that makes errors of them", async () => {
  const clock = new CountingClock();
  const named = (cause: unknown) => `because of ${(cause as Error).name}`;
  using timed = new Deadline({ timeout: 10, clock }, named);
  await clock.advance(10);
  assert.equal(timed.signal.reason, "because of TimeoutError");
  using aborted = new Deadline({ signal: AbortSignal.abort() }, named);
  assert.equal(aborted.signal.reason, "because of AbortError");
});

test("deadline: once disposed of it is not aborted, and keeps no timer", async () => {
  const clock = new CountingClock();
  const controller = new AbortController();
  const deadline = new Deadline({ signal: controller.signal, timeout: 10, clock });
  assert.equal(clock.timers, 1);
  deadline[Symbol.dispose]();
  assert.equal(clock.timers, 0);
  controller.abort();
  await clock.advance(10);
  assert.equal(deadline.signal.aborted, false);
});

test("deadline: without a time it sets no timer", () => {
  const clock = new CountingClock();
  using _deadline = new Deadline({ timeout: 0, clock });
  assert.equal(clock.timers, 0);
});

test("in time: the work is ended, and when it is done no timer is left", async () => {
  const clock = new CountingClock();
  const late = assert.rejects(inTime({ timeout: 50, clock }, untilAborted), TimeLimit);
  await clock.advance(50);
  await late;
  assert.equal(await inTime({ timeout: 50, clock }, () => Promise.resolve(7)), 7);
  await assert.rejects(inTime({ timeout: 50, clock }, () => Promise.reject(new Error("no"))), /no/);
  assert.equal(clock.timers, 0);
});

test("within: what comes too late is undefined, and an error in time is an error", async () => {
  const clock = new CountingClock();
  const never = within(new Promise(() => {}), 50, clock);
  await clock.advance(50);
  assert.equal(await never, undefined);
  assert.equal(await within(Promise.resolve(7), 50, clock), 7);
  await assert.rejects(within(Promise.reject(new Error("no")), 50, clock), /no/);
  assert.equal(clock.timers, 0);
});

test("sleep: ends when its time is over, or when its signal is aborted", async () => {
  const clock = new CountingClock();
  const slept = sleep(50, clock, new AbortController().signal);
  await clock.advance(50);
  await slept;
  const controller = new AbortController();
  const woken = sleep(50, clock, controller.signal);
  controller.abort();
  await woken;
  await sleep(50, clock, controller.signal);
  assert.equal(clock.timers, 0);
  assert.equal(clock.now(), 50);
});

test("backoff: each wait is twice the one before, up to the longest, until it is reset", () => {
  const backoff = new Backoff(100, 500);
  assert.deepEqual(Array.from({ length: 5 }, () => backoff.next()), [100, 200, 400, 500, 500]);
  backoff.reset();
  assert.equal(backoff.ms, 100);
  assert.equal(backoff.next(), 100);
});

test("backoff: only what goes away by waiting is waited out", () => {
  const backoff = new ExhaustionBackoff();
  assert.equal(backoff.after(new SocketError("EMFILE", "accept")), 5);
  assert.equal(backoff.after(new SocketError("EACCES", "accept")), undefined);
  assert.equal(backoff.after(new Error("another")), undefined);
  assert.equal(backoff.after(new SocketError("ENFILE", "accept")), 10);
});
