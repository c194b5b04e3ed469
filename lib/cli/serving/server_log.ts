/**
 * Notes of a server in the log: that it stops, errors, and its summary.
 *
 * @module
 */

import type { AccessList } from "../../serve/access_list.ts";
import { counted } from "../../base/counted.ts";
import { SocketError } from "../../base/errors.ts";
import type { ServeSummary } from "../../serve/serve.ts";
import { EXIT } from "../io/exit.ts";
import type { Log } from "../io/log.ts";
import type { Signals } from "../io/signals.ts";

/** A log line about the clients of a server that stops within a number of seconds. */
const STOPS = {
  connections: (seconds: number) => `connections get ${seconds} s to finish`,
  requests: (seconds: number) => `requests get ${seconds} s to finish`,
  webSockets: (seconds: number) => `WebSockets are closed with 1001, within ${seconds} s`,
  members: (seconds: number) => `members hear Goodbye and are disconnected, within ${seconds} s`,
};

/** The clients of a server, as the log calls them when it stops. */
export type Stopped = keyof typeof STOPS;

/**
 * Logs, when a signal stops the server, what happens to its clients within `drainTimeout`
 * milliseconds.
 */
export function logStop(who: Stopped, drainTimeout: number, log: Log, { signal }: Signals): void {
  signal.addEventListener("abort", () => {
    log.note(`stopping: ${STOPS[who](drainTimeout / 1000)}, Ctrl-C ends at once`);
  });
}

/** Logs what went wrong with a peer, or where a programming error happened. */
export function logFailure(error: unknown, log: Log): void {
  if (!(error instanceof SocketError)) logMistake(error, log);
  else if (!log.verbose) log.note(error.message); // with -v the transcript has it
}

/**
 * Logs where a programming error happened, after `prefix`, such as the request. A SocketError is not
 * logged: peers cause those.
 */
export function logMistake(error: unknown, log: Log, prefix = ""): void {
  if (!(error instanceof SocketError)) log.mistake(error, prefix);
}

/** Returns the summary of a server in words. `refused` is undefined if everyone may connect. */
export function describeSummary(
  { accepted, reset }: Pick<ServeSummary, "accepted" | "reset">,
  refused: number | undefined,
): string {
  const more = refused === undefined ? "" : `; ${refused} more refused`;
  return `stopped after ${counted(accepted, "connection")}, ${reset} of them reset${more}`;
}

/** Logs the summary of a server that a signal has stopped; returns the exit code. */
export function conclude(
  summary: Pick<ServeSummary, "accepted" | "reset">,
  access: AccessList | undefined,
  log: Log,
  signals: Signals,
): number {
  log.note(describeSummary(summary, access?.refused));
  return summary.reset === 0 ? EXIT.ok : signals.exitCode();
}
