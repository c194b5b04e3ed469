/**
 * Ctrl-C and SIGTERM: the first ends in good order, the second at once.
 *
 * @module
 */

import { setMaxListeners } from "node:events";
import type { Io } from "./io.ts";

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** The result of {@linkcode onSignals}. */
export interface Signals {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Does what the first SIGTERM does. The first signal after it has no effect. */
  stop(): void;
  /** 128 and the number of the first signal, as shells report it; 0 if there was none. */
  exitCode(): number;
}

/** The callbacks of {@linkcode onSignals}. */
export interface OnSignals {
  /** Ends the run at once. */
  readonly end: (exitCode: number) => void;
  /** Whether there is something to finish. */
  readonly canFinish: () => boolean;
  /** Calls `abort`, now or later. */
  readonly stop: (abort: () => void) => void;
}

/**
 * Has `stop` abort the `signal` that it returns at the first SIGINT or SIGTERM, and calls `end` at the
 * second, or at the first while nothing `canFinish`.
 */
export function onSignals(io: Io, { end, canFinish, stop }: OnSignals): Signals {
  const controller = new AbortController();
  // Each connection may listen to it. Node warns of more than ten, on EventTargets too.
  setMaxListeners(0, controller.signal);
  let code = 0;
  let isAsked = false;
  const stopBy = (name: keyof typeof NUMBERS) => {
    code = 128 + NUMBERS[name];
    stop(() => controller.abort());
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    io.onSignal(name, () => {
      if (isAsked || !canFinish()) return end(128 + NUMBERS[name]);
      isAsked = true;
      if (code === 0) stopBy(name);
    });
  }
  return { signal: controller.signal, stop: () => stopBy("SIGTERM"), exitCode: () => code };
}
