/**
 * Messages to one page, as they come: server-sent events.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Updates } from "./updates.ts";

/** The least time between two messages to a page, in milliseconds. */
const PAUSE_MS = 250;

/** The time without a message after which an empty one is sent, in milliseconds: it shows who has left. */
const KEEP_ALIVE_MS = 15_000;

/** A source of changes. */
export interface Source {
  /** Resolves at the next change. */
  readonly changed: Promise<void>;
}

/**
 * Makes the body of a response: the messages of `updates`, until `signal` is aborted. Each is made
 * when the one before it was sent, so a page that reads slowly holds nothing back and gets less.
 */
export async function* eventStream(
  updates: Updates,
  source: Source,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  while (!signal.aborted) {
    const { changed } = source;
    const message = updates.next();
    if (message === undefined) {
      const isChanged = await within(clock, KEEP_ALIVE_MS, signal, changed);
      if (!isChanged && !signal.aborted) yield encoder.encode(": still here\n\n");
      continue;
    }
    yield encoder.encode(`event: ${updates.name}\ndata: ${message}\n\n`);
    await within(clock, PAUSE_MS, signal);
  }
}

/** Waits for `ms`, for `signal` and for `changed`; returns whether it was the last. */
function within(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  changed?: Promise<void>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (isChanged: boolean) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      resolve(isChanged);
    };
    const onAbort = () => done(false);
    const cancel = clock.setTimer(ms, onAbort);
    signal.addEventListener("abort", onAbort);
    void changed?.then(() => done(true));
  });
}
