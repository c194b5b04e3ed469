/**
 * A time so short that nothing happens in it but what has come already.
 *
 * @module
 */

let moment = 0;
let open = false;

/**
 * A number that stays the same while this process goes through what had come when it was first asked
 * for. Requests that are answered in the same moment had all arrived before what is looked at in it: one
 * look is right for all of them.
 */
export function thisMoment(): number {
  if (!open) {
    open = true;
    queueMicrotask(close);
  }
  return moment;
}

function close(): void {
  open = false;
  moment++;
}
