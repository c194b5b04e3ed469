/**
 * The sockets that the commands use.
 *
 * @module
 */

import { observe } from "../events.ts";
import { systemTransport } from "../transport.deno.ts";
import type { Transport } from "../transport.ts";
import type { Log, Transcript } from "./log.ts";

/** The sockets of the system, with a transcript of all that happens on them if `log` is to have it. */
export function openTransport(log: Log, transcript: Transcript): Transport {
  return log.verbose ? observe(systemTransport, log.sink(transcript)) : systemTransport;
}
