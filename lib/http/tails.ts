/**
 * The ends that heads have, made once a tick for all connections.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Date, Connection where it does not go without saying, and the empty line. */
export interface Tails {
  /** Of a connection that HTTP/1.1 keeps. */
  readonly persistent: Buffer;
  /** Of one that HTTP/1.0 was asked to keep. */
  readonly keepAlive: Buffer;
  /** Of the last one on a connection. */
  readonly close: Buffer;
}

/** No tail is longer. */
export const TAIL_SIZE = 80;

/** Makes the tails of one second. */
export function tailsAt(time: Date): Tails {
  const date = `Date: ${time.toUTCString()}\r\n`;
  return {
    persistent: Buffer.from(`${date}\r\n`),
    keepAlive: Buffer.from(`${date}Connection: keep-alive\r\n\r\n`),
    close: Buffer.from(`${date}Connection: close\r\n\r\n`),
  };
}
