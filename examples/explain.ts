// What the examples do when something goes wrong that is no mistake of theirs, such as a port that is
// taken, or none.

import process from "node:process";

/** Prints the message of an error that has a code, and ends the program. */
export function explain(error: unknown): never {
  const { code, message } = error as Error & { code?: string };
  if (code === undefined) throw error; // that is a bug, and the stack tells where
  console.error(message);
  process.exit(1);
}
