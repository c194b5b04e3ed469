/**
 * One of a pool's places: the worker that holds it, and the one that replaces it when it crashes.
 *
 * @module
 */

import { Backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { type Deferred, deferred, within } from "../base/wait.ts";
import type { SocketErrorCode, SocketOp } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import type { Addr } from "../base/addr.ts";
import type { Failure, FromWorker, ToWorker, WorkerReport } from "./protocol.ts";
import type { WorkerHandle, WorkerListener } from "./handle.ts";

/** The wait before a crashed worker is replaced. */
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 10_000;

/** The time in which a worker must listen. */
const START_MS = 30_000;

/** The time that a worker gets to end after the drain timeout. */
const END_MS = 5_000;

/** The part of a pool that a slot uses. */
export interface SlotHost {
  readonly clock: Clock;
  readonly drainTimeout: number;
  /** Starts a process or thread. */
  launch(listener: WorkerListener): WorkerHandle;
  /** The first message to it. */
  startMessage(id: number): ToWorker;
  /** A worker listens. */
  onReady(id: number, pid: number | undefined): void;
  /** A worker has ended without being asked to. `restartIn` is in milliseconds. */
  onCrash(id: number, pid: number | undefined, how: string, restartIn: number): void;
}

/** See the module. */
export class Slot {
  readonly id: number;
  /**
   * Connections that were refused, and that were reset as it stopped: as its last worker reported.
   */
  refused = 0;
  reset = 0;
  /** The number of times that its worker was replaced. */
  restarts = 0;
  /** Its worker did not stop in good order. */
  lost = false;
  readonly #host: SlotHost;
  readonly #ended = deferred<void>();
  #first = deferred<Addr>();
  #handle: WorkerHandle | undefined;
  #accepted = 0;
  /** Of the workers that held the place before. */
  #acceptedBefore = 0;
  readonly #backoff = new Backoff(FIRST_BACKOFF_MS, LAST_BACKOFF_MS);
  #readyAt: number | undefined;
  /** The worker's answer, if it was asked and has not answered. */
  #asked: Deferred<unknown> | undefined;
  /** The failure, as the end of a sentence about the worker. */
  #why: string | undefined;
  /** The error that it reported. */
  #failure: Error | undefined;
  #state: "starting" | "serving" | "stopping" | "ended" = "starting";
  #done = false;
  /** The drain timeout that the worker gets, in milliseconds. */
  #drainTimeout = 0;
  #drainUntil = Infinity;
  #cancelTimer: () => void = () => {};

  constructor(id: number, host: SlotHost) {
    this.id = id;
    this.#host = host;
  }

  /** Resolves when no worker holds the place and none will. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get pid(): number | undefined {
    return this.#handle?.pid;
  }

  /** Connections accepted so far, as far as the worker has reported. */
  get accepted(): number {
    return this.#acceptedBefore + this.#accepted;
  }

  /** Starts the first worker; resolves to where it listens, and rejects if it does not. */
  start(): Promise<Addr> {
    this.#launch();
    return this.#first.promise;
  }

  /** Asks the worker for its report, for which it gets so many milliseconds. */
  async report(timeout: number): Promise<WorkerReport> {
    return { id: this.id, report: await within(this.#ask(), timeout, this.#host.clock) };
  }

  /** Asks it, unless it was asked already. Resolves to undefined if it does not listen, or ends. */
  #ask(): Promise<unknown> {
    if (this.#asked !== undefined) return this.#asked.promise;
    if (this.#handle === undefined || this.#readyAt === undefined) return Promise.resolve();
    this.#asked = deferred();
    this.#handle.post({ type: "ask" });
    return this.#asked.promise;
  }

  #onReport(report: unknown): void {
    this.#asked?.resolve(report);
    this.#asked = undefined;
  }

  /** Asks the worker to stop, and ends it if it does not. A later call with a time can cut that short. */
  stop(drainTimeout?: number): void {
    if (this.#state === "ended") return;
    if (this.#state === "stopping" && drainTimeout === undefined) return;
    this.#state = "stopping";
    this.#drainFor(drainTimeout ?? this.#host.drainTimeout);
  }

  #drainFor(drainTimeout: number): void {
    const until = this.#host.clock.now() + drainTimeout;
    if (until >= this.#drainUntil) return;
    this.#drainTimeout = drainTimeout;
    this.#drainUntil = until;
    this.#cancelTimer();
    if (this.#handle === undefined) return this.#end();
    this.#postStop();
    this.#killIn(drainTimeout + END_MS);
  }

  #postStop(): void {
    this.#handle!.post({ type: "stop", drainTimeout: this.#drainTimeout });
  }

  /** Ends the worker at once. */
  kill(): void {
    this.stop();
    this.#handle?.kill();
  }

  #launch(): void {
    this.#readyAt = undefined;
    this.#why = this.#failure = undefined;
    this.#done = false;
    this.#killIn(START_MS);
    try {
      this.#handle = this.#host.launch({
        onMessage: (message) => this.#onMessage(message),
        onEnd: (how) => this.#onEnd(how),
      });
    } catch (error) {
      this.#failure = error as Error;
      this.#onEnd(`could not start: ${this.#failure.message}`);
    }
  }

  #killIn(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#host.clock.setTimer(ms, () => {
      this.#why ??= `did nothing for ${ms / 1000} s`;
      this.#handle?.kill();
    });
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case "up":
        this.#handle!.post(this.#host.startMessage(this.id));
        // An earlier message may not have arrived.
        if (this.#state === "stopping") this.#postStop();
        return;
      case "ready":
        this.#readyAt = this.#host.clock.now();
        if (this.#state === "stopping") return;
        this.#cancelTimer();
        this.#state = "serving";
        this.#first.resolve(message.addr);
        this.#host.onReady(this.id, this.pid);
        return;
      case "accepted":
        this.#accepted = message.accepted;
        return;
      case "report":
        return this.#onReport(message.report);
      case "done":
        this.#done = true;
        this.#accepted = message.summary.accepted;
        this.refused += message.summary.refused;
        this.reset += message.summary.reset;
        this.#why = "stopped serving without being told to";
        break;
      case "failed":
        this.#failure = errorOf(message.failure);
        this.#why = `failed: ${message.failure.message}`;
        break;
    }
    this.#killIn(END_MS);
    this.#handle!.release();
  }

  #onEnd(how: string): void {
    this.#cancelTimer();
    const { pid } = this;
    this.#handle = undefined;
    this.#onReport(undefined);
    this.#acceptedBefore += this.#accepted;
    this.#accepted = 0;
    if (this.#state === "stopping") {
      this.lost = !this.#done;
      return this.#end();
    }
    const why = this.#why ?? how;
    if (this.#state === "starting") {
      this.#first.reject(this.#failure ?? new Error(`A worker ${why} before it listened`));
      return this.#end();
    }
    const { clock } = this.#host;
    if (this.#readyAt !== undefined && clock.now() - this.#readyAt >= LAST_BACKOFF_MS) {
      this.#backoff.reset();
    }
    const restartIn = this.#backoff.next();
    this.#cancelTimer = clock.setTimer(restartIn, () => {
      this.restarts++;
      this.#launch();
    });
    this.#host.onCrash(this.id, pid, why, restartIn);
  }

  #end(): void {
    this.#state = "ended";
    const why = "it was stopped before it listened";
    this.#first.reject(new SocketError("ECANCELED", "listen", { why }));
    this.#first.promise.catch(() => {});
    this.#ended.resolve();
  }
}

/** The error that a worker has reported. */
function errorOf({ message, stack, socket }: Failure): Error {
  if (socket === undefined) {
    const error = new Error(message);
    if (stack !== undefined) error.stack = stack;
    return error;
  }
  const error = new SocketError(socket.code as SocketErrorCode, socket.op as SocketOp, {
    addr: socket.addr as Addr,
  });
  // The worker's own may say more.
  error.message = message;
  return error;
}
