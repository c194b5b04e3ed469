/**
 * The buffer that all of Node's sockets read into. libuv fills it and calls back before it reads
 * anything else, and by the end of that call the bytes are in the reader's buffer or in a copy of
 * their own, so an idle connection holds no buffer at all.
 *
 * @module
 */

const inbox = new Uint8Array(64 * 1024);
let arrived = inbox;

/** What a socket of `node:net` takes as `onread`. */
export interface OnRead {
  /** Where the socket reads into. */
  readonly buffer: Uint8Array;
  /** Is told how many bytes there are; false pauses the socket. */
  readonly callback: (n: number) => boolean;
}

/** Has a socket read into the inbox; `take` gets what has arrived, for as long as it runs. */
export function receive(take: (bytes: Uint8Array) => boolean): OnRead {
  return {
    buffer: inbox,
    callback: (n) => {
      // Conversations repeat lengths, so the view is kept.
      if (arrived.length !== n) arrived = inbox.subarray(0, n);
      return take(arrived);
    },
  };
}
