/**
 * Waiting for something that cannot be aborted itself, such as a name lookup.
 *
 * @module
 */

import { deferred } from "./deferred.ts";
import type { SocketOp } from "./error_codes.ts";
import { abortError } from "./errors.ts";
import type { Addr, Endpoint } from "./addr.ts";

/** Settles as `work` does, or rejects as soon as `signal` is aborted; then `work` is left to end. */
export async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  op: SocketOp,
  addr: Addr | Endpoint,
): Promise<T> {
  if (signal === undefined) return await work;
  const { promise: aborted, reject } = deferred<never>();
  const onAbort = () => reject(abortError(op, addr, signal));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
