// Many connections for long: most of them idle, some that send all the time, and others that come and
// go. Each byte that comes back is compared with what must come.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { inTime, type Program } from "../support/peers.ts";
import type { Served, Service, Talk } from "./soak_talks.ts";
import type { Subject } from "./subject.ts";

/** What a server has to bear. */
export interface Load {
  /** Connections that say something at the beginning and at the end, or as seldom as they may. */
  readonly idle: number;
  /** Connections that send again and again. */
  readonly active: number;
  /** Connections that are opened, used once and closed, spread over the time. */
  readonly opened: number;
  readonly seconds: number;
  /** The time between two messages of an active connection, in milliseconds. */
  readonly pause: number;
}

/** How it went. Times are in milliseconds. */
export interface Soaked {
  readonly messages: number;
  readonly opened: number;
  /** From the start of a message of an active connection to the end of what must come. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** From connecting to the end of what must come, of a connection that is used once. */
  readonly openedP99: number;
}

/** How a server is judged beside what it sends. */
export interface Checks {
  /** Called behind the warm-up and behind the load, when all connections are closed. */
  readonly onClosed?: (program: Program) => Promise<void>;
  /** The time that the server has to close its descriptors, in milliseconds. Default: 300,000. */
  readonly closingTime?: number;
}

/** So many connections are opened, or come and go, at once. */
const AT_ONCE = 32;

/** A server under load on a machine that is busy with others may take long; it must not take forever. */
const DEADLINE_MS = 300_000;

/** The load before that which is judged: the same connections, for a part of the time. */
const WARM_UP = 0.1;

/** Connections, and what has become of them. */
class Press {
  readonly times: number[] = [];
  readonly openedTimes: number[] = [];
  readonly #served: Served;
  readonly #load: Load;
  readonly #patience: number;
  readonly #talks: Talk[] = [];
  readonly #start = performance.now();
  #failure: Error | undefined;

  constructor(served: Served, load: Load, patience: number) {
    this.#served = served;
    this.#load = load;
    this.#patience = patience;
  }

  /** Rejects with what failed first. Nothing is open then, or after it. */
  async run(): Promise<void> {
    const { idle, active, opened, seconds, pause } = this.#load;
    const all = idle + active;
    try {
      await this.#each(all, (i) => this.#enter(i));
      if (this.#failure !== undefined) throw this.#failure;
      await this.#burst();
      const end = performance.now() + 1000 * seconds;
      const talks = this.#talks.map((_, i) =>
        i < idle
          ? this.#repeat(i, 1, this.#patience, end)
          : this.#repeat(i, 2, pause, end, this.times)
      );
      const visits = this.#each(opened, (i) => this.#visit(all + i), 1000 * seconds);
      const turns = await Promise.all([...talks, visits.then(() => 0)]);
      await this.#each(all, (i) => this.#exchange(i, this.#talks[i], turns[i]));
    } finally {
      for (const talk of this.#talks) talk?.close();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #enter(i: number): Promise<void> {
    const talk = this.#talks[i] = await this.#served.open(i);
    await this.#exchange(i, talk, 0);
  }

  /** All active connections say something large at once: that fills what a server keeps for later. */
  async #burst(): Promise<void> {
    const { idle, active } = this.#load;
    await Promise.all(Array.from({ length: active }, (_, i) => {
      return this.#exchange(idle + i, this.#talks[idle + i], 1);
    }));
  }

  async #visit(i: number): Promise<void> {
    const start = performance.now();
    const talk = await this.#served.open(i);
    try {
      await this.#exchange(i, talk, 0);
    } finally {
      talk.close();
    }
    this.openedTimes.push(performance.now() - start);
  }

  /** Says something once in `pause` milliseconds, until `end`; resolves to the next turn. */
  async #repeat(
    i: number,
    turn: number,
    pause: number,
    end: number,
    times?: number[],
  ): Promise<number> {
    if (pause === Infinity) return turn;
    // Not all at the same time.
    const first = performance.now() + pause * (i % 100) / 100;
    for (let next = first; next < end; next = Math.max(next + pause, performance.now())) {
      await sleep(Math.max(0, next - performance.now()), systemClock);
      if (this.#failure !== undefined) break;
      const start = performance.now();
      await this.#exchange(i, this.#talks[i], turn++);
      times?.push(performance.now() - start);
    }
    return turn;
  }

  /** Does something with each number below `total`, so many at once, and not before its time. */
  async #each(total: number, work: (i: number) => Promise<void>, spread = 0): Promise<void> {
    const start = performance.now();
    let next = 0;
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, total) }, async () => {
      for (let i; (i = next++) < total;) {
        const early = start + i / total * spread - performance.now();
        if (early > 0) await sleep(early, systemClock);
        if (this.#failure !== undefined) return;
        await work(i).catch((error) => this.#fail(i, error));
      }
    }));
  }

  async #exchange(i: number, talk: Talk, turn: number): Promise<void> {
    try {
      await inTime(talk.exchange(turn), () => "Nothing came in five minutes", DEADLINE_MS);
    } catch (error) {
      this.#fail(i, error);
    }
  }

  #fail(i: number, cause: unknown): void {
    const { idle, active, opened } = this.#load;
    const kind = i < idle ? "idle" : i < idle + active ? "active" : "short";
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1);
    const of = `${kind} connection ${i} of ${idle + active + opened}, after ${seconds} s`;
    this.#failure ??= new Error(`${of}: ${(cause as Error).message}`, { cause });
  }
}

function quantiles(times: number[]): (part: number) => number {
  times.sort((a, b) => a - b);
  return (part) => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? NaN;
}

/** Waits until a process has no more than so many descriptors open. Looking is expensive. */
async function untilClosed(program: Program, most: number, deadline: number): Promise<void> {
  const end = performance.now() + deadline;
  for (let open; (open = descriptorsOf(program)) > most;) {
    assert.ok(performance.now() < end, `${open} descriptors are open, and ${most} were before`);
    await sleep(50, systemClock);
  }
}

function descriptorsOf({ pid }: Program): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/**
 * Puts a server under load, and returns how it went. A warm-up with the same connections comes first.
 * Behind it and behind the load all connections are closed, and the server has no more descriptors open
 * than in the beginning. In the end it exits with 0, and has logged nothing. Rejects if one of that does
 * not hold, with what the server has logged.
 */
export async function soak(
  subject: Subject,
  service: Service,
  load: Load,
  { onClosed = async () => {}, closingTime = DEADLINE_MS }: Checks = {},
): Promise<Soaked> {
  await using served = await service.start(subject);
  const { program } = served;
  const press = async (part: Load) => {
    const pressing = new Press(served, part, service.patience);
    await pressing.run();
    return pressing;
  };
  try {
    // What the runtime opens when it is first used.
    await press({ idle: 1, active: 1, opened: 1, seconds: 0, pause: 1 });
    const before = descriptorsOf(program);
    const pressAndClose = async (part: Load) => {
      const pressed = await press(part);
      await untilClosed(program, before, closingTime);
      await onClosed(program);
      return pressed;
    };
    const [seconds, opened] = [WARM_UP * load.seconds, Math.ceil(WARM_UP * load.opened)];
    await pressAndClose({ ...load, seconds, opened });
    const { times, openedTimes } = await pressAndClose(load);
    const { code, stderr } = await program.stop();
    assert.deepEqual([code, stderr], [0, ""]);
    const [of, openedOf] = [quantiles(times), quantiles(openedTimes)];
    return {
      messages: times.length,
      opened: openedTimes.length,
      ...{ p50: of(0.5), p99: of(0.99), worst: of(1), openedP99: openedOf(0.99) },
    };
  } catch (error) {
    const { code, stderr } = await program.stop();
    const server = `The server: exit code ${code}\n${stderr}`;
    throw new Error(`${(error as Error).message}\n${server}`, { cause: error });
  }
}
