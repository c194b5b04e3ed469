/**
 * The lines of one client.
 *
 * @module
 */

import { FrameDecoder } from "../../frames/decoder.ts";
import { FrameError } from "../../frames/error.ts";
import type { Framing } from "../../frames/framing.ts";

const LF = 0x0a;

/** The receiver of the lines. */
export interface LineSink {
  /** A line, without its end; valid during the call. */
  onLine(line: Uint8Array): void;
  /** A line was over the limit; it is skipped. */
  onTooLong(): void;
}

/** Splits what comes into lines, and goes on after those that are too long. */
export class LineSplitter {
  readonly #framing: Framing;
  readonly #sink: LineSink;
  #decoder: FrameDecoder;
  /** Whether the bytes that come belong to a line that is too long. */
  #skipping = false;

  constructor(framing: Framing, sink: LineSink) {
    this.#framing = framing;
    this.#sink = sink;
    this.#decoder = new FrameDecoder(framing);
  }

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    const start = this.#skipping ? chunk.indexOf(LF) + 1 : 0;
    if (this.#skipping && start === 0) return;
    this.#skipping = false;
    this.#decoder.push(chunk.subarray(start));
    this.#takeAll();
  }

  /** Takes the end; what came last may be a line without one. */
  end(): void {
    this.#decoder.end();
    this.#takeAll();
  }

  #takeAll(): void {
    try {
      for (let line; (line = this.#decoder.next()) !== null;) this.#sink.onLine(line);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const { ended, rest } = this.#decoder;
      this.#sink.onTooLong();
      this.#decoder = new FrameDecoder(this.#framing);
      this.#skipping = true;
      this.push(rest);
      if (ended) this.end();
    }
  }
}
