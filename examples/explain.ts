// What the examples do when something goes wrong that is no mistake of theirs, such as a port that is
// taken, or no server where one should be.

import process from "node:process";
import { SocketError } from "../mod.ts";

/** Prints the message of a SocketError, which says what to do next, and ends the program. */
export function explain(error: unknown): never {
  if (!(error instanceof SocketError)) throw error; // that is a bug, and the stack tells where
  console.error(error.message);
  process.exit(1);
}
