// Real clients and servers with a network in between that breaks as a plan says.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { Random } from "../../lib/base/random.ts";
import { runProgram } from "../support/peers.ts";
import { runClient, startServer } from "../support/scripts.ts";
import { makeSite } from "../support/site_helpers.ts";
import { contentOf, startServing, stillServes, type Subject } from "./subject.ts";

const SIZE = 600_000;

/** For a client that waits 20 times shorter before it tries again. */
const HASTY: Clock = {
  now: () => 20 * systemClock.now(),
  setTimer: (ms, fn) => systemClock.setTimer(ms / 20, fn),
};

/** What a plan does to a transfer: it only takes longer, or it may break off. */
interface Network {
  readonly plan: string;
  readonly loses: boolean;
}

/** The networks of a seed: one of each kind, which breaks or pauses at another byte. */
function networksOf(random: Random): Network[] {
  const at = () => random.integer(SIZE);
  const slow = [
    "delay=5ms±5",
    `split=${1 + random.integer(5000)}`,
    "rate=5m",
    "coalesce=20ms",
    `down: split=${1000 + random.integer(2000)}, delay=1ms`,
    "slowclose=50ms",
  ];
  const lossy = [
    `down: reset@${at()}`,
    `down: close@${at()}`,
    `down: truncate@${at()}`,
    `up: reset@${at()}`,
    `up: close@${at()}`,
    `up: truncate@${at()}`,
    `reset@${1 + random.integer(30)}ms`,
    `close@${1 + random.integer(30)}ms`,
    `down: reset@${at()}, split=1000`,
  ];
  return [
    ...slow.map((plan) => ({ plan, loses: false })),
    ...lossy.map((plan) => ({ plan, loses: true })),
  ];
}

/**
 * Has curl download and upload through a relay, of each kind of network. Where nothing is lost both
 * succeed. Where something is, what curl takes for whole is right, an upload that was acknowledged
 * is there, and one that was not is there whole or not at all.
 */
export async function breakTransfers(subject: Subject): Promise<void> {
  const content = contentOf("big.txt", 1, SIZE);
  await using site = await makeSite({ "big.txt": content });
  await using copies = await makeSite({ "sent": content });
  await using web = await startServing(subject, ["web", "--upload", site.root]);
  await Promise.all(
    networksOf(new Random(subject.seed, 4)).map(async ({ plan, loses }, i) => {
      const to = ["--to", `127.0.0.1:${web.port}`, "--host", "127.0.0.1"];
      const seed = ["--seed", String(subject.seed)];
      await using relay = await startServer(["relay", ...to, "--fault", plan, ...seed]);
      const url = `http://127.0.0.1:${relay.port}`;
      // What has lost bytes waits for them.
      const curl = ["curl", "-fsS", "--max-time", loses ? "1" : "50"];
      const copy = copies.path(`copy-${i}`);
      const download = await runProgram([...curl, "-o", copy, `${url}/big.txt`]);
      if (download.code === 0) {
        assert.ok(readFileSync(copy).equals(content), `${plan}: curl takes for whole what is not`);
      }
      const upload = await runProgram([...curl, "-T", copies.path("sent"), `${url}/new-${i}`]);
      const stored = site.path(`new-${i}`);
      const isThere = existsSync(stored);
      if (isThere) assert.ok(readFileSync(stored).equals(content), `${plan}: half an upload`);
      if (upload.code === 0) assert.ok(isThere, `${plan}: acknowledged, and not there`);
      if (loses) return;
      assert.deepEqual([download.code, upload.code], [0, 0], `${plan}: ${download.stderr}`);
    }),
  );
  await stillServes(web);
}

/**
 * Downloads with `client.ts get --retry -C` through a relay that breaks the first connections, each
 * in another way. The file that appears is whole.
 */
export async function goOn(subject: Subject): Promise<void> {
  const random = new Random(subject.seed, 5);
  const content = contentOf("big.bin", 1, SIZE);
  await using site = await makeSite({ "big.bin": content });
  await using copies = await makeSite();
  await using web = await startServing(subject, ["web", site.root]);
  const faults = ["reset", "close", "truncate"].map((name, i) =>
    `conn=${i + 1}: down: ${name}@${2000 + random.integer(200_000)}`
  );
  const to = ["--to", `127.0.0.1:${web.port}`, "--host", "127.0.0.1"];
  await using relay = await startServer(["relay", ...to, "--fault", faults.join("; ")]);
  const out = copies.path("big.bin");
  const url = `http://127.0.0.1:${relay.port}/big.bin`;
  const args = ["get", "-o", out, "-C", "--retry", "5", "--timeout", "20", url];
  const exit = await runClient(args, { clock: HASTY });
  assert.equal(exit.code, 0, exit.stderr);
  assert.ok(readFileSync(out).equals(content));
}
