/**
 * Exit codes: curl's numbers where they mean the same.
 *
 * @module
 */

import type { SocketError } from "../errors.ts";

/** The exit codes by name. */
export const EXIT: {
  readonly ok: 0;
  readonly differed: 1;
  readonly usage: 2;
  readonly notResolved: 6;
  readonly notConnected: 7;
  readonly closedEarly: 18;
  readonly timeout: 28;
  readonly receiveFailed: 56;
  readonly internal: 70;
} = {
  ok: 0,
  differed: 1,
  usage: 2,
  notResolved: 6,
  notConnected: 7,
  closedEarly: 18,
  timeout: 28,
  receiveFailed: 56,
  internal: 70,
};

/** A failure that is no socket's and that users can meet, with the code to exit with. */
export class CliError extends Error {
  /** Always `"CliError"`. */
  override readonly name = "CliError";
  /** One of {@linkcode EXIT}. */
  readonly exitCode: number;

  /** The message is whole sentences: what was tried, why it failed, what to do next. */
  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The codes as lines of the help. */
export const EXIT_HELP = `  0    all went well
  1    the echo differed from what was sent
  2    the command line is not right
  6    a name does not resolve
  7    could not connect, or could not listen
  18   the server closed before all was echoed
  28   a timeout passed
  56   receiving failed
  70   a mistake in this program: please report it
  130  ended by Ctrl-C (SIGINT); 143 by SIGTERM`;

/** The exit code that tells of an error. */
export function exitCodeOf({ code, op }: SocketError): number {
  if (code === "ETIMEDOUT") return EXIT.timeout;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return EXIT.notResolved;
  if (code === "EPIPE") return EXIT.closedEarly;
  return op === "read" || op === "write" || op === "closeWrite"
    ? EXIT.receiveFailed
    : EXIT.notConnected;
}
