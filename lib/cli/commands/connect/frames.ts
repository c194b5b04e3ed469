/**
 * `connect --frame`: each line of stdin is sent as a frame, and each frame that comes is printed as a
 * line.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { counted } from "../../../base/counted.ts";
import { isSafeText } from "../../../base/escape.ts";
import {
  encodeFrame,
  FRAME_ERRORS,
  FrameDecoder,
  FrameError,
  type Framing,
  lines,
} from "../../../frames/mod.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import { escaped } from "../../io/quote.ts";

/** Both directions of a connection in frames, for `join`. */
export class FrameEnds {
  readonly #framer: LineFramer;
  readonly #printer: FramePrinter;
  readonly #stdin: AsyncIterable<Uint8Array>;

  constructor(
    framing: Framing,
    stdin: AsyncIterable<Uint8Array>,
    print: (data: Uint8Array) => Promise<void>,
  ) {
    this.#framer = new LineFramer(framing);
    this.#printer = new FramePrinter(framing, print);
    this.#stdin = stdin;
  }

  /** The frames to send: one for each line of stdin, up to one that cannot be sent. */
  get source(): AsyncIterable<Uint8Array> {
    return this.#send();
  }

  /** Takes what comes. Rejects with a {@linkcode CliError} if it is not a frame. */
  readonly sink = (data: Uint8Array): Promise<void> => this.#printer.push(data);

  /**
   * Takes the end. The peer has announced it or not. Rejects with a {@linkcode CliError} if it has
   * cut off a frame, and if stdin had a line that cannot be sent.
   */
  async end(peerEnded: boolean): Promise<void> {
    await this.#printer.end(peerEnded);
    if (this.#framer.error !== undefined) throw this.#framer.error;
  }

  async *#send(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#stdin) {
      yield this.#framer.push(chunk);
      if (this.#framer.error !== undefined) return;
    }
    yield this.#framer.end();
  }
}

/** Makes frames of lines, up to the first one that cannot be sent. */
class LineFramer {
  readonly #framing: Framing;
  readonly #decoder: FrameDecoder;
  #lines = 0;
  error: CliError | undefined;

  constructor(framing: Framing) {
    this.#framing = framing;
    this.#decoder = new FrameDecoder(lines({ maxSize: framing.maxSize }));
  }

  /** The frames of the lines that are whole now. */
  push(chunk: Uint8Array): Uint8Array {
    this.#decoder.push(chunk);
    return this.#take();
  }

  /** The frame of the last line if that has no end. */
  end(): Uint8Array {
    this.#decoder.end();
    return this.#take();
  }

  #take(): Uint8Array {
    const frames: Uint8Array[] = [];
    try {
      for (let line; (line = this.#decoder.next()) !== null; this.#lines++) {
        frames.push(encodeFrame(this.#framing, line));
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.error = this.#explain(error);
    }
    return Buffer.concat(frames);
  }

  #explain({ code, message }: FrameError): CliError {
    const { name, maxSize } = this.#framing;
    const limit = counted(maxSize, "byte");
    const why = code === "TOO_LARGE"
      ? `It is over the limit of a frame (${name}), ${limit}: split it, or see --frame-limit.`
      : message;
    const what = `Line ${this.#lines + 1} of stdin, and what follows it, is not sent`;
    return new CliError(EXIT.badInput, `${what}. ${why}`);
  }
}

/**
 * Prints each frame that comes as a line: text as it is, and with escapes what is not text or has
 * control characters in it. So that nothing that came is lost, the beginning of a frame that is not
 * whole is printed, too, with escapes and without the end of a line.
 */
class FramePrinter {
  readonly #decoder: FrameDecoder;
  readonly #print: (data: Uint8Array) => Promise<void>;
  #over = false;

  constructor(framing: Framing, print: (data: Uint8Array) => Promise<void>) {
    this.#decoder = new FrameDecoder(framing);
    this.#print = print;
  }

  async push(data: Uint8Array): Promise<void> {
    this.#decoder.push(data);
    await this.#printFrames();
  }

  /** Without the peer's end, a frame that is not whole is not an error. */
  async end(peerEnded: boolean): Promise<void> {
    if (this.#over) return;
    if (peerEnded) {
      this.#decoder.end();
      await this.#printFrames();
    } else await this.#printRest();
  }

  async #printFrames(): Promise<void> {
    const out: Uint8Array[] = [];
    let failure: unknown;
    try {
      for (let frame; (frame = this.#decoder.next()) !== null;) {
        out.push(printable(frame), LF);
      }
    } catch (error) {
      failure = error;
    }
    if (out.length > 0) await this.#print(Buffer.concat(out));
    if (failure === undefined) return;
    await this.#printRest();
    throw failure instanceof FrameError ? this.#explain(failure) : failure;
  }

  async #printRest(): Promise<void> {
    this.#over = true;
    const { rest } = this.#decoder;
    if (rest.length > 0) await this.#print(Buffer.from(escaped(rest)));
  }

  #explain({ code, message }: FrameError): CliError {
    if (code === "INCOMPLETE") return new CliError(EXIT.closedEarly, message);
    return new CliError(EXIT.receiveFailed, message.replace(FRAME_ERRORS.TOO_LARGE, TOO_LARGE));
  }
}

/** The next step, in the words of the command line. */
const TOO_LARGE = "Check that both sides use the same framing; if such frames are meant, choose " +
  "a --frame whose length can say more, or raise --frame-limit.";

const LF = Buffer.from("\n");

/** A payload on one line: text as it is, and with escapes what is not text or has control characters. */
export function printable(payload: Uint8Array): Uint8Array {
  return isText(payload) ? payload : Buffer.from(escaped(payload));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether these bytes are UTF-8, and safe to show but for tabs. */
function isText(payload: Uint8Array): boolean {
  try {
    return isSafeText(decoder.decode(payload).replaceAll("\t", ""));
  } catch {
    return false;
  }
}
