/**
 * Many hosts in one process, in simulated time.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  FUNCTION,
  integer,
  type Kind,
  type Kinds,
  LIMIT,
  TEXT,
  WAIT,
} from "../base/arguments.ts";
import { type Clock, nextTurn, pendingTurns, sleep } from "../base/clock.ts";
import { deferred } from "../base/wait.ts";
import { nearest } from "../base/nearest.ts";
import { Random } from "../base/random.ts";
import { TimerQueue } from "../base/timer_queue.ts";
import type { Transport } from "../net/transport.ts";
import { observeBorrowed } from "../observe/observe.ts";
import { SimulatedHost } from "./host.ts";
import { SimulationLog } from "./log.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { type RealIoError, runInside } from "./refuse_real_io.ts";

/** Options of {@linkcode simulate}. */
export interface SimulateOptions extends NetworkOptions {
  /** The most simulated milliseconds; 0 is no limit. Default: 3,600,000, an hour. */
  readonly maxTime?: number;
}

const SEED = integer(0, 2 ** 32 - 1);

const PROBABILITY = {
  ...WAIT,
  takes: "a probability from 0 to 1",
  fits: (value: unknown) => (value as number) >= 0 && (value as number) <= 1,
};

const OPTIONS: Kinds<SimulateOptions> = {
  latency: WAIT,
  jitter: WAIT,
  loss: PROBABILITY,
  maxTime: LIMIT,
};

/** The name of a host. */
const NAME: Kind = {
  ...TEXT,
  takes: 'the name of a host, such as "server"',
  fits: (value) => value !== "",
};

/** The most timers that ring without time that passes: what waits 0 ms again and again has no end. */
const MAX_AT_ONCE = 100_000;

/** The world of a simulation. */
export interface World {
  /** The seed of the simulation. */
  readonly seed: number;
  /** The simulated time. Give it to whatever takes a clock. */
  readonly clock: Clock;
  /** Random numbers from the seed. `Math.random` has the same source. */
  readonly random: Random;
  /**
   * The transport of a host, which is made when it is first asked for. Its sockets reach those of
   * other hosts by their names; `localhost` is the host itself.
   */
  host(name: string): Transport;
  /**
   * Cuts two hosts off from each other: what is on its way waits, and connecting times out. A run fails
   * that names a host here, or in `crash` or `restart`, which {@linkcode World.host} has never made.
   */
  partition(a: string, b: string): void;
  /** Ends all partitions: what TCP has sent meanwhile arrives. */
  heal(): void;
  /**
   * Turns a host off. Its own operations reject, its peers hear nothing, and it cannot be reached until
   * {@linkcode World.restart}; then it has no sockets.
   */
  crash(name: string): void;
  /** Turns a host on again. */
  restart(name: string): void;
  /** Resolves after `ms` simulated milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Writes a line into the log. */
  note(text: string): void;
}

/** The result of a simulation. */
export interface Simulated<T> {
  /** The return value of the function. */
  readonly value: T;
  /** Each event of each host and each note, as a line of JSON. The same seed gives the same log. */
  readonly log: string;
  /** The number of lines that the log has. */
  readonly events: number;
  /** The number of milliseconds that have passed in the simulation. */
  readonly time: number;
}

/** A simulation that failed; `cause` is why. */
export class SimulationError extends Error {
  /** Always `"SimulationError"`. */
  override readonly name = "SimulationError";
  /** The seed that fails. */
  readonly seed: number;
  /** Each event up to the failure, as in {@linkcode Simulated}. */
  readonly log: string;

  /** Makes an error. */
  constructor(seed: number, time: number, log: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const again = `Run it again with simulate(${seed}, …).`;
    super(`The simulation failed after ${time} ms: ${why}\n${again}`, { cause });
    this.seed = seed;
    this.log = log;
  }
}

/**
 * Runs `run` in a world of simulated hosts and simulated time. When all of it waits, time jumps to the
 * next event, so hours take moments; and what happens depends on the seed alone.
 *
 * Calls that lead out of the world are refused: `setTimeout`, `fetch`, the sockets and files of the
 * runtime. `Date`, `performance.now` and `Math.random` are those of the world.
 *
 * Rejects with a {@linkcode SimulationError} that has the seed, if `run` rejects, if it calls what is
 * refused, if it waits for what can never happen, or if `maxTime` has passed.
 *
 * @example
 * ```ts
 * import { simulate } from "@plainsocket/plainsocket/simulate";
 * import assert from "node:assert/strict";
 *
 * const { time } = await simulate(7, async (world) => {
 *   const [alice, bob] = [world.host("alice"), world.host("bob")];
 *   using listener = await bob.listen({ host: "", port: 7 });
 *   using conn = await alice.connect({ host: "bob", port: 7 });
 *   using accepted = await listener.accept();
 *   world.partition("alice", "bob");
 *   world.clock.setTimer(60_000, () => world.heal());
 *   await conn.write(new Uint8Array([1]));
 *   assert.equal(await accepted.read(new Uint8Array(1)), 1);
 * });
 * assert.ok(time >= 60_000);
 * ```
 */
export async function simulate<T>(
  seed: number,
  run: (world: World) => Promise<T>,
  options: SimulateOptions = {},
): Promise<Simulated<T>> {
  checkArgument("simulate", seed, SEED);
  checkArgument("simulate", run, FUNCTION);
  checkOptions("simulate", options, OPTIONS, "{ latency: 10 }");
  return await new Simulation(seed, options).run(run);
}

class Simulation implements World, Clock {
  readonly seed: number;
  readonly random: Random;
  readonly clock: Clock = this;
  readonly #network: Network;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #addresses = new Map<string, SimulatedHost>();
  readonly #transports = new Map<string, Transport>();
  /** The hosts that faults are for, each with the method that named it first. */
  readonly #wanted = new Map<string, string>();
  readonly #timers = new TimerQueue();
  readonly #maxTime: number;
  readonly #log: SimulationLog;
  #now = 0;
  /** The number of timers that have rung since time has passed. */
  #atOnce = 0;
  #refused: RealIoError | undefined;

  constructor(seed: number, options: SimulateOptions) {
    this.seed = seed;
    this.random = new Random(seed);
    this.#network = new Network(options, this.random, this);
    this.#maxTime = options.maxTime === 0 ? Infinity : options.maxTime ?? 3_600_000;
    this.#log = new SimulationLog(this);
  }

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fn: () => void): () => void {
    // As setTimeout() takes NaN and what is negative.
    return this.#timers.set(this.#now + (ms > 0 ? ms : 0), fn);
  }

  sleep(ms: number): Promise<void> {
    checkArgument("world.sleep", ms, WAIT);
    return sleep(ms, this);
  }

  host(name: string): Transport {
    checkArgument("world.host", name, NAME);
    const known = this.#transports.get(name);
    if (known !== undefined) return known;
    const number = this.#hosts.size + 1;
    const address = `10.0.${number >> 8}.${number & 255}`;
    const find = (wanted: string) => this.#hosts.get(wanted) ?? this.#addresses.get(wanted);
    const host = new SimulatedHost(name, address, this.#network, { find }, this);
    this.#hosts.set(name, host);
    this.#addresses.set(address, host);
    const transport = observeBorrowed(host, (event) => this.#log.add(name, event), this);
    this.#transports.set(name, transport);
    return transport;
  }

  partition(a: string, b: string): void {
    this.#meant("partition", a, b);
    this.note(`partition ${a} ${b}`);
    this.#network.partition(a, b);
  }

  heal(): void {
    this.note("heal");
    this.#network.heal();
  }

  crash(name: string): void {
    this.#meant("crash", name);
    this.note(`crash ${name}`);
    this.#network.setDown(name, true);
    this.#hosts.get(name)?.crash();
  }

  restart(name: string): void {
    this.#meant("restart", name);
    this.note(`restart ${name}`);
    this.#network.setDown(name, false);
  }

  note(text: string): void {
    this.#log.note(this.#now, text);
  }

  async run<T>(run: (world: World) => Promise<T>): Promise<Simulated<T>> {
    const outcome = deferred<T>();
    let settled = false;
    const settle = () => {
      settled = true;
    };
    outcome.promise.then(settle, settle);
    const inside = {
      now: () => this.#now,
      random: this.random,
      onRefused: (error: RealIoError) => this.#refused ??= error,
    };
    try {
      return await runInside(inside, async () => {
        run(this).then(outcome.resolve, outcome.reject);
        for (;;) {
          await this.#letRun();
          if (settled) break;
          this.#ringNext();
        }
        const value = await outcome.promise;
        if (this.#refused !== undefined) throw this.#refused;
        this.#checkWanted();
        return this.#succeed(value);
      });
    } catch (error) {
      this.#log.end();
      throw new SimulationError(this.seed, this.#now, this.#log.text, this.#refused ?? error);
    }
  }

  #succeed<T>(value: T): Simulated<T> {
    const log = this.#log;
    log.end();
    return {
      value,
      time: this.#now,
      get log() {
        return log.text;
      },
      get events() {
        return log.lines.length;
      },
    };
  }

  /** Notes which hosts a fault is for. They may be made later. */
  #meant(method: string, ...names: string[]): void {
    for (const name of names) {
      checkArgument(`world.${method}`, name, NAME);
      if (!this.#wanted.has(name)) this.#wanted.set(name, method);
    }
  }

  /** Throws if a fault was for a host that was never made: its name is mistyped, and it hit nobody. */
  #checkWanted(): void {
    for (const [name, method] of this.#wanted) {
      if (this.#hosts.has(name)) continue;
      const near = nearest(name, [...this.#hosts.keys()]);
      const next = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
      throw new RangeError(
        `world.${method} names ${JSON.stringify(name)}, and no host was made of that name${next}`,
      );
    }
  }

  /** Lets run what can without time that passes. */
  async #letRun(): Promise<void> {
    do await nextTurn(); while (pendingTurns() > 0);
    if (this.#refused !== undefined) throw this.#refused;
  }

  /** Advances the time to the next timer, and calls it. */
  #ringNext(): void {
    const { next } = this.#timers;
    if (next === Infinity) {
      throw new Error("it waits for something that can never happen: no event is left");
    }
    if (next > this.#maxTime) {
      throw new Error(`it would go on after ${this.#maxTime} ms, its maxTime`);
    }
    this.#atOnce = next > this.#now ? 0 : this.#atOnce + 1;
    if (this.#atOnce > MAX_AT_ONCE) {
      throw new Error(`more than ${MAX_AT_ONCE} timers have rung, and no time passes`);
    }
    this.#now = Math.max(this.#now, next);
    this.#timers.take()!();
  }
}
