/**
 * The live page of `--watch`.
 *
 * @module
 */

import { sleep } from "../../base/clock.ts";
import { systemTransport } from "../../net/system.deno.ts";
import type { EventSink } from "../../observe/events.ts";
import { Hub } from "../watch/hub.ts";
import { serveWatch, type WatchServer } from "../watch/server.ts";
import { openBrowser } from "../io/browser.ts";
import type { InstrumentedRun, WatchOptions } from "./instrument_flags.ts";

/** The page of a client that has ended is closed when nobody has looked at it for this time, in seconds. */
const UNWATCHED_SECONDS = 60;

/** A page that is served. */
export interface OpenWatch {
  readonly sink: EventSink;
  /** Waits, when a client has ended, for as long as somebody looks. */
  linger(): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/**
 * Serves the page that the options ask for, and logs its URL once there is something to see. `args`
 * have no passwords in them.
 */
export async function openWatch(
  { open, lingers, redaction }: WatchOptions,
  args: readonly string[],
  run: InstrumentedRun,
): Promise<OpenWatch> {
  const title = args.filter((arg) => !/^--(watch|open)$/.test(arg)).join(" ");
  const hub = new Hub({ title, redaction });
  const server = await serveWatch(hub, systemTransport);
  const start = () => announce(server, open, run);
  // A server may have nothing to show: its port may be taken.
  if (lingers) run.onStart(start);
  else run.onListening(start);
  const stopped = lingers ? stopOf(run) : undefined;
  return {
    sink: hub.sink,
    async linger() {
      if (stopped === undefined || stopped.aborted) return;
      const done = "done; the page stays until Ctrl-C, or until nobody has looked at it for 60 s";
      run.log.report([done], { event: "done", url: server.url });
      await untilUnwatched(server, run, stopped);
    },
    close: () => server.close(),
  };
}

function announce({ url }: WatchServer, open: boolean, { log, io }: InstrumentedRun): void {
  log.report([`watch it at ${url}`], { event: "watching", url });
  if (open) openBrowser(url, io.env, (why) => log.note(`could not open the browser: ${why}`));
}

/** A signal that is aborted at Ctrl-C or SIGTERM. */
function stopOf({ io }: InstrumentedRun): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) io.onSignal(name, () => stop.abort());
  return stop.signal;
}

/** Waits until nobody has looked at the page for a while, or `stopped` is aborted. */
async function untilUnwatched(
  server: WatchServer,
  { io: { clock } }: InstrumentedRun,
  stopped: AbortSignal,
): Promise<void> {
  for (let unwatched = 0; unwatched < UNWATCHED_SECONDS && !stopped.aborted; unwatched++) {
    await sleep(1000, clock, stopped);
    if (server.streams > 0) unwatched = -1;
  }
}
