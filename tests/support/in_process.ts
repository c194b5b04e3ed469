// Our scripts in the process of the tests: main(args, io) with streams and signals of its own.
// It starts at once, and what it forgets to close is a leak of the test's.

import { Buffer } from "node:buffer";
import process from "node:process";
import { PassThrough, Readable, Writable } from "node:stream";
import type { Main } from "../../lib/cli/main.ts";
import type { Io, ProgramSignal } from "../../lib/cli/io/io.ts";
import { main as client } from "../../client.ts";
import { main as plainsocket } from "../../lib/cli/plainsocket.ts";
import { main as server } from "../../server.ts";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { type Exit, inTime, Output, type ProgramOptions, type Running } from "./peers.ts";

type Script = "server" | "client" | "plainsocket";

const MAINS: Readonly<Record<Script, Main>> = { server, client, plainsocket };

/** What {@linkcode InProcess} takes. */
export type InProcessOptions = Pick<ProgramOptions, "pipe" | "env"> & {
  /** Makes stderr a terminal so wide, and stdout another one if it is `"both"`. */
  readonly terminal?: "stderr" | "both";
  /** How wide the terminal is. Default: 80. */
  readonly columns?: number;
  /** The clock of the program. Default: the system's. */
  readonly clock?: Clock;
};

/** A stream whose output is collected as long as somebody reads it. */
function writing(output: Output, isRead: () => boolean): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isRead()) return done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      // The program may use the memory again once it is told that this is out.
      output.add(Buffer.from(chunk));
      done();
    },
  });
}

/** A script that runs until it ends or is disposed of, which stops it. */
export class InProcess implements Running {
  readonly stdin: Writable;
  readonly stdout: Output = new Output();
  readonly stderr: Output = new Output();
  /** Changes how wide the terminal is. */
  readonly resize: (columns: number) => void;
  readonly #name: string;
  readonly #exit: Promise<Exit>;
  #isRead = true;
  readonly #listeners: Readonly<Record<ProgramSignal, (() => void)[]>> = {
    SIGHUP: [],
    SIGINT: [],
    SIGTERM: [],
    SIGUSR2: [],
  };
  /** Signals to stop that came before anything listened. */
  readonly #pending = new Set<ProgramSignal>();

  constructor(
    script: Script,
    args: readonly string[],
    { pipe = false, env = {}, terminal, columns = 80, clock = systemClock }: InProcessOptions = {},
  ) {
    this.#name = `${script}.ts ${args.join(" ")}`;
    const stdin = this.stdin = new PassThrough();
    // It need not read all it is given, and may have ended.
    stdin.on("error", () => {});
    const isRead = () => this.#isRead;
    const stdout = Object.assign(writing(this.stdout, isRead), { isTTY: terminal === "both" });
    const isTTY = terminal !== undefined;
    const stderr = Object.assign(writing(this.stderr, isRead), { isTTY, columns });
    this.resize = (columns) => void (stderr.columns = columns);
    const io: Io = {
      stdin: pipe ? stdin : Readable.from([]),
      stdout,
      stderr,
      env: { ...process.env, ...env },
      clock,
      hasInput: () => pipe,
      hasTerminal: () => terminal !== undefined,
      onSignal: (signal, listener) => this.#listen(signal, listener),
    };
    this.#exit = MAINS[script](args, io).then((code) => {
      this.stdout.end();
      this.stderr.end();
      stdin.destroy();
      return { code, stdout: this.stdout.bytes, stderr: this.stderr.text };
    });
  }

  /** Waits until it has ended. */
  exit(): Promise<Exit> {
    return inTime(this.#exit, () => `Still running: ${this.#name}\n${this.stderr.text}`);
  }

  /**
   * Sends a signal. One to stop that comes before it listens arrives when it does. Throws for a SIGHUP
   * that it does not listen for: that would end a process, and so here the tests.
   */
  kill(signal: ProgramSignal): void {
    const listeners = this.#listeners[signal];
    for (const listener of listeners) listener();
    if (listeners.length > 0) return;
    if (signal === "SIGHUP") throw new Error(`It does not listen for SIGHUP: ${this.#name}`);
    this.#pending.add(signal);
  }

  /** Goes away as the reader of all that it prints: from then on that is EPIPE. */
  closeOutput(): void {
    this.#isRead = false;
  }

  stop(signal: ProgramSignal = "SIGTERM"): Promise<Exit> {
    this.kill(signal);
    return this.exit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGTERM");
    await this.exit();
  }

  #listen(signal: ProgramSignal, listener: () => void): void {
    this.#listeners[signal].push(listener);
    if (this.#pending.delete(signal)) queueMicrotask(listener);
  }
}
