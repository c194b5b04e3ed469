/**
 * Waits: promises that are settled by hand, and waits that a time, a signal or both end.
 *
 * @module
 */

import type { Addr, Endpoint } from "./addr.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { SocketOp } from "./error_codes.ts";
import { abortError, TimeLimit } from "./errors.ts";

/** A promise with its resolvers: `Promise.withResolvers()`, which Node 20 lacks. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes a {@linkcode Deferred}. */
export function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>["resolve"];
  let reject!: Deferred<T>["reject"];
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/**
 * Calls a function. What it throws rejects the promise. The arguments are not kept for as long as that is
 * pending, as the frame of an async function would keep them.
 */
export function settled<A extends readonly unknown[], T>(
  call: (...args: A) => T | Promise<T>,
  ...args: A
): Promise<T> {
  try {
    return Promise.resolve(call(...args));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Limits of a wait. */
export interface Limits {
  /** Ends it when aborted. */
  readonly signal?: AbortSignal;
  /** The time that it may take, in milliseconds; 0 for no limit. Default: 0. */
  readonly timeout?: number;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * A signal that is aborted when the time is over, with a {@linkcode TimeLimit}, or when the signal of
 * the limits is, with the reason of that one. Disposing of it ends both: it is not aborted any more.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #cancel: (() => void) | undefined;
  readonly #reasonOf: (cause: unknown) => unknown;

  /** `reasonOf` makes the reason of the abort from what ended the wait. Default: that is the reason. */
  constructor(
    { signal, timeout = 0, clock = systemClock }: Limits,
    reasonOf: (cause: unknown) => unknown = (cause) => cause,
  ) {
    this.#reasonOf = reasonOf;
    this.#outer = signal;
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort);
    if (timeout === 0) return;
    this.#cancel = clock.setTimer(timeout, () => this.abort(reasonOf(new TimeLimit(timeout))));
  }

  /** Aborted when the wait is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the wait now. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  readonly #onAbort = () => this.abort(this.#reasonOf(this.#outer!.reason));

  [Symbol.dispose](): void {
    this.#cancel?.();
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}

/** Settles as `work` does, which ends when the signal that it gets is aborted: see {@linkcode Deadline}. */
export async function inTime<T>(
  limits: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using deadline = new Deadline(limits);
  return await work(deadline.signal);
}

/** Settles as `work` does, or resolves to undefined after `ms` milliseconds; then `work` is left to end. */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  clock: Clock,
): Promise<T | undefined> {
  const late = deferred<undefined>();
  const cancel = clock.setTimer(ms, () => late.resolve(undefined));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}

/**
 * Settles as `work` does, or rejects as soon as `signal` is aborted; then `work` is left to end. For
 * what cannot be aborted itself, such as a name lookup.
 */
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
