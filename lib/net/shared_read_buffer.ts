/**
 * The buffers that all of Node's sockets read into. libuv fills one and calls back before it reads
 * anything else, and by the end of that call the bytes are in the reader's buffer or in a copy of
 * their own, so an idle connection holds no buffer at all.
 *
 * @module
 */

const inbox: Uint8Array = new Uint8Array(64 * 1024);

/** For readers that have more room: a download takes a quarter of the calls to read(2). */
let largeInbox: Uint8Array | undefined;
const LARGE = 256 * 1024;

let arrived = inbox;
let arrivedIn = inbox;

/** The first `n` bytes of a buffer. Lengths repeat on a connection, so the view is kept. */
function first(n: number, buffer: Uint8Array): Uint8Array {
  if (arrived.length !== n || arrivedIn !== buffer) {
    arrivedIn = buffer;
    arrived = buffer.subarray(0, n);
  }
  return arrived;
}

/** The receiver of what a socket reads. */
export interface Receiver {
  /** The number of bytes that the last read had room for. */
  readonly room: number;
  /** Takes what has arrived, which is the socket's after the call; false asks it to pause. */
  onData(bytes: Uint8Array): boolean;
}

/** The option `onread` of a socket of `node:net`. */
export interface OnRead {
  /** Returns the buffer for the next read. */
  readonly buffer: () => Uint8Array;
  /** Receives the number of bytes that were read. False pauses the socket. */
  readonly callback: (n: number, buffer: Uint8Array) => boolean;
}

/** Makes a socket read into the inboxes. `receiver` is called once there are bytes. */
export function receiveFor(receiver: () => Receiver): OnRead {
  let next = inbox;
  return {
    buffer: () => next,
    callback: (n, buffer) => {
      const to = receiver();
      const goOn = to.onData(first(n, buffer));
      next = to.room > inbox.length ? largeInbox ??= new Uint8Array(LARGE) : inbox;
      return goOn;
    },
  };
}
