/**
 * The output of `--record`.
 *
 * @module
 */

import { counted } from "../../base/counted.ts";
import type { EventSink } from "../../observe/events.ts";
import { parseEvent, parseHead } from "../../recording/parse.ts";
import { PcapngEncoder } from "../../recording/pcapng/pcapng.ts";
import { recordingSink } from "../../recording/record.ts";
import { write } from "../io/io.ts";
import { writeError } from "../io/files.ts";
import type { InstrumentedRun, RecordFormat, RecordOptions } from "./instrument_flags.ts";
import { MAX_WAITING, RecordingFile } from "./recording_file.ts";

/** The bytes of text that are encoded and written at a time. A line of the largest read fits. */
const ENCODED_AT_ONCE = 256 * 1024;

/** A recording that is being written. */
export interface OpenRecording {
  readonly sink: EventSink;
  readonly isStdout: boolean;
  /** Ends it. Resolves to whether all of it was written; if not, the log says so. */
  close(): Promise<boolean>;
}

/** Begins the recording that the options ask for. Throws a CliError for a file that cannot be written. */
export function openRecording(
  { file, format, limits: { connection, total }, redaction }: RecordOptions,
  args: readonly string[],
  seed: number | undefined,
  run: InstrumentedRun,
): OpenRecording {
  const output = new RecordingOutput(file, format, run);
  const sink = recordingSink((lines) => output.write(lines), {
    redaction,
    connectionLimit: connection,
    totalLimit: total,
    arguments: args,
    seed,
  });
  return { sink, isStdout: output.isStdout, close: () => output.close() };
}

/** The file or stream that a recording goes to. Where it cannot be written, it ends, and the run goes on. */
class RecordingOutput {
  readonly isStdout: boolean;
  readonly #path: string;
  readonly #run: InstrumentedRun;
  readonly #convert: ((lines: string) => Uint8Array) | undefined;
  #encoder: PcapngEncoder | undefined;
  readonly #file: RecordingFile | undefined;
  readonly #text = new TextEncoder();
  readonly #bytes = new Uint8Array(ENCODED_AT_ONCE);
  #dropped = 0;
  #ended = false;

  constructor(path: string, format: RecordFormat, run: InstrumentedRun) {
    this.isStdout = path === "-";
    this.#path = path;
    this.#run = run;
    if (format === "pcapng") this.#convert = (lines) => this.#pcapng(lines);
    if (this.isStdout) return;
    try {
      this.#file = new RecordingFile(path, run.io.clock, (error) => this.#fail(error));
    } catch (error) {
      throw unwritten(path, error);
    }
  }

  /** Writes whole lines, at once: a process that is killed loses none of them. */
  write(lines: string): void {
    if (this.#ended || lines === "") return;
    this.#put(this.#convert === undefined ? lines : this.#convert(lines));
  }

  async close(): Promise<boolean> {
    if (this.#ended) return false;
    if (this.#encoder !== undefined) this.#put(this.#encoder.end(this.#dropped));
    this.#dropped += await this.#file?.finish() ?? 0;
    if (this.#ended) return false;
    this.#ended = true;
    this.#file?.close();
    if (this.#dropped === 0) return true;
    const lacking = counted(this.#dropped, "event");
    const reader = this.isStdout ? "stdout" : `'${this.#path}'`;
    this.#run.log.error(
      `The recording lacks ${lacking}: ${reader} was not read fast enough. Name a file.`,
    );
    return false;
  }

  #put(data: string | Uint8Array): void {
    const { stdout } = this.#run.io;
    if (this.#file === undefined ? stdout.writableLength > MAX_WAITING : this.#file.isFull) {
      this.#dropped++;
    } else if (this.#file === undefined) {
      write(stdout, data);
    } else {
      try {
        if (typeof data === "string") this.#putText(this.#file, data);
        else this.#file.write(data);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #fail(error: unknown): void {
    this.#ended = true;
    this.#file?.close();
    this.#run.log.error(`${unwritten(this.#path, error).message} It ends here.`);
  }

  /** Encodes into memory that is there already: to allocate it costs more than all the rest. */
  #putText(file: RecordingFile, text: string): void {
    for (let rest = text; rest !== "";) {
      const { read, written } = this.#text.encodeInto(rest, this.#bytes);
      file.write(this.#bytes.subarray(0, written));
      rest = rest.slice(read);
    }
  }

  #pcapng(lines: string): Uint8Array {
    const texts = lines.trimEnd().split("\n");
    const blocks: Uint8Array[] = [];
    for (const text of texts) {
      if (this.#encoder === undefined) {
        this.#encoder = new PcapngEncoder(parseHead(text));
        blocks.push(this.#encoder.start());
      } else blocks.push(this.#encoder.add(parseEvent(text, 0)));
    }
    return concat(blocks);
  }
}

function concat(blocks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

function unwritten(path: string, error: unknown): Error {
  return writeError(path, error, { name: `the recording '${path}'`, option: "--record FILE" });
}
