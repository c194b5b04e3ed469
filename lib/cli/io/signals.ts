/**
 * Ctrl-C and SIGTERM: the first asks, the second insists.
 *
 * @module
 */

import type { Io } from "./io.ts";

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** The result of {@linkcode onSignals}. */
export interface Signals {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** 128 and the number of the first signal, as shells report it; 0 if there was none. */
  exitCode(): number;
}

/**
 * Aborts the `signal` that it returns at the first SIGINT or SIGTERM, and calls `end` at the second,
 * or at the first while nothing `canFinish`.
 */
export function onSignals(
  io: Io,
  end: (exitCode: number) => void,
  canFinish: () => boolean,
): Signals {
  const controller = new AbortController();
  let code = 0;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    io.onSignal(name, () => {
      if (code !== 0 || !canFinish()) return end(128 + NUMBERS[name]);
      code = 128 + NUMBERS[name];
      controller.abort();
    });
  }
  return { signal: controller.signal, exitCode: () => code };
}
