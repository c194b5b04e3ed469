/**
 * Where `--record` writes.
 *
 * @module
 */

import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from "node:fs";
import { counted } from "../../base/plural.ts";
import type { EventSink } from "../../observe/events.ts";
import { parseEvent, parseHead } from "../../recording/parse.ts";
import { PcapngEncoder } from "../../recording/pcapng/pcapng.ts";
import { recordingSink } from "../../recording/record.ts";
import { write } from "../io/io.ts";
import { writeError } from "../io/files.ts";
import type { InstrumentedRun, RecordFormat, RecordOptions } from "./instrument_flags.ts";

/** The most bytes of a recording that wait for the reader of stdout; what comes on top is dropped. */
const MAX_WAITING = 16 * 1024 * 1024;

/** So many bytes of a text are encoded and written at a time. A line of the largest read fits. */
const ENCODED_AT_ONCE = 256 * 1024;

/** A recording that is being written. */
export interface OpenRecording {
  readonly sink: EventSink;
  readonly isStdout: boolean;
  /** Ends it. Returns whether all of it was written; if not, the log says so. */
  close(): boolean;
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
  #fd: number | undefined;
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
      this.#fd = openForOwner(path);
    } catch (error) {
      throw unwritten(path, error);
    }
  }

  /** Writes whole lines, at once: a process that is killed loses none of them. */
  write(lines: string): void {
    if (this.#ended || lines === "") return;
    this.#put(this.#convert === undefined ? lines : this.#convert(lines));
  }

  close(): boolean {
    if (this.#ended) return false;
    if (this.#encoder !== undefined) this.#put(this.#encoder.end(this.#dropped));
    this.#ended = true;
    if (this.#fd !== undefined) closeSync(this.#fd);
    if (this.#dropped === 0) return true;
    const lacking = counted(this.#dropped, "event");
    this.#run.log.error(
      `The recording lacks ${lacking}: stdout was not read fast enough. Name a file.`,
    );
    return false;
  }

  #put(data: string | Uint8Array): void {
    if (this.#fd === undefined) {
      const { stdout } = this.#run.io;
      if (stdout.writableLength > MAX_WAITING) this.#dropped++;
      else write(stdout, data);
      return;
    }
    try {
      if (typeof data === "string") this.#putText(this.#fd, data);
      else putBytes(this.#fd, data);
    } catch (error) {
      this.#ended = true;
      closeSync(this.#fd);
      this.#run.log.error(`${unwritten(this.#path, error).message} It ends here.`);
    }
  }

  /** Encodes into memory that is there already: to allocate it costs more than all the rest. */
  #putText(fd: number, text: string): void {
    for (let rest = text; rest !== "";) {
      const { read, written } = this.#text.encodeInto(rest, this.#bytes);
      putBytes(fd, this.#bytes.subarray(0, written));
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

/** Opens a file, and empties it, that only its owner can read: it may have passwords in it. */
function openForOwner(path: string): number {
  const fd = openSync(path, "w", 0o600);
  try {
    // One that was there already may have another mode; a device or a pipe keeps its own.
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600);
  } catch {
    // It is somebody else's, who decides.
  }
  return fd;
}

function putBytes(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
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
