/**
 * Several processes or threads that serve at one address: started, watched, replaced when they
 * crash, stopped together, and counted in one place.
 *
 * @module
 */

import {
  ANYTHING,
  checkArgument,
  checkOptions,
  CLOCK,
  FUNCTION,
  integer,
  type Kind,
  type Kinds,
  oneOf,
  required,
  SIGNAL,
  TEXT,
  TEXTS,
  WAIT,
} from "../base/arguments.ts";
import process from "node:process";
import { type Clock, LONGEST_TIMER_MS, systemClock } from "../base/clock.ts";
import { abortError } from "../base/errors.ts";
import type { ServeOptions, ServeSummary } from "../serve/serve.ts";
import { RunningServer, type Server } from "../serve/server.ts";
import type { Addr } from "../base/addr.ts";
import type { WorkerKind, WorkerListenOptions, WorkerReport } from "./protocol.ts";
import { IN_WORKER } from "./entry.ts";
import { startWorkerProcess, startWorkerThread } from "./handle.ts";
import { type SharedAddress, shareUnlessAborted } from "./shared_address.ts";
import { Slot } from "./slot.ts";
import { startError } from "./start_error.ts";

/** Options of {@linkcode startWorkers}. */
export interface WorkersOptions extends Pick<ServeOptions, "signal" | "drainTimeout"> {
  /** The number of workers, from 1. As a rule one for each core. */
  readonly workers: number;
  /** The kind of the workers. Default: `"processes"`. */
  readonly kind?: WorkerKind;
  /** Listen options of all workers, without functions. Default: a free port of localhost. */
  readonly listen?: WorkerListenOptions;
  /** Is copied to every worker, as {@linkcode WorkerContext.data}. Plain data, which JSON can carry. */
  readonly data?: unknown;
  /**
   * The runtime's flags for processes. Default: on Node those of this process, on Deno `--allow-…`
   * for each permission that this process has in full: given for all, and no part of it denied.
   */
  readonly flags?: readonly string[];
  /** Called for each event of a worker. It must not throw. */
  readonly onEvent?: (event: WorkerEvent) => void;
  /** The clock of the waits between restarts. Default: the system's. */
  readonly clock?: Clock;
}

const MODULE: Kind = {
  takes: 'the URL of a module, such as import.meta.resolve("./worker.js")',
  is: (value) => TEXT.is(value) || value instanceof URL,
};

const OPTIONS: Kinds<WorkersOptions> = {
  signal: SIGNAL,
  drainTimeout: WAIT,
  workers: required(integer(1)),
  kind: oneOf("processes", "threads"),
  listen: ANYTHING,
  data: ANYTHING,
  flags: TEXTS,
  onEvent: FUNCTION,
  clock: CLOCK,
};

/**
 * An event of a worker. `id` is its number, from 1. `pid` is the id of its process, if it is one.
 */
export type WorkerEvent =
  /** It listens. */
  | { readonly type: "ready"; readonly id: number; readonly pid: number | undefined }
  /** It has ended by itself, as `how` says; it is replaced in `restartIn` milliseconds. */
  | {
    readonly type: "crash";
    readonly id: number;
    readonly pid: number | undefined;
    readonly how: string;
    readonly restartIn: number;
  };

/** The counts of one worker and of those that it has replaced. */
export interface WorkerCounts extends ServeSummary {
  /** Its number, from 1. */
  readonly id: number;
  /** Its process's id now; undefined for a thread, and while there is none. */
  readonly pid: number | undefined;
  /** The number of times that it crashed and was replaced. */
  readonly restarts: number;
}

/**
 * The counts of all workers. While they serve, `accepted` is up to a tenth of a second old and has
 * those that are refused in it; `refused` and `reset` are known at the end. The
 * connections of the last tenth of a second before a worker crashed are not counted.
 */
export interface WorkersSummary extends ServeSummary {
  /** The number of times that a worker crashed and was replaced. */
  readonly restarts: number;
  /** The number of workers that crashed while they stopped, or took too long and were killed. */
  readonly lost: number;
  /** The same of each. */
  readonly workers: readonly WorkerCounts[];
}

/** Workers that serve. Stopped, they have finished when all of them have ended. */
export interface Workers extends Server<WorkersSummary> {
  /**
   * The descriptor of the socket that this process holds for the workers, as that of a
   * {@linkcode Listener}. Undefined where the workers bind for themselves.
   */
  readonly fd: number | undefined;
  /** The counts so far. */
  counts(): WorkersSummary;
  /** Asks all workers for their reports. They get so many milliseconds to answer. Default: 1,000. */
  reports(timeout?: number): Promise<WorkerReport[]>;
}

/**
 * Starts workers that run the same module, and resolves when all of them listen at one address.
 * `module` is its URL, and its default export is a {@linkcode WorkerMain}.
 *
 * The way to share the address depends on the runtime. Processes on Node inherit one socket, which
 * this process holds and never accepts from. All others bind for themselves, with SO_REUSEPORT: the
 * kernel deals the connections out. docs/three_ways.md compares them.
 *
 * A worker that ends unasked is replaced, after 100 ms at first, twice as long each time and ten
 * seconds at most, and after 100 ms again once it has served for ten seconds. Meanwhile the others
 * serve.
 *
 * {@linkcode Server.stop}, or aborting `signal`, stops all workers, and ends those that are not done
 * five seconds after the drain timeout. When this process ends, however it does, they end at once.
 *
 * Rejects with a SocketError if the address cannot be had, ENOTSUP where the runtime cannot share it:
 * threads on Node before 22.12; threads on Deno without `--unstable-net`; a Unix socket, and one that is
 * inherited, other than among processes on Node. Rejects with what a worker could not start for. On Deno threads need
 * `--allow-read`, and processes `--allow-net`, `--allow-run`, `--allow-env` and `--allow-read`, all in full:
 * ENOTCAPABLE.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { startWorkers } from "@plainsocket/plainsocket/workers";
 * import assert from "node:assert/strict";
 *
 * const module = "data:text/javascript," + encodeURIComponent(`
 *   export default async ({ listen, signal, data }) => {
 *     const listener = await listen();
 *     signal.addEventListener("abort", () => listener.close());
 *     let accepted = 0;
 *     for await (const conn of listener) {
 *       accepted++;
 *       await conn.write(new TextEncoder().encode(data));
 *       conn.close();
 *     }
 *     return { accepted, refused: 0, reset: 0 };
 *   };
 * `);
 * const workers = await startWorkers(module, { workers: 2, data: "hello" });
 *
 * using conn = await systemTransport.connect(workers.addr);
 * assert.equal(await conn.read(new Uint8Array(64)), 5);
 *
 * assert.equal((await workers.stop()).accepted, 1);
 * ```
 */
export async function startWorkers(
  module: string | URL,
  options: WorkersOptions,
): Promise<Workers> {
  // A module that starts workers which run that same module would do so without end.
  if (IN_WORKER) throw new Error("A worker cannot start workers: start them in another module");
  checkArgument("startWorkers", module, MODULE);
  checkOptions("startWorkers", options, OPTIONS, "{ workers: 2 }");
  const { kind = "processes", signal } = options;
  const address = await shareUnlessAborted(options.listen ?? {}, kind, signal);
  const pool = new Pool(String(module), { ...options, kind }, address);
  try {
    if (signal?.aborted) throw abortError("listen", address.place, signal);
    await pool.start();
  } catch (error) {
    await pool.abandon();
    throw startError(error as Error, kind, address.place);
  }
  const server = new RunningServer(pool.addr, pool.ended, (limit) => pool.stop(limit));
  const reports = (timeout = 1000) => pool.reports(timeout);
  return Object.assign(server, { fd: address.fd, counts: () => pool.counts(), reports });
}

/** A duration as it can travel to a process: JSON has no Infinity. */
function portable(ms: number): number {
  return Math.min(ms, LONGEST_TIMER_MS);
}

class Pool {
  readonly ended: Promise<WorkersSummary>;
  readonly #slots: readonly Slot[];
  readonly #address: SharedAddress;
  readonly #signal: AbortSignal | undefined;
  #addr: Addr | undefined;
  readonly #onAbort = () => this.stop();

  constructor(
    module: string,
    options: WorkersOptions & { kind: WorkerKind },
    address: SharedAddress,
  ) {
    const { workers, kind, data, flags, clock = systemClock, onEvent } = options;
    const drainTimeout = portable(options.drainTimeout ?? 10_000);
    this.#address = address;
    this.#addr = address.addr;
    this.#signal = options.signal;
    const host = {
      clock,
      drainTimeout,
      launch: (listener) =>
        kind === "threads"
          ? startWorkerThread(listener)
          : startWorkerProcess(listener, { fd: address.fd, flags }),
      startMessage: (id) => ({
        type: "start",
        module,
        id,
        listen: address.optionsFor(this.#addr),
        drainTimeout,
        data,
      }),
      onReady: (id, pid) => onEvent?.({ type: "ready", id, pid }),
      onCrash: (id, pid, how, restartIn) => onEvent?.({ type: "crash", id, pid, how, restartIn }),
    } satisfies ConstructorParameters<typeof Slot>[1];
    this.#slots = Array.from({ length: workers }, (_, i) => new Slot(i + 1, host));
    this.ended = this.#end();
  }

  get addr(): Addr {
    return this.#addr!;
  }

  /**
   * All at once, if the address is known; otherwise the others wait for the port of the first one.
   */
  async start(): Promise<void> {
    process.on("exit", this.#kill);
    this.#signal?.addEventListener("abort", this.#onAbort);
    const [first, ...others] = this.#slots;
    const firstStart = first.start();
    this.#addr ??= await firstStart;
    await Promise.all([firstStart, ...others.map((slot) => slot.start())]);
  }

  /** Ends all at once. */
  async abandon(): Promise<void> {
    this.#kill();
    await this.ended;
  }

  counts(): WorkersSummary {
    const workers = this.#slots.map(({ id, pid, accepted, refused, reset, restarts }) => {
      return { id, pid, accepted, refused, reset, restarts };
    });
    const sum = (key: "accepted" | "refused" | "reset" | "restarts") =>
      workers.reduce((total, counts) => total + counts[key], 0);
    return {
      accepted: sum("accepted"),
      refused: sum("refused"),
      reset: sum("reset"),
      restarts: sum("restarts"),
      lost: this.#slots.filter(({ lost }) => lost).length,
      workers,
    };
  }

  async reports(timeout: number): Promise<WorkerReport[]> {
    checkArgument("reports", timeout, WAIT);
    return await Promise.all(this.#slots.map((slot) => slot.report(timeout)));
  }

  stop(drainTimeout?: number): void {
    const limit = drainTimeout === undefined ? undefined : portable(drainTimeout);
    // Else clients would wait at the socket that we hold, and that nobody accepts from any more.
    this.#address.close();
    for (const slot of this.#slots) slot.stop(limit);
  }

  readonly #kill = () => {
    for (const slot of this.#slots) slot.kill();
  };

  async #end(): Promise<WorkersSummary> {
    await Promise.all(this.#slots.map(({ ended }) => ended));
    this.#address.close();
    process.removeListener("exit", this.#kill);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    return this.counts();
  }
}
