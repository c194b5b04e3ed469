// That nothing stays open is counted in a process of its own: in this one other tests open and close
// files and sockets at the same time.

import assert from "node:assert/strict";
import { runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";

/** Asserts that what `tests/support/descriptors.ts` opens and closes of this kind is all closed in the end. */
export async function assertNoneLeft(
  kind: "tcp" | "unix" | "tls" | "udp" | "relay",
): Promise<void> {
  const { code, stdout, stderr } = await runProgram([
    ...programCommand("tests/support/descriptors", ["-A", "--unstable-net"]),
    kind,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout.toString(), /^\d+ before, \d+ after\n$/);
}
