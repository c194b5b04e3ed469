/**
 * The processes that the bench starts. Every wait has a deadline, and however the bench ends, each
 * process is killed by its id, and so are those that it has started.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { basename } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { family } from "./processes.ts";

/** How long a server may take to start: the first run of a Deno script compiles it. */
const START_MS = 20_000;

const alive = new Set<ChildProcess>();

/** Kills all that still runs; it does nothing if nothing does. */
export function killAll(): void {
  for (const child of alive) kill(child);
}

/** nginx's worker does not end with its master, and would keep our end of their stdout open. */
function kill(child: ChildProcess): void {
  for (const pid of child.pid === undefined ? [] : family(child.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

process.on("exit", killAll);
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  process.on(signal, () => {
    killAll();
    process.exit(code);
  });
}

/** A process that runs until it is stopped. */
export class Child {
  /** What was run, for messages: without the paths of this machine. */
  readonly command: string;
  /** The id of the process. */
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** Starts a process; its stderr goes to ours. */
  constructor(command: readonly string[]) {
    this.command = command.map((part) => basename(part)).join(" ");
    this.#child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
    alive.add(this.#child);
    this.#child.once("exit", () => alive.delete(this.#child));
    this.#child.once("error", () => alive.delete(this.#child));
    this.#child.stdin!.on("error", () => {}); // It ended before we had closed its stdin.
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.pid = this.#child.pid ?? 0;
  }

  /** The next line of its stdout. */
  async line(ms: number = START_MS): Promise<string> {
    const { value, done } = await within(ms, this.command, this.#lines.next());
    if (done) throw new Error(`${this.command}: it ended without a word`);
    return value;
  }

  /** Writes a line to its stdin. */
  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Whether it still runs. */
  get running(): boolean {
    return alive.has(this.#child);
  }

  /** Kills it and waits until it is gone. */
  async stop(): Promise<void> {
    if (!this.running) return;
    const gone = once(this.#child, "exit");
    kill(this.#child);
    await within(5_000, this.command, gone);
  }
}

/** Rejects when `promise` has not settled after `ms` milliseconds. */
async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer!);
  }
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A free port of 127.0.0.1, for servers that cannot let the kernel choose, or do not tell. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/**
 * The port that a process listens at, as the kernel tells it: ncat and socat take port 0, but do not
 * say which one they got.
 */
export async function listeningPort(pid: number): Promise<number> {
  for (let waited = 0; waited < START_MS; waited += 50) {
    await sleep(50);
    const sockets = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => descriptor(pid, fd)));
    for (const row of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
      const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
      if (state === "0A" && sockets.has(`socket:[${inode}]`)) {
        return Number.parseInt(local.split(":")[1], 16);
      }
    }
  }
  throw new Error(`process ${pid} does not listen`);
}

function descriptor(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return ""; // Closed since it was listed.
  }
}
