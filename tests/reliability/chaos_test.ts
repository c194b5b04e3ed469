// Servers, clients and disks that fail while others are at it. `deno task chaos` does more of it.

import assert from "node:assert/strict";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { testInNamespace } from "../support/namespace.ts";
import { changeFiles, changeLate, fillDisk, passFileLimit } from "./disk.ts";
import { breakTransfers, goOn } from "./faults.ts";
import { drain, killRelayWorkers, killServer, killWebWorkers } from "./stops.ts";

/** `deno task chaos` asserts a second. Far less than the grace of 60 s, also where all is slow. */
const IDLE_MS = 10_000;

const subject = { command: programCommand("server"), seed: 1, inProcess: true };

test("chaos: SIGTERM ends idle connections at once, lets downloads finish, and exits with 0", async () => {
  const took = await drain(subject, 4);
  assert.ok(took < IDLE_MS, `Idle connections ended after ${took} ms`);
});

test("chaos: what a killed server has acknowledged is there, and nothing looks whole that is not", () =>
  killServer(subject));

test("chaos: workers of a relay that are killed are replaced, and no upload looks whole that is not", () =>
  killRelayWorkers(subject));

test("chaos: workers of a web server that are killed are replaced, and what they acknowledged is there", () =>
  killWebWorkers(subject));

testInNamespace(
  "chaos: uploads to a full disk are 507 and leave nothing, and the server goes on",
  () => fillDisk(subject),
);

test("chaos: an upload beyond the largest file that the server may write is 413 and leaves nothing", () =>
  passFileLimit(subject));

test(
  "chaos: what curl takes for a whole download is the file before or after a change",
  () => changeFiles(subject),
  ["curl"],
);

test("chaos: a file that changes while a client waits is sent as it was, or not whole", () =>
  changeLate(subject));

test(
  "chaos: through a network that breaks, curl and the server never take a part for the whole",
  () => breakTransfers(subject),
  ["curl"],
);

test("chaos: get -C --retry has the whole file after connections that broke in three ways", () =>
  goOn(subject));
