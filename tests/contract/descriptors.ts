// That nothing stays open is counted in a process of its own: in this one other tests open and close
// files and sockets at the same time.

import assert from "node:assert/strict";
import { type Exit, runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";

/** What `tests/support/descriptors.ts` opens and closes. */
export type DescriptorKind = "tcp" | "unix" | "tls" | "udp" | "relay";

/** Opens and closes many of each kind, one kind after the other, in one process. */
export function openAndClose(...kinds: DescriptorKind[]): Promise<Exit> {
  const command = programCommand("tests/support/descriptors", ["-A", "--unstable-net"]);
  return runProgram([...command, ...kinds]);
}

/** Asserts that all of a kind that was opened is closed in the end. */
export function assertNoneLeft(kind: DescriptorKind, { stdout, stderr }: Exit): void {
  const counted = new RegExp(`^${kind}: \\d+ before, \\d+ after$`, "m");
  assert.match(stdout.toString(), counted, stderr);
}
