/**
 * Writing to stdout, which is for data only, and to stderr.
 *
 * @module
 */

import process from "node:process";
import type { Writable } from "node:stream";

/** Prints on stdout and waits until it is out. */
export function print(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => write(process.stdout, data, () => resolve()));
}

/** Tells on stderr. */
export function tell(text: string): void {
  write(process.stderr, text);
}

/** What goes wrong is an event of the stream; Deno throws it where the stream is a file. */
function write(stream: Writable, data: string | Uint8Array, done?: () => void): void {
  try {
    stream.write(data, done);
  } catch (error) {
    stream.emit("error", error);
  }
}
