/**
 * The log of the scripts on stderr: notes, errors and, with `-v`, every event of the sockets.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import { counted } from "../../base/counted.ts";
import { escapeText, safeJson } from "../../base/escape.ts";
import type { EventSink, SocketEvent } from "../../observe/events.ts";
import type { Certificate } from "../../net/tls/options.ts";
import type { Addr } from "../../base/addr.ts";
import { type Io, print, write } from "./io.ts";
import type { DiagramWords, liveDiagram } from "../../recording/live_diagram.ts";
import type { ProgramOutput } from "./program_output.ts";
import { escaped } from "./quote.ts";

/** The format of the log: lines for people, or one JSON object a line. */
export type LogFormat = "text" | "json";

/** Options of {@linkcode Log}. */
export interface LogOptions {
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** Undefined is text, and a diagram of the connections on a terminal. */
  readonly log: LogFormat | undefined;
  /** The number of the worker that these lines are of. Each line has it then. */
  readonly worker?: number;
}

/** The width of a diagram on a terminal that does not say its width, and the largest width. */
const [USUAL_WIDTH, MAX_WIDTH] = [80, 120];

/** Turns an event into the lines of a transcript. */
export type Transcript = (event: SocketEvent) => readonly string[];

const NEWLINE = 10;
/** The most bytes of lines that wait to be read; further lines are dropped. */
const MOST_WAITING = 1024 * 1024;

const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/** Writes to stderr, each message as one line and made safe for terminals; see the module. */
export class Log {
  /** Whether every step is shown: then, and only then, is a transport observed. */
  readonly verbose: boolean;
  /** Whether nothing but errors is shown. */
  readonly quiet: boolean;
  /** Whether it has one JSON object a line. */
  readonly json: boolean;
  readonly #io: Io;
  readonly #color: boolean;
  readonly #worker: number | undefined;
  readonly #diagram: typeof liveDiagram | undefined;
  /** The number of lines that were dropped since somebody last read what waits. */
  #dropped = 0;
  /** The cursor of the terminal stands after data that did not end its line. */
  #midLine = false;

  constructor(io: Io, { verbose, quiet, log, worker }: LogOptions, diagram?: typeof liveDiagram) {
    this.#io = io;
    this.#diagram = diagram;
    this.#worker = worker;
    this.verbose = verbose && !quiet;
    this.quiet = quiet;
    this.json = log === "json";
    this.#color = io.stderr.isTTY === true && !io.env.NO_COLOR;
  }

  /** Whether connections are drawn. */
  get draws(): boolean {
    return this.#diagram !== undefined;
  }

  /** Prints data on stdout as it is, and waits until it is out. */
  async data(data: Uint8Array): Promise<void> {
    this.#midLine = this.#io.stdout.isTTY === true && data.at(-1) !== NEWLINE;
    await print(this.#io, data);
  }

  /** Logs something that users like to know, unless they said `-q`. */
  note(message: string): void {
    if (this.quiet) return;
    this.#write(
      this.json ? { time: isoTime(performance.now()), level: "info", message } : message,
    );
  }

  /** Logs something that went wrong. */
  error(message: string): void {
    this.#write(
      this.json ? { time: isoTime(performance.now()), level: "error", message } : message,
    );
  }

  /** Logs a bug in the program, with its stack. `before` says what it was about. */
  mistake(error: unknown, before = ""): void {
    // The message may quote others, and is one line; the stack after it has lines of its own.
    const text = before +
      (error instanceof Error && error.stack !== undefined
        ? error.stack.replace(error.message, escapeText)
        : escapeText(String(error)));
    if (this.json) this.error(text);
    else for (const line of text.split("\n")) this.#write(line);
  }

  /** Logs something that happened, unless users said `-q`: as a line, or as one JSON object. */
  event(line: string, json: Readonly<Record<string, unknown>>): void {
    if (!this.quiet) this.report([line], json);
  }

  /** Logs what users asked for, even with `-q`: as lines, or as one JSON object. */
  report(lines: readonly string[], json: Readonly<Record<string, unknown>>): void {
    if (this.json) this.#write({ time: isoTime(performance.now()), ...json });
    else for (const line of lines) this.#write(line);
  }

  /** Writes lines that are made up already, with their line ends, unless users said `-q`. */
  lines(lines: string): void {
    if (!this.quiet) this.#put(lines);
  }

  /** Makes the sink that shows events: as JSON, drawn in these words, or as the transcript has them. */
  sink(transcript: Transcript, words: DiagramWords = {}): EventSink {
    if (this.json) return (event) => this.#write(toJson(event));
    const width = () => widthOf(this.#io.stderr);
    const put = (lines: string) => this.#put(lines);
    const diagram = this.#diagram?.({ width, color: this.#color, put }, words);
    if (diagram !== undefined) return diagram;
    return (event) => {
      for (const line of transcript(event)) {
        this.#write(line, this.#color);
      }
    };
  }

  #write(line: string | Record<string, unknown>, dim = false): void {
    const worker = this.#worker;
    if (typeof line === "string") {
      const text = escapeText(line);
      const mark = worker === undefined ? "" : `worker ${worker}: `;
      this.#put(`${mark}${dim ? `${DIM}${text}${RESET}` : text}\n`);
    } else {
      this.#put(`${safeJson(worker === undefined ? line : { ...line, worker })}\n`);
    }
  }

  #put(lines: string): void {
    const { stderr } = this.#io;
    if (this.#dropped > 0 || stderr.writableLength > MOST_WAITING) return this.#drop(lines);
    if (this.#midLine) write(stderr, "\n");
    this.#midLine = false;
    write(stderr, lines);
  }

  /** Drops lines, and all further ones until those that wait were read; then it logs how many. */
  #drop(lines: string): void {
    if (this.#dropped === 0) {
      this.#io.stderr.once("drain", () => {
        const lines = counted(this.#dropped, "line");
        this.#dropped = 0;
        this.error(`dropped ${lines} of the log here: nobody was reading it`);
      });
    }
    this.#dropped += lines.split("\n").length - 1;
  }
}

/** Returns the width of a diagram. */
function widthOf(stderr: ProgramOutput): number {
  try {
    return Math.min(stderr.columns || USUAL_WIDTH, MAX_WIDTH);
  } catch {
    return USUAL_WIDTH; // Deno throws when the terminal is gone.
  }
}

function isoTime(ms: number): string {
  return new Date(performance.timeOrigin + ms).toISOString();
}

/** An event with its time, addresses, bytes and error in words. */
function toJson({ time, type, ...rest }: SocketEvent): Record<string, unknown> {
  const line: Record<string, unknown> = { time: isoTime(time), event: type };
  for (const [key, value] of Object.entries(rest)) {
    if (value instanceof Uint8Array) {
      line.bytes = value.length;
      line.data = `"${escaped(value)}"`;
    } else if (value instanceof Error) {
      line.code = (value as Error & { code?: string }).code;
      line.message = value.message;
    } else if (Array.isArray(value)) line[key] = value.map(formatAddr);
    else if (key === "peerCertificate") line[key] = value && shownOf(value as Certificate);
    else {line[key] = value !== null && typeof value === "object"
        ? formatAddr(value as Addr)
        : value;}
  }
  return line;
}

/** A certificate without its bytes. */
function shownOf({ subject, subjectAltName, issuer, validTo, fingerprint256 }: Certificate) {
  return { subject, subjectAltName, issuer, validTo, fingerprint256 };
}
