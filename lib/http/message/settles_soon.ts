/**
 * Whether something is ready now, or is to be waited for.
 *
 * @module
 */

/** Twice what the streams of the runtimes take for a chunk that is there. */
const TURNS = 16;

/**
 * Resolves to whether a promise settles within a few turns of the microtask queue: without a wait for
 * a timer, a disk or a socket.
 */
export async function settlesSoon(promise: Promise<unknown>): Promise<boolean> {
  return await stateSoon(promise) !== "pending";
}

/** The state that a promise has after a few turns, or sooner: see {@linkcode settlesSoon}. */
export async function stateSoon(
  promise: Promise<unknown>,
): Promise<"fulfilled" | "rejected" | "pending"> {
  let state: "fulfilled" | "rejected" | undefined;
  promise.then(() => {
    state = "fulfilled";
  }, () => {
    state = "rejected";
  });
  for (let i = 0; i < TURNS && state === undefined; i++) await undefined;
  return state ?? "pending";
}
