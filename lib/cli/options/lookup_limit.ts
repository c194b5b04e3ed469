/**
 * How long the look-up of a name may take, where that is all that takes time.
 *
 * @module
 */

import type { DialLimits } from "../../dial.ts";
import { timedOut } from "../../base/errors.ts";
import { systemClock } from "../../base/clock.ts";
import type { Endpoint } from "../../base/addr.ts";

/**
 * Settles as `work` does, which is to heed the signal that it is given: aborted as that of the limits,
 * and with ETIMEDOUT when their time is over.
 */
export async function lookUpInTime<T>(
  endpoint: Endpoint,
  { signal, timeout = 0, clock = systemClock }: DialLimits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const cancel = timeout === 0 ? () => {} : clock.setTimer(timeout, () => {
    late.abort(timedOut("resolve", endpoint, timeout));
  });
  try {
    return await work(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    cancel();
  }
}
