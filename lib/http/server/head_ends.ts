/**
 * The ends of response heads: Date, Connection and the empty line, made once a tick for all connections.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** The last lines of a head. Connection is among them unless it is the default of the version. */
export interface HeadEnds {
  /** The value of Date. */
  readonly date: string;
  /** The end on a connection that HTTP/1.1 keeps. */
  readonly persistent: Buffer;
  /** The end on a connection that HTTP/1.0 was asked to keep. */
  readonly keepAlive: Buffer;
  /** The end of the last response on a connection. */
  readonly close: Buffer;
}

/** The ends of heads that are sent now: `last`, while the second is the same. */
export function headEndsOfNow(last?: HeadEnds): HeadEnds {
  const date = new Date().toUTCString();
  if (date === last?.date) return last;
  return {
    date,
    persistent: Buffer.from(`Date: ${date}\r\n\r\n`),
    keepAlive: Buffer.from(`Date: ${date}\r\nConnection: keep-alive\r\n\r\n`),
    close: Buffer.from(`Date: ${date}\r\nConnection: close\r\n\r\n`),
  };
}
