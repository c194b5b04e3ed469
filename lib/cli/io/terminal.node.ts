/**
 * Whether the process has a terminal, on Node. The twin for Deno is `terminal.deno.ts`.
 *
 * @module
 */

import { isatty } from "node:tty";

/** Whether stdin, stdout or stderr is a terminal. */
export function hasTerminal(): boolean {
  return [0, 1, 2].some(isatty);
}
