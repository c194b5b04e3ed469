// Programs of other people's making, as the other end of a conversation.

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { deferred } from "../../lib/base/wait.ts";
import type { Endpoint } from "../../lib/base/addr.ts";

/**
 * Starts Python, without the packages of the site: to look for them takes several times as long as
 * all else.
 */
export const PYTHON: readonly string[] = ["python3", "-S"];

/** A Python program with a socket. */
export interface PythonPeer extends AsyncDisposable {
  readonly pid: number;
  /** Where it listens, if it does. */
  readonly endpoint: Endpoint;
  /** Gives it a line to read. */
  say(line: string): void;
  /** Waits for a line that it prints; rejects if none comes any more. */
  hear(): Promise<string>;
}

/** The text of a program as {@linkcode python} runs it: it first says its port. */
export function pythonProgram(program: string, backlog: number): string {
  return `
import socket, struct, sys
l = socket.socket()
l.bind(("127.0.0.1", 0))
l.listen(${backlog})
def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
def say(text):
    print(text, flush=True)
say(l.getsockname()[1])
${program}`;
}

/** Reads what a Python program says, a line at a time. */
export function hearing(stream: Readable): () => Promise<string> {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async () => {
    const late = "Waited in vain for a line of the Python peer";
    const { done, value } = await inTime(lines.next(), () => late);
    if (done) throw new Error("The Python peer ended, and said no more");
    return value;
  };
}

/**
 * Runs a Python program that has `socket`, `struct`, `sys`, a listening socket `l`, and a function
 * `reset(s)` that closes with RST. It is killed when the peer is disposed of.
 */
export async function python(program: string, backlog = 128): Promise<PythonPeer> {
  const [file, ...args] = [...PYTHON, "-c", pythonProgram(program, backlog)];
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const hear = hearing(child.stdout);
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  const port = Number(await Promise.race([hear(), failed]));
  return {
    pid: child.pid!,
    endpoint: { host: "127.0.0.1", port },
    say: (line) => void child.stdin.write(`${line}\n`),
    hear,
    async [Symbol.asyncDispose]() {
      const exited = child.exitCode === null && child.signalCode === null && once(child, "exit");
      child.stdin.destroy();
      child.kill("SIGKILL");
      await exited;
      child.stdout.destroy();
    },
  };
}

/** How long anything that a test waits for may take, on a machine that is busy with other things. */
export const DEADLINE_MS = 60_000;

/** Settles as `work` does, and rejects with what `late` says if it has not by the deadline. */
export async function inTime<T>(
  work: Promise<T>,
  late: () => string,
  ms: number = DEADLINE_MS,
): Promise<T> {
  const { promise, reject } = deferred<never>();
  const timer = setTimeout(() => reject(new Error(late())), ms);
  try {
    return await Promise.race([promise, work]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a program prints on stdout or stderr. */
export class Output {
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #over = false;
  #changed = deferred<void>();

  /** Takes what comes; keeps it unless there is `onData` to take it. */
  add(chunk: Buffer, onData?: (chunk: Buffer) => void): void {
    this.#length += chunk.length;
    if (onData === undefined) this.#chunks.push(chunk);
    else onData(chunk);
    this.#notify();
  }

  /** Nothing more comes. */
  end(): void {
    this.#over = true;
    this.#notify();
  }

  /** All of it, so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** All of it, so far, as text. */
  get text(): string {
    return this.bytes.toString();
  }

  /** Its lines, so far. */
  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Waits until all that was printed so far matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      await this.#more(() => `${pattern} in:\n${this.text}`);
    }
  }

  /** Waits until so many bytes were printed. */
  async untilLength(bytes: number): Promise<void> {
    while (this.#length < bytes) await this.#more(() => `${bytes} bytes, only ${this.#length}`);
  }

  /** Waits for more output. */
  async #more(missing: () => string): Promise<void> {
    if (this.#over) throw new Error(`It ended without ${missing()}`);
    await inTime(this.#changed.promise, () => `It did not print in time ${missing()}`);
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }
}

function collect(stream: Readable, output: Output, onData?: (chunk: Buffer) => void): void {
  stream.on("data", (chunk: Buffer) => output.add(chunk, onData));
  stream.on("close", () => output.end());
}

/** How a program ended, and all that it printed. */
export interface Exit {
  /** The exit code; null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What {@linkcode Program} takes. */
export interface ProgramOptions {
  /** Gives it a pipe as stdin; without, that is /dev/null. */
  readonly pipe?: boolean;
  /** Set in its environment; what is undefined is taken out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Takes what it prints on stdout, instead of `stdout`. */
  readonly onStdout?: (chunk: Buffer) => void;
}

/** A program that runs until it ends or is disposed of. */
export interface Running extends AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Output;
  readonly stderr: Output;
  kill(signal: "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGUSR2"): void;
  /** Waits until it has ended. */
  exit(): Promise<Exit>;
  /** Sends a signal, SIGTERM unless it is another, and waits until it has ended. */
  stop(signal?: "SIGHUP" | "SIGINT" | "SIGTERM"): Promise<Exit>;
}

/** A process. Disposing of it kills it. */
export class Program implements Running {
  readonly stdout: Output = new Output();
  readonly stderr: Output = new Output();
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;
  readonly #command: string;

  constructor(command: readonly string[], { pipe, env = {}, onStdout }: ProgramOptions = {}) {
    const [file, ...args] = command;
    this.#command = command.join(" ");
    const child = this.#child = spawn(file, args, {
      stdio: [pipe ? "pipe" : "ignore", "pipe", "pipe"],
      env: Object.fromEntries(
        Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined),
      ),
    });
    collect(child.stdout!, this.stdout, onStdout);
    collect(child.stderr!, this.stderr);
    // It need not read all it is given: EPIPE is fine.
    child.stdin?.on("error", () => {});
    this.#closed = new Promise((resolve, reject) => {
      child.once("close", (code) => resolve(code));
      child.once("error", reject);
    });
    this.#closed.catch(() => {});
  }

  get stdin(): Writable {
    return this.#child.stdin!;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async exit(ms?: number): Promise<Exit> {
    const code = await inTime(
      this.#closed,
      () => `Still running: ${this.#command}\n${this.stderr.text}`,
      ms,
    );
    return { code, stdout: this.stdout.bytes, stderr: this.stderr.text };
  }

  kill(signal: "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGUSR2"): void {
    const { pid, exitCode, signalCode } = this.#child;
    // Not with child.kill(): in Deno that makes the exit code null, whatever it is.
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, signal);
  }

  /** Goes away as the reader of all that it prints: from then on that is EPIPE. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  stop(signal: "SIGHUP" | "SIGINT" | "SIGTERM" = "SIGTERM"): Promise<Exit> {
    this.kill(signal);
    return this.exit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { stdin, stdout, stderr } = this.#child;
    stdin?.destroy();
    this.kill("SIGKILL");
    // Programs that it started in turn may hold the other ends open, and are not waited for.
    stdout?.destroy();
    stderr?.destroy();
    await this.#closed.catch(() => {});
  }
}

/** Runs a program to its end, with `stdin` in a pipe if it is given. */
export async function runProgram(
  command: readonly string[],
  { stdin, env }: { stdin?: string | Uint8Array; env?: ProgramOptions["env"] } = {},
): Promise<Exit> {
  await using program = new Program(command, { pipe: stdin !== undefined, env });
  if (stdin !== undefined) program.stdin.end(stdin);
  return await program.exit();
}
