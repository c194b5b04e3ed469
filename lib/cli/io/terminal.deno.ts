/**
 * Whether the process has a terminal, on Deno, where loading `node:tty` takes 6 ms. The twin for Node is
 * `terminal.node.ts`.
 *
 * @module
 */

/** Whether stdin, stdout or stderr is a terminal. */
export function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}
