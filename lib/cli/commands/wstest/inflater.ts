/**
 * Inflates the messages of a connection, one after the other, with what they have in common (RFC 7692
 * section 7.2.2).
 *
 * @module
 */

import { constants, createInflateRaw } from "node:zlib";
import { deferred } from "../../../base/wait.ts";
import { Gathered } from "../../../base/gathered_bytes.ts";

/** The bytes that a sender leaves out at the end of each message. */
const TAIL = Uint8Array.of(0, 0, 255, 255);

/** See the module. */
export class Inflater {
  // An error after the last message has no other listener.
  readonly #stream = createInflateRaw().on("error", () => {});

  /** Inflates a message. Rejects if it is not DEFLATE data, or has more than `most` bytes. */
  async message(data: Uint8Array, most: number): Promise<Uint8Array> {
    const { promise, resolve, reject } = deferred<void>();
    const out = new Gathered();
    let length = 0;
    const take = (piece: Uint8Array) => {
      length += piece.length;
      if (length > most) this.#stream.destroy(new Error(`more than ${most} bytes`));
      else out.add(piece);
    };
    this.#stream.on("data", take).once("error", reject);
    this.#stream.write(data);
    this.#stream.write(TAIL);
    this.#stream.flush(constants.Z_SYNC_FLUSH, () => resolve());
    try {
      await promise;
    } finally {
      this.#stream.off("data", take).off("error", reject);
    }
    return out.whole();
  }

  close(): void {
    this.#stream.destroy();
  }
}
