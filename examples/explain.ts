// What the examples do on an error that is not a bug of theirs, such as a port that is in use.

import process from "node:process";

/** Prints the message of an error that has a code, and ends the program. */
export function explain(error: unknown): never {
  const { code, message } = error as Error & { code?: string };
  if (code === undefined) throw error; // that is a bug, and the stack shows where
  console.error(message);
  process.exit(1);
}
