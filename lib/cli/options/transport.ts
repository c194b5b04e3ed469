/**
 * The sockets that the commands use.
 *
 * @module
 */

import type { SocketEvent } from "../../observe/events.ts";
import { observe } from "../../observe/observe.ts";
import { systemTransport } from "../../net/system.deno.ts";
import type { Transport } from "../../net/transport.ts";
import type { Log, Transcript } from "../io/log.ts";

/**
 * The sockets of the system, with a transcript of all that happens on them if `log` is to have it.
 * `shown` takes out of an event what is not for the log. Default: nothing.
 */
export function openTransport(
  log: Log,
  transcript: Transcript,
  shown: (event: SocketEvent) => SocketEvent = (event) => event,
): Transport {
  if (!log.verbose) return systemTransport;
  const sink = log.sink(transcript);
  return observe(systemTransport, (event) => sink(shown(event)));
}
