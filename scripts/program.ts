// Other programs: started with a deadline, and ended together with all that they started.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";

/** The folder of the project, in which every program runs unless told otherwise. */
export const ROOT: string = join(import.meta.dirname!, "..");

/** What {@linkcode run} and {@linkcode Program} take. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed; five minutes if not given. */
  readonly deadline?: number;
  /** Gets all that it prints, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** A program that has ended. */
export interface Ended {
  /** Its exit code; 124 if it was killed at the deadline, 128 if by another process. */
  readonly code: number;
  readonly stdout: string;
  /** What it wrote to stdout and stderr, in the order in which it came. */
  readonly output: string;
}

const running = new Set<Program>();

for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15]] as const) {
  process.once(signal, () => {
    for (const program of running) program.kill("SIGKILL");
    process.exit(128 + number);
  });
}

/** A program that runs. Its standard input is empty. */
export class Program {
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #stdout = "";
  #output = "";
  #onStdout: () => void = () => {};

  constructor(command: readonly string[], options: ProgramOptions = {}) {
    const { cwd = ROOT, env, deadline = 300_000, onOutput } = options;
    this.#child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, since npx and npm leave their children behind when only they are killed.
      detached: true,
    });
    running.add(this);
    const { stdout, stderr } = this.#child;
    const add = (text: string) => {
      this.#output += text;
      onOutput?.(text);
    };
    stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      add(text);
      this.#onStdout();
    });
    stderr.setEncoding("utf8").on("data", add);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      add(`\n${command.join(" ")}: killed, not done after ${deadline / 1000} s\n`);
      this.kill("SIGKILL");
    }, deadline);
    this.ended = new Promise((resolve) => {
      const end = (code: number | null) => {
        clearTimeout(timer);
        running.delete(this);
        resolve({
          code: late ? 124 : code ?? 128,
          stdout: this.#stdout,
          output: this.#output,
        });
      };
      this.#child.once("error", (error) => {
        add(`${error.message}\n`);
        end(127);
      });
      this.#child.once("close", end);
    });
  }

  /** Waits for the first line on its stdout; rejects if it ends without one. */
  async firstLine(): Promise<string> {
    const line = new Promise<void>((resolve) => {
      this.#onStdout = () => {
        if (this.#stdout.includes("\n")) resolve();
      };
      this.#onStdout();
    });
    await Promise.race([line, this.ended]);
    const end = this.#stdout.indexOf("\n");
    if (end < 0) throw new Error(`It ended without a line on stdout:\n${this.#output}`);
    return this.#stdout.slice(0, end);
  }

  /** Sends a signal to it and to all that it has started. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      process.kill(-this.#child.pid!, signal);
    } catch {
      // It was gone already.
    }
  }

  /** Ends it with SIGTERM, and after ten seconds with SIGKILL. */
  async stop(): Promise<Ended> {
    this.kill("SIGTERM");
    const timer = setTimeout(() => this.kill("SIGKILL"), 10_000);
    const ended = await this.ended;
    clearTimeout(timer);
    return ended;
  }
}

/** Runs a program to its end. */
export function run(command: readonly string[], options?: ProgramOptions): Promise<Ended> {
  return new Program(command, options).ended;
}

/** Runs a program that must exit with 0, and gives what it wrote to stdout. */
export async function must(command: readonly string[], options?: ProgramOptions): Promise<string> {
  const { code, stdout, output } = await run(command, options);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${output}`);
  return stdout;
}
