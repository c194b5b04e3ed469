/**
 * The outcome of an echo, for those who asked for it.
 *
 * @module
 */

import { counted } from "../../../base/counted.ts";
import type { EchoOutcome } from "./tcp_exchange.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import type { Log } from "../../io/log.ts";

/**
 * Logs that all came back, and returns the exit code; throws a {@linkcode CliError} if not. `total` is
 * how many bytes there are to send, where that is known.
 */
export function logOutcome(
  { sent, received, differsAt, complete }: EchoOutcome,
  log: Log,
  total?: number,
): number {
  if (differsAt !== undefined) {
    throw new CliError(
      EXIT.differed,
      `The echo differs from what was sent, from byte ${differsAt} on.`,
    );
  }
  if (!complete) {
    const most = counted(total ?? sent, "byte");
    const more = total !== undefined ? "" : " or more";
    throw new CliError(
      EXIT.closedEarly,
      `The server closed after echoing ${received} of ${most}${more}.`,
    );
  }
  log.note(`sent ${counted(sent, "byte")} and received the same; closed`);
  return EXIT.ok;
}
