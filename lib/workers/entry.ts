/**
 * The program of a worker: a process or thread that {@linkcode startWorkers} has started. Imported by
 * anybody else, this module exports its URL and does nothing.
 *
 * @module
 */

import process from "node:process";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { SocketError } from "../base/errors.ts";
import { WrappedListener } from "../net/conn_base.ts";
import type { ServeSummary } from "../serve/serve.ts";
import type { Server } from "../serve/server.ts";
import { systemTransport } from "../net/system.deno.ts";
import type { Conn, Listener, ListenOptions } from "../net/transport.ts";
import {
  type Failure,
  type FromWorker,
  type ListeningTransport,
  type ToWorker,
  WORKER_MARK,
  type WorkerMain,
} from "./protocol.ts";

/** The URL of this file, which a parent starts. */
export const WORKER_ENTRY: string = import.meta.url;

/** Whether this is a worker. */
export const IN_WORKER: boolean = isMainThread
  ? process.argv[2] === WORKER_MARK && process.send !== undefined
  : workerData === WORKER_MARK;

/** The interval at which a process checks that its parent is still there, in milliseconds. */
const PARENT_MS = 500;

/** A count travels to the parent at most this often, in milliseconds. */
const REPORT_MS = 100;

type Post = (message: FromWorker) => void;

/** Reports what was accepted from it. */
class CountedListener extends WrappedListener {
  readonly #count: () => void;

  constructor(inner: Listener, count: () => void) {
    super(inner);
    this.#count = count;
  }

  protected async startAccept(): Promise<Conn> {
    const conn = await this.inner.accept();
    this.#count();
    return conn;
  }
}

/** Counts, and reports to the parent now and then. */
class Counter {
  readonly #post: Post;
  #accepted = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(post: Post) {
    this.#post = post;
  }

  count(): void {
    this.#accepted++;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#post({ type: "accepted", accepted: this.#accepted });
    }, REPORT_MS);
  }

  /** The next message is the summary, which counts better. */
  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Opens the channel to the parent. */
function connect(onMessage: (message: ToWorker) => void): Post {
  if (!isMainThread) {
    parentPort!.on("message", onMessage);
    return (message) => parentPort!.postMessage(message);
  }
  process.on("message", onMessage);
  // The parent has ended, or has heard all it wants to hear: nobody else will end this process.
  process.on("disconnect", () => process.exit());
  // When it ends with a message of ours unread, the channel breaks, which Deno does not tell.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit();
  }, PARENT_MS);
  // Ctrl-C reaches every process of a terminal, and so does its end. The parent decides what follows.
  // SIGUSR2 may come from a manager that signals all processes of a service.
  const names = ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR2"] as const;
  for (const name of names) {
    if (name !== "SIGUSR2" || process.platform !== "win32") process.on(name, () => {});
  }
  return (message) => {
    if (process.connected) process.send!(message);
  };
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return { message: String(error), stack: undefined, socket: undefined };
  }
  const { message, stack } = error;
  const { code, op, addr } = error as SocketError;
  return { message, stack, socket: error instanceof SocketError ? { code, op, addr } : undefined };
}

/** Makes the report that the parent asks for. */
type Reporter = { report: () => unknown };

/** Stops what the worker serves. */
class Stopper {
  readonly #controller = new AbortController();
  #server: Server<ServeSummary> | undefined;
  #drainTimeout: number | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(drainTimeout: number): void {
    this.#drainTimeout = drainTimeout;
    // Before the signal, which stops it with the time that it was started with.
    void this.#server?.stop({ drainTimeout });
    this.#controller.abort();
  }

  async finished(server: Server<ServeSummary>): Promise<ServeSummary> {
    this.#server = server;
    if (this.signal.aborted) void server.stop({ drainTimeout: this.#drainTimeout });
    return await server.finished;
  }
}

async function work(
  { module, id, listen, drainTimeout, data }: ToWorker & { type: "start" },
  { stopper, reporter, post }: { stopper: Stopper; reporter: Reporter; post: Post },
): Promise<void> {
  const counter = new Counter(post);
  try {
    const main: WorkerMain = (await import(module)).default;
    if (typeof main !== "function") {
      throw new TypeError(`${module} does not export a function as its default`);
    }
    const listenHere = async (
      transport: ListeningTransport = systemTransport,
    ): Promise<Listener> => {
      const listener = await transport.listen(listen as ListenOptions);
      post({ type: "ready", addr: listener.addr });
      return new CountedListener(listener, () => counter.count());
    };
    const { signal } = stopper;
    const reportWith = (report: () => unknown) => void (reporter.report = report);
    const served = await main({ id, data, signal, drainTimeout, listen: listenHere, reportWith });
    const summary = "finished" in served ? await stopper.finished(served) : served;
    post({ type: "done", summary });
  } catch (error) {
    post({ type: "failed", failure: failureOf(error) });
  } finally {
    counter.end();
  }
}

if (IN_WORKER) {
  const stopper = new Stopper();
  const reporter: Reporter = { report: () => undefined };
  const post = connect((message) => {
    if (message.type === "start") void work(message, { stopper, reporter, post });
    else if (message.type === "ask") post({ type: "report", report: reporter.report() });
    else stopper.stop(message.drainTimeout);
  });
  post({ type: "up" });
}
