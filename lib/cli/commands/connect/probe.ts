/**
 * `connect -z`: which ports take connections?
 *
 * @module
 */

import { setMaxListeners } from "node:events";
import { ExhaustionBackoff } from "../../../base/backoff.ts";
import { sleep, systemClock } from "../../../base/clock.ts";
import { dial, type DialLimits } from "../../../dial.ts";
import type { SocketErrorCode } from "../../../base/error_codes.ts";
import { SocketError } from "../../../base/errors.ts";
import type { Transport } from "../../../net/transport.ts";
import { type Destination, formatDestination } from "../../options/destination.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import type { Session } from "../../session.ts";

/** The most ports that are tried at once, unless the system runs out of descriptors first. */
const AT_ONCE = 100;

/** The number of tries for a single probe while the system lacks a resource. */
const MOST_RETRIES = 8;

/** Errors that are about one port only. */
const OF_THE_PORT: ReadonlySet<SocketErrorCode> = new Set([
  "ECERT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ETIMEDOUT",
  "ETLS",
]);

/**
 * Connects to each of `destinations`, prints those that take connections, in their order, and
 * resolves to the exit code. Rejects if none does: for a single one with its error.
 */
export async function probe(
  transport: Transport,
  destinations: readonly Destination[],
  limits: DialLimits,
  session: Session,
): Promise<number> {
  const failed = new AbortController();
  const signal = limits.signal === undefined
    ? failed.signal
    : AbortSignal.any([limits.signal, failed.signal]);
  // Node takes more than ten for a leak.
  setMaxListeners(AT_ONCE, signal);
  const answers: (SocketError | "open")[] = [];
  /** Those to try, the next one last. */
  const left = Array.from(destinations.keys()).reverse();
  let working = Math.min(AT_ONCE, destinations.length);
  let printed = 0;
  const work = async () => {
    const backoff = new ExhaustionBackoff();
    let retries = 0;
    for (let index; (index = left.pop()) !== undefined;) {
      try {
        answers[index] = await answerOf(transport, destinations[index], { ...limits, signal });
        retries = 0;
      } catch (error) {
        const wait = backoff.after(error);
        if (wait !== undefined && (working > 1 || retries++ < MOST_RETRIES)) {
          // With fewer at once there is enough for each.
          left.push(index);
          if (working > 1) return void working--;
          await sleep(wait, limits.clock ?? systemClock, signal);
          continue;
        }
        // It holds for the others, too: no more are tried, and those under way are given up.
        left.length = 0;
        failed.abort(error);
        throw error;
      }
      let lines = "";
      for (; answers[printed] !== undefined; printed++) {
        if (answers[printed] === "open") {
          lines += `${formatDestination(destinations[printed])} open\n`;
        }
      }
      if (lines !== "") await session.print(lines);
    }
    working--;
  };
  await Promise.allSettled(Array.from({ length: working }, work));
  if (failed.signal.aborted) throw failed.signal.reason;
  const failures = answers.filter((answer) => answer !== "open");
  if (failures.length < destinations.length) return EXIT.ok;
  throw failures.length === 1 ? failures[0] : noneOpen(destinations, failures);
}

async function answerOf(
  transport: Transport,
  destination: Destination,
  limits: DialLimits,
): Promise<SocketError | "open"> {
  try {
    (await dial(transport, { ...destination, ...limits })).close();
    return "open";
  } catch (error) {
    const ofThePort = error instanceof SocketError && error.op !== "resolve" &&
      OF_THE_PORT.has(error.code);
    if (ofThePort) return error;
    throw error;
  }
}

function noneOpen(
  destinations: readonly Destination[],
  failures: readonly SocketError[],
): CliError {
  const counts = new Map<string, number>();
  for (const { code } of failures) counts.set(code, (counts.get(code) ?? 0) + 1);
  const list = [...counts].map(([code, n]) => `${n} ${code}`).join(", ");
  const ends = [destinations[0], destinations[destinations.length - 1]];
  const [first, last] = ends.map(formatDestination);
  return new CliError(
    EXIT.notConnected,
    `None of the ${destinations.length} ports from ${first} to ${last} takes connections: ${list}. ` +
      "Check that a server is listening there.",
  );
}
