/**
 * Text messages as lines: each line of stdin is one, and each that comes is printed as one.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { FrameDecoder, FrameError, lines } from "../../../frames/mod.ts";
import { CliError, EXIT } from "../../io/exit.ts";
import { bytesOf, type MessageForm } from "../../web_socket/byte_conn.ts";
import { printable } from "./frames.ts";

/** The most bytes of a line, and of a message that comes. */
export const MOST_OF_LINE: number = 16 * 1024 * 1024;

const LF = Buffer.from("\n");

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Each message with LF after it; with escapes if it is not text, or text that is not safe on a terminal. */
export const LINES: MessageForm = {
  async *receive(ws) {
    for await (const message of ws) yield Buffer.concat([printable(bytesOf(message)), LF]);
  },
  toMessage: (line) => decoder.decode(line),
};

/** The lines of stdin, each by itself. Throws a {@linkcode CliError} for one that cannot be sent. */
export async function* linesOf(stdin: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new FrameDecoder(lines({ maxSize: MOST_OF_LINE }));
  let count = 0;
  function* whole(): Generator<Uint8Array> {
    try {
      for (let line; (line = frames.next()) !== null;) {
        count++;
        decoder.decode(line);
        yield line;
      }
    } catch (error) {
      throw cannotSend(error, count);
    }
  }
  for await (const chunk of stdin) {
    frames.push(chunk);
    yield* whole();
  }
  frames.end();
  yield* whole();
}

function cannotSend(error: unknown, count: number): unknown {
  const [line, why] = error instanceof FrameError
    ? [count + 1, `it is longer than ${MOST_OF_LINE} bytes`]
    : [count, "it is not UTF-8"];
  if (!(error instanceof FrameError || error instanceof TypeError)) return error;
  const what = `Line ${line} of stdin, and what follows it, is not sent`;
  return new CliError(EXIT.badInput, `${what}: ${why}. --binary sends any bytes.`);
}
