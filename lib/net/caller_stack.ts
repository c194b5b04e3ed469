/**
 * The call that an error is about. An error from a runtime's event loop has no line of the caller's
 * code in its stack, so a call that may fail then notes where it was made.
 *
 * @module
 */

import { SocketError } from "../base/errors.ts";
import type { Transport } from "./transport.ts";

/** A call of ours: whoever has called us is noted already. */
let inner = false;

/**
 * Settles as `work` does, which the caller has just begun: the stack of the {@linkcode SocketError}
 * that it may reject with is that of this call. That costs some microseconds, which is little beside
 * a connection, and too much for each read and write.
 */
export function fromHere<T>(work: Promise<T>): Promise<T> {
  if (inner) return work;
  const call: { stack?: string } = {};
  Error.captureStackTrace(call, fromHere);
  return work.catch((error) => {
    if (error instanceof SocketError) setStackOf(error, call);
    throw error;
  });
}

/**
 * Gives an error the stack of a call, made when it is asked for: Deno opens files for that, and when
 * there are no descriptors left it ends the process.
 */
function setStackOf(error: SocketError, call: { readonly stack?: string }): void {
  const keep = (value: unknown) =>
    Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  const get = () => {
    const { stack = "" } = call;
    const frames = stack.indexOf("\n");
    keep(`${error.name}: ${error.message}${frames < 0 ? "" : stack.slice(frames)}`);
    return error.stack;
  };
  Object.defineProperty(error, "stack", { get, set: keep, configurable: true });
}

/** Calls `fn`, for a caller that is noted already. */
export function asNoted<T>(fn: () => T): T {
  const before = inner;
  inner = true;
  try {
    return fn();
  } finally {
    inner = before;
  }
}

/** The same transport with errors whose stacks show the call. Those of `resolve` do so by themselves. */
export function withCallerStacks(transport: Transport): Transport {
  const traced =
    <A extends unknown[], T>(method: (...args: A) => Promise<T>) => (...args: A): Promise<T> =>
      fromHere(method(...args));
  return {
    name: transport.name,
    resolve: transport.resolve,
    listen: traced(transport.listen) as Transport["listen"],
    connect: traced(transport.connect) as Transport["connect"],
    startTls: traced(transport.startTls) as Transport["startTls"],
    listenDatagram: traced(transport.listenDatagram),
  };
}
