/**
 * A tick of the event loop: nothing is served in it but what has come already.
 *
 * @module
 */

let tick = 0;
let open = false;

/**
 * A number that stays the same while this process goes through what had come when it was first asked
 * for. Requests that are answered in the same tick had all arrived before what is looked at in it: one
 * look is right for all of them.
 */
export function currentTick(): number {
  if (!open) {
    open = true;
    queueMicrotask(close);
  }
  return tick;
}

function close(): void {
  open = false;
  tick++;
}
