// Which signal stops a program, and which ends it.

import assert from "node:assert/strict";
import type { Io } from "../../../lib/cli/io/io.ts";
import { onSignals } from "../../../lib/cli/io/signals.ts";
import { test } from "../../support/runner.deno.ts";

/** Signals of a program, how to send one, and what comes of them. */
function signalled(canFinish = true) {
  const listeners = new Map<string, () => void>();
  const did: string[] = [];
  const io = { onSignal: (name, heed) => void listeners.set(name, heed) } as Pick<Io, "onSignal">;
  const signals = onSignals(io as Io, {
    end: (code) => did.push(`end ${code}`),
    canFinish: () => canFinish,
    stop: (abort) => {
      did.push("stop");
      abort();
    },
  });
  return { signals, did, send: (name: string) => listeners.get(name)!() };
}

test("signals: the first one stops, and the second one ends", () => {
  const { signals, did, send } = signalled();
  send("SIGTERM");
  assert.deepEqual([did, signals.signal.aborted, signals.exitCode()], [["stop"], true, 143]);
  send("SIGINT");
  assert.deepEqual(did, ["stop", "end 130"]);
});

test("signals: one that comes to a program that stops by itself is the first one", () => {
  const { signals, did, send } = signalled();
  signals.stop();
  send("SIGTERM");
  assert.deepEqual([did, signals.signal.aborted], [["stop"], true]);
  send("SIGTERM");
  assert.deepEqual(did, ["stop", "end 143"]);
});

test("signals: the first one ends a program that has nothing to finish", () => {
  const { did, send } = signalled(false);
  send("SIGINT");
  assert.deepEqual(did, ["end 130"]);
});
