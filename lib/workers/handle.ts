/**
 * A worker as its parent holds it: a process or a thread that takes messages, gives some, and ends.
 *
 * @module
 */

import process from "node:process";
import { Worker } from "node:worker_threads";
import { WORKER_ENTRY } from "./entry.ts";
import { startProcess } from "./process.deno.ts";
import { type FromWorker, type ToWorker, WORKER_MARK } from "./protocol.ts";

/** See the module. */
export interface WorkerHandle {
  /** The process's id; undefined for a thread. */
  readonly pid: number | undefined;
  /** Says something, unless it has ended. */
  post(message: ToWorker): void;
  /** Lets it end, as it has nothing left to do. */
  release(): void;
  /** Ends it at once. */
  kill(): void;
}

/** The callbacks of a handle. */
export interface WorkerListener {
  onMessage(message: FromWorker): void;
  /** Called when it has ended; `how` is the end of a sentence. Called once; nothing comes after it. */
  onEnd(how: string): void;
}

/** The time that the parent still listens to a process that has ended. */
const LAST_WORDS_MS = 100;

/** Starts a process; `fd` is a descriptor for it, and `flags` are the runtime's. */
export function startWorkerProcess(
  { onMessage, onEnd }: WorkerListener,
  options: { fd?: number; flags?: readonly string[] },
): WorkerHandle {
  const child = startProcess(WORKER_ENTRY, [WORKER_MARK], options);
  const release = () => {
    if (child.connected) child.disconnect();
  };
  child.on("message", (message) => onMessage(message as FromWorker));
  child.once("error", (error) => {
    // Nothing else will come if it could not even be started.
    if (child.pid === undefined) onEnd(`could not start: ${error.message}`);
  });
  child.once("exit", (code, signal) => {
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    if (!child.connected) return onEnd(how);
    // Its last message may still be under way. Deno does not always notice the end of the channel.
    child.once("disconnect", () => onEnd(how));
    setTimeout(release, LAST_WORDS_MS);
  });
  return {
    pid: child.pid,
    post: (message) => {
      // The callback takes the error of a process that has just ended.
      if (child.connected) child.send(message, () => {});
    },
    release,
    kill: () => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(child.pid, "SIGKILL");
      } catch {
        // It ended just now.
      }
    },
  };
}

/** Threads start from files and data only. A program that Deno runs from JSR is neither. */
function threadEntry(): URL {
  if (WORKER_ENTRY.startsWith("file:")) return new URL(WORKER_ENTRY);
  const program = `import ${JSON.stringify(WORKER_ENTRY)};`;
  return new URL(`data:text/javascript,${encodeURIComponent(program)}`);
}

/** Starts a thread. */
export function startWorkerThread({ onMessage, onEnd }: WorkerListener): WorkerHandle {
  const thread = new Worker(threadEntry(), { workerData: WORKER_MARK });
  let thrown: string | undefined;
  thread.on("message", (message: FromWorker) => onMessage(message));
  thread.on("error", (error) => thrown = `threw: ${(error as Error)?.message ?? error}`);
  thread.once("exit", (code) => onEnd(thrown ?? `ended with exit code ${code}`));
  const terminate = () => void thread.terminate();
  return {
    pid: undefined,
    post: (message) => thread.postMessage(message),
    release: terminate,
    kill: terminate,
  };
}
