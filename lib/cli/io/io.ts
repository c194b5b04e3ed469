/**
 * The input, output and signals of a program: those of its process, or of a test.
 *
 * @module
 */

import type { ProgramOutput } from "./program_output.ts";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { nodeFs } from "../../base/builtins.deno.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { within } from "../../base/wait.ts";
import { serverOutputs } from "./outputs.deno.ts";
import { hasTerminal } from "./terminal.deno.ts";

/** The signals that programs handle. */
export type ProgramSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR2";

/** The surroundings of a program; see the module. */
export interface Io {
  /** The input of the program. */
  readonly stdin: Readable;
  /** The output for its data. */
  readonly stdout: ProgramOutput;
  /** The output for all else. */
  readonly stderr: ProgramOutput;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The clock of idle times, of the time that a drain gets, and of the waits before retries. */
  readonly clock: Clock;
  /** Whether stdin is a pipe or a file, and not a terminal or nothing. */
  hasInput(): boolean;
  /** Whether stdin, stdout or stderr is a terminal. */
  hasTerminal(): boolean;
  /** Calls `listener` for each such signal, in place of what the signal does by default. */
  onSignal(signal: ProgramSignal, listener: () => void): void;
}

/** The surroundings that the process has. */
export const processIo: Io = {
  // Node opens the streams when they are first used.
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  get env() {
    return process.env;
  },
  clock: systemClock,
  hasInput() {
    try {
      const stdin = nodeFs().fstatSync(0);
      return stdin.isFIFO() || stdin.isFile() || stdin.isSocket();
    } catch {
      return false;
    }
  },
  hasTerminal,
  onSignal(signal, listener) {
    process.on(signal, listener);
  },
};

/** The surroundings of a server: whoever does not read what it prints does not hold it up. */
export function serverIo(): Io {
  const { clock, hasInput, hasTerminal, onSignal } = processIo;
  return {
    ...serverOutputs(),
    get stdin() {
      return process.stdin;
    },
    get env() {
      return process.env;
    },
    clock,
    hasInput,
    hasTerminal,
    onSignal,
  };
}

/** The time that the end of a program waits for its output to be read, in milliseconds. */
const FLUSH_MS = 500;

/** Waits until a stream has got rid of what it was given, or it seems that nobody reads that. */
export function flushed(stream: Writable): Promise<void> {
  if (stream.writableLength === 0) return Promise.resolve();
  const written = new Promise<void>((resolve) => write(stream, "", () => resolve()));
  return within(written, FLUSH_MS, systemClock);
}

/** Writes to a stream. What goes wrong is an event of the stream; Deno throws it for a file. */
export function write(stream: Writable, data: string | Uint8Array, done?: () => void): void {
  try {
    stream.write(data, done);
  } catch (error) {
    stream.emit("error", error);
  }
}

/** Prints on stdout and waits until it is out. */
export function print({ stdout }: Pick<Io, "stdout">, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => write(stdout, data, () => resolve()));
}
