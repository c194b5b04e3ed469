/**
 * The message of the echo client: the message on the command line, the tutorials' one, or stdin.
 *
 * @module
 */

import type { Io } from "../../io/io.ts";

/** The message of the tutorials' clients. */
export const MESSAGE = "This is the message.  It will be repeated.";

/** The message that the command line asks for; undefined if stdin is to be sent. */
export function messageOf(given: string | undefined, io: Io): Uint8Array | undefined {
  if (given === "-" || given === undefined && io.hasInput()) return undefined;
  return new TextEncoder().encode(given ?? MESSAGE);
}
