/**
 * stdout and stderr of a server on Node, where only a terminal holds up who writes to it. The twin of
 * `outputs.deno.ts`.
 *
 * @module
 */

import process from "node:process";
import type { ProgramOutput } from "./program_output.ts";

/** A terminal can be stopped (Ctrl-S), and Node would wait until it goes on. */
function unblocked(stream: ProgramOutput): ProgramOutput {
  type Blocking = { _handle?: { setBlocking?(blocking: boolean): unknown } };
  if (stream.isTTY) (stream as Blocking)._handle?.setBlocking?.(false);
  return stream;
}

/** stdout and stderr, which never hold up who writes to them. */
export function serverOutputs(): {
  readonly stdout: ProgramOutput;
  readonly stderr: ProgramOutput;
} {
  return { stdout: unblocked(process.stdout), stderr: unblocked(process.stderr) };
}
