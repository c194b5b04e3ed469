/**
 * stdin that is waited for: a pipe that nobody writes to looks like a program that hangs.
 *
 * @module
 */

import type { Io } from "./io.ts";

/** The time without input after which a note says what is waited for, in milliseconds. */
const SILENT_MS = 2000;

/** stdin, which calls `notice` if nothing has come of it, nor its end, for some time. */
export function awaitedStdin({ stdin, clock }: Io, notice: () => void): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks: AsyncIterator<Uint8Array> = stdin[Symbol.asyncIterator]();
      let cancel: (() => void) | undefined;
      return {
        async next() {
          cancel ??= clock.setTimer(SILENT_MS, notice);
          try {
            return await chunks.next();
          } finally {
            cancel();
          }
        },
        // Not in a generator, whose return() would wait for what never comes.
        return() {
          cancel?.();
          return chunks.return?.() ?? Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}
