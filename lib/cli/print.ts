/**
 * Writing to stdout, which is for data only.
 *
 * @module
 */

import process from "node:process";

/** Prints on stdout and waits until it is out. */
export function print(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(data, () => resolve()));
}
