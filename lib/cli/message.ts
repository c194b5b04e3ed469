/**
 * What the echo client sends: the message on the command line, the tutorials' one, or stdin.
 *
 * @module
 */

import { fstatSync } from "node:fs";

/** What the clients of the tutorials send. */
export const MESSAGE = "This is the message.  It will be repeated.";

/** The message that the command line asks for; undefined if stdin is to be sent. */
export function messageOf(given: string | undefined): Uint8Array | undefined {
  if (given === "-" || given === undefined && stdinHasData()) return undefined;
  return new TextEncoder().encode(given ?? MESSAGE);
}

/** Whether stdin is a pipe or a file, and not a terminal or nothing. */
function stdinHasData(): boolean {
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isFile() || stdin.isSocket();
  } catch {
    return false;
  }
}
