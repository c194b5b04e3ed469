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
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; i < TURNS && !settled; i++) await undefined;
  return settled;
}
