/**
 * Ctrl-C and SIGTERM: the first asks, the second insists.
 *
 * @module
 */

import process from "node:process";

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** What {@linkcode onSignals} returns. */
export interface Signals {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** 128 and the number of the first signal, as shells report it; 0 if there was none. */
  exitCode(): number;
}

/** From now on the first SIGINT or SIGTERM aborts `signal`, and the second ends the process. */
export function onSignals(): Signals {
  const controller = new AbortController();
  let code = 0;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (code !== 0) process.exit(128 + NUMBERS[name]);
      code = 128 + NUMBERS[name];
      controller.abort();
    });
  }
  return { signal: controller.signal, exitCode: () => code };
}
