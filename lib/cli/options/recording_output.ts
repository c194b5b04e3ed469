/**
 * The output of `--record`.
 *
 * @module
 */

import { counted } from "../../base/counted.ts";
import type { EventSink } from "../../observe/events.ts";
import { PcapngEncoder } from "../../recording/pcapng/pcapng.ts";
import { recordingSink } from "../../recording/record.ts";
import { Recorder, type RecordOptions as RecorderOptions } from "../../recording/recorder.ts";
import { write } from "../io/io.ts";
import { writeError } from "../io/files.ts";
import type { InstrumentedRun, RecordOptions } from "./instrument_flags.ts";
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
  const output = new RecordingOutput(file, run);
  const options = {
    redaction,
    connectionLimit: connection,
    totalLimit: total,
    arguments: args,
    seed,
  };
  const { sink, end } = format === "pcapng"
    ? pcapngSink((blocks) => output.write(blocks), options)
    : { sink: recordingSink((lines) => output.write(lines), options), end: undefined };
  return { sink, isStdout: output.isStdout, close: () => output.close(end) };
}

/** Makes a sink that writes pcapng, and a function that returns the end of it. */
function pcapngSink(
  write: (blocks: Uint8Array) => void,
  options: RecorderOptions,
): { readonly sink: EventSink; end(dropped: number): Uint8Array } {
  const recorder = new Recorder(options);
  const encoder = new PcapngEncoder(recorder.head);
  write(encoder.start());
  const sink: EventSink = (event) =>
    write(concat(recorder.eventsOf(event).map((recorded) => encoder.add(recorded))));
  return { sink, end: (dropped) => encoder.end(dropped) };
}

/**
 * The file or stream that a recording goes to. It ends when it cannot be written, and the run goes
 * on.
 */
class RecordingOutput {
  readonly isStdout: boolean;
  readonly #path: string;
  readonly #run: InstrumentedRun;
  readonly #file: RecordingFile | undefined;
  readonly #text = new TextEncoder();
  readonly #bytes = new Uint8Array(ENCODED_AT_ONCE);
  #dropped = 0;
  #ended = false;

  constructor(path: string, run: InstrumentedRun) {
    this.isStdout = path === "-";
    this.#path = path;
    this.#run = run;
    if (this.isStdout) return;
    try {
      this.#file = new RecordingFile(path, run.io.clock, (error) => this.#fail(error));
    } catch (error) {
      throw unwritten(path, error);
    }
  }

  /** Writes whole lines or blocks, at once: a process that is killed loses none of them. */
  write(data: string | Uint8Array): void {
    if (!this.#ended && data.length > 0) this.#put(data);
  }

  /** Ends it; `end` makes what the file ends with, of the number of events that are not in it. */
  async close(end?: (dropped: number) => Uint8Array): Promise<boolean> {
    if (this.#ended) return false;
    if (end !== undefined) this.#put(end(this.#dropped));
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
