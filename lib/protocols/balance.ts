/**
 * Several targets of a relay: each client gets the one with the fewest connections.
 *
 * @module
 */

import { isExhausted } from "../base/backoff.ts";
import {
  checkArgument,
  checkOptions,
  CLOCK,
  FUNCTION,
  type Kind,
  type Kinds,
} from "../base/arguments.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { SocketError } from "../base/errors.ts";
import { inTime } from "../base/wait.ts";
import type { Conn } from "../net/transport.ts";
import type { DialTarget, TargetPool } from "./relay.ts";

/** A target of a {@linkcode Balancer}. */
export interface BalancedTarget {
  /** Its name. No two targets of a balancer have the same. */
  readonly name: string;
  /** Connects to it. */
  readonly dial: DialTarget;
}

/**
 * The state of a target: `up` gets clients; `down` gets them only when no target is up;
 * `draining` gets no more, and keeps those that it has; `drained` has none left, and is forgotten.
 */
export type TargetState = "up" | "down" | "draining" | "drained";

/** A target as it is now. */
export interface TargetStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it gets clients. */
  readonly state: TargetState;
  /** The number of its connections, with those that are being made. */
  readonly connections: number;
}

/** A change of a target's state. */
export interface TargetChange extends TargetStatus {
  /** Why it is down. Undefined for other states. */
  readonly error: unknown;
}

/** Options of {@linkcode Balancer}. */
export interface BalancerOptions {
  /**
   * The time between two checks of a target, and the longest that a check may take, in milliseconds. A
   * check connects and closes. The first is made at once. Default: 5,000.
   */
  readonly checkInterval?: number;
  /** Called when the state of a target has changed. All are up in the beginning. */
  readonly onChange?: (change: TargetChange) => void;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const TARGETS: Kind = {
  takes: 'one or more targets in an array, such as [{ name: "a", dial }], each with its own name',
  is: (value) => Array.isArray(value) && value.every(isTarget),
  fits: (value) => {
    const targets = value as readonly BalancedTarget[];
    return targets.length > 0 && new Set(targets.map(({ name }) => name)).size === targets.length;
  },
};

const OPTIONS: Kinds<BalancerOptions> = {
  checkInterval: {
    takes: "milliseconds above 0",
    is: (value) => typeof value === "number",
    fits: (value) => (value as number) > 0,
  },
  onChange: FUNCTION,
  clock: CLOCK,
};

/** The most failures that a message names. */
const MAX_NAMED = 10;

/** A target, and what is known of it. */
interface Slot {
  target: BalancedTarget;
  state: TargetState;
  connections: number;
  /** When it was last chosen, by the number of choices before. */
  chosen: number;
  isChecked: boolean;
}

/**
 * Several targets for {@linkcode relay}.
 *
 * - A client gets the target with the fewest connections; of equal ones, the one that was not chosen
 *   for the longest time.
 * - A target that rejects with a {@linkcode SocketError} is down at once, and the client gets the next
 *   one, until each was tried. Once a target is connected, no other is tried for this client, even if
 *   the connection breaks: bytes may have arrived.
 * - A target is checked every `checkInterval`. It is up again when a check, or a client, can connect.
 * - A lack of descriptors or memory on this machine, and an abort of the signal, say nothing about a
 *   target, and no other one is tried.
 *
 * {@linkcode Balancer.close} ends the checks.
 *
 * @example
 * ```ts
 * import { dial, serve } from "@plainsocket/plainsocket";
 * import { Balancer, echo, relay } from "@plainsocket/plainsocket/protocols";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * const ports = [7, 8];
 * for (const port of ports) serve(await transport.listen({ port }), echo());
 *
 * using targets = new Balancer(ports.map((port) => ({
 *   name: `localhost:${port}`,
 *   dial: (signal: AbortSignal) => dial(transport, { host: "localhost", port, signal }),
 * })));
 * await using relaying = serve(await transport.listen({ port: 80 }), relay(targets));
 *
 * using conn = await transport.connect({ host: "localhost", port: 80 });
 * await conn.write(new Uint8Array([1, 2, 3]));
 * assert.equal(await conn.read(new Uint8Array(10)), 3);
 * ```
 */
export class Balancer implements TargetPool, Disposable {
  readonly #checkInterval: number;
  readonly #onChange: (change: TargetChange) => void;
  readonly #clock: Clock;
  readonly #slots = new Map<string, Slot>();
  readonly #slotOf = new Map<Conn, Slot>();
  readonly #closing = new AbortController();
  #choices = 0;
  #cancel: () => void;

  /** Starts to check the targets. */
  constructor(targets: readonly BalancedTarget[], options: BalancerOptions = {}) {
    checkArgument("Balancer", targets, TARGETS);
    checkOptions("Balancer", options, OPTIONS, "{ checkInterval: 5000 }");
    this.#checkInterval = options.checkInterval ?? 5000;
    this.#onChange = options.onChange ?? (() => {});
    this.#clock = options.clock ?? systemClock;
    for (const target of targets) this.#add(target);
    this.#cancel = this.#clock.setTimer(0, () => this.#checkAll());
  }

  /** The targets as they are now, with those that drain. */
  get targets(): TargetStatus[] {
    return [...this.#slots.values()].map(statusOf);
  }

  /**
   * Connects to a target for one client, which its `dial` gets, too. The connection counts until {@linkcode Balancer.release}.
   * Rejects with the error of the target if one was tried; if several were, with a
   * {@linkcode SocketError} whose cause is an `AggregateError` of all.
   */
  async dial(signal: AbortSignal, client?: Conn): Promise<Conn> {
    const failures = new Map<Slot, SocketError>();
    for (;;) {
      const slot = this.#choose(failures);
      if (slot === undefined) throw summaryOf(failures);
      slot.connections++;
      slot.chosen = ++this.#choices;
      try {
        const conn = await slot.target.dial(signal, client);
        this.#slotOf.set(conn, slot);
        this.#set(slot, "up");
        return conn;
      } catch (error) {
        this.#leave(slot);
        if (signal.aborted || !(error instanceof SocketError) || isExhausted(error.code)) {
          throw error;
        }
        this.#set(slot, "down", error);
        failures.set(slot, error);
      }
    }
  }

  /** Takes note that a connection of {@linkcode Balancer.dial} has ended. */
  release(conn: Conn): void {
    const slot = this.#slotOf.get(conn);
    if (slot === undefined || !this.#slotOf.delete(conn)) return;
    this.#leave(slot);
  }

  /**
   * Replaces the targets. One that stays, by its name, keeps its state and its connections, and uses
   * the new `dial`. Those that are gone drain.
   */
  replace(targets: readonly BalancedTarget[]): void {
    checkArgument("Balancer.replace", targets, TARGETS);
    const names = new Set(targets.map(({ name }) => name));
    for (const slot of this.#slots.values()) {
      if (names.has(slot.target.name) || slot.state === "draining") continue;
      this.#report(slot, "draining");
      this.#forgetDrained(slot);
    }
    for (const target of targets) this.#add(target);
  }

  /** Ends the checks. Connections go on, and more can be made. */
  close(): void {
    this.#cancel();
    this.#closing.abort();
  }

  /** Calls {@linkcode Balancer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #add(target: BalancedTarget): void {
    const slot = this.#slots.get(target.name);
    if (slot === undefined) {
      const fresh: Slot = { target, state: "up", connections: 0, chosen: 0, isChecked: false };
      this.#slots.set(target.name, fresh);
      return;
    }
    slot.target = target;
    if (slot.state === "draining") this.#report(slot, "up");
  }

  /** The next target for a client that these have failed. */
  #choose(failed: ReadonlyMap<Slot, unknown>): Slot | undefined {
    let best: Slot | undefined;
    for (const slot of this.#slots.values()) {
      if (slot.state === "draining" || failed.has(slot)) continue;
      if (best === undefined || isBetter(slot, best)) best = slot;
    }
    return best;
  }

  #leave(slot: Slot): void {
    slot.connections--;
    this.#forgetDrained(slot);
  }

  #forgetDrained(slot: Slot): void {
    if (slot.state !== "draining" || slot.connections > 0) return;
    this.#slots.delete(slot.target.name);
    this.#report(slot, "drained");
  }

  /** Sets what a connection or a check has shown, unless the target gets no more connections. */
  #set(slot: Slot, state: "up" | "down", error?: unknown): void {
    if (slot.state !== state && (slot.state === "up" || slot.state === "down")) {
      this.#report(slot, state, error);
    }
  }

  #report(slot: Slot, state: TargetState, error?: unknown): void {
    slot.state = state;
    this.#onChange({ ...statusOf(slot), error });
  }

  #checkAll(): void {
    for (const slot of this.#slots.values()) void this.#check(slot);
    this.#cancel = this.#clock.setTimer(this.#checkInterval, () => this.#checkAll());
  }

  async #check(slot: Slot): Promise<void> {
    if (slot.state === "draining" || slot.isChecked) return;
    slot.isChecked = true;
    const { signal } = this.#closing;
    const limits = { signal, timeout: this.#checkInterval, clock: this.#clock };
    try {
      const conn = await inTime(limits, (signal) => slot.target.dial(signal));
      conn.close();
      this.#set(slot, "up");
    } catch (error) {
      const isOurs = error instanceof SocketError && isExhausted(error.code);
      if (!signal.aborted && !isOurs) this.#set(slot, "down", error);
    } finally {
      slot.isChecked = false;
    }
  }
}

function isTarget(value: unknown): value is BalancedTarget {
  const { name, dial } = Object(value) as Record<string, unknown>;
  return typeof name === "string" && typeof dial === "function";
}

function statusOf({ target: { name }, state, connections }: Slot): TargetStatus {
  return { name, state, connections };
}

/** Whether a client had better get `a` than `b`. */
function isBetter(a: Slot, b: Slot): boolean {
  if (a.state !== b.state) return a.state === "up";
  if (a.connections !== b.connections) return a.connections < b.connections;
  return a.chosen < b.chosen;
}

function summaryOf(failures: ReadonlyMap<Slot, SocketError>): SocketError {
  const [first] = failures.values();
  if (failures.size === 1) return first;
  const named = Array.from(failures, ([{ target }, { code }]) => `${target.name} ${code}`);
  const more = named.length > MAX_NAMED ? `, and ${named.length - MAX_NAMED} more` : "";
  return new SocketError(first.code, "connect", {
    why: `all of ${named.length} targets failed: ${named.slice(0, MAX_NAMED).join(", ")}${more}`,
    next: "Check whether the targets run.",
    cause: new AggregateError([...failures.values()]),
  });
}
