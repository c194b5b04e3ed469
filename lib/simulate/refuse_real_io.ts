/**
 * Keeps a simulation to itself: calls that lead out of it are refused, since their order and time would
 * be another one in each run, and time and chance are its own.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Random } from "../base/random.ts";
import { systemTransport } from "../net/system.deno.ts";
import { ioFunctions } from "../net/io_functions.deno.ts";

/** The replacements of the real world inside a simulation. */
export interface Inside {
  /** Milliseconds since the simulation began. */
  now(): number;
  readonly random: Random;
  /** Called for a call that leads out. */
  onRefused(error: RealIoError): void;
}

/** A call that leads out of the simulation. */
export class RealIoError extends Error {
  /** Always `"RealIoError"`. */
  override readonly name = "RealIoError";
  /** The call: `fetch`. */
  readonly call: string;

  /** Makes an error about a call. */
  constructor(call: string, instead: string) {
    super(`Cannot call ${call} in a simulation: its order and time are not simulated. ${instead}`);
    this.call = call;
  }
}

/** The date at which every simulation begins. */
const EPOCH = Date.UTC(2000, 0, 1);

const USE_CLOCK = "Use world.clock.setTimer.";
const USE_HOST = "Use the transport of world.host(…).";

const inside = new AsyncLocalStorage<Inside>();

/** The number of simulations that run. The functions are replaced while one runs. */
let running = 0;

const restore: (() => void)[] = [];

/** Runs `fn`, and all that it starts, inside. Code outside goes on as before. */
export async function runInside<T>(world: Inside, fn: () => Promise<T>): Promise<T> {
  if (running++ === 0) replaceAll();
  try {
    return await inside.run(world, fn);
  } finally {
    if (--running === 0) { for (const undo of restore.splice(0)) undo(); }
  }
}

function replaceAll(): void {
  for (const name of ["setTimeout", "setInterval"]) refuse(globalThis, name, name, USE_CLOCK);
  for (const name of ["fetch", "WebSocket", "EventSource"]) {
    refuse(globalThis, name, name, USE_HOST);
  }
  for (const method of ["connect", "listen", "listenDatagram", "resolve"]) {
    refuse(systemTransport, method, `systemTransport.${method}`, USE_HOST);
  }
  for (const { object, method, name } of ioFunctions()) refuse(object, method, name, USE_HOST);
  replace(Math, "random", (real) => () => inside.getStore()?.random.next() ?? real());
  replace(performance, "now", (real) => () => inside.getStore()?.now() ?? real.call(performance));
  replace(globalThis, "Date", simulatedDate);
}

/** Makes a function, or a class, throw when it is called inside. */
function refuse(object: object, key: string, name: string, instead: string): void {
  const check = () => {
    const world = inside.getStore();
    if (world === undefined) return;
    const error = new RealIoError(name, instead);
    world.onRefused(error);
    throw error;
  };
  replace(object, key, (real) =>
    new Proxy(real, {
      apply(target, self, args) {
        check();
        return Reflect.apply(target, self, args);
      },
      construct(target, args, newTarget) {
        check();
        return Reflect.construct(target, args, newTarget);
      },
    }));
}

/** The date of the simulation. */
function simulatedDate(real: typeof Date): typeof Date {
  const now = () => {
    const world = inside.getStore();
    // In whole milliseconds, as ever.
    return world === undefined ? real.now() : EPOCH + Math.floor(world.now());
  };
  return new Proxy(real, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new real(now()).toString(),
    get: (target, key) => key === "now" ? now : Reflect.get(target, key),
  });
}

// deno-lint-ignore no-explicit-any -- whatever the function is, it is called as it was.
function replace(object: object, key: string, make: (real: any) => unknown): void {
  const found = Object.getOwnPropertyDescriptor(object, key);
  const real = Reflect.get(object, key);
  if (real === undefined) return;
  Object.defineProperty(object, key, {
    value: make(real),
    writable: true,
    configurable: true,
    enumerable: found?.enumerable ?? true,
  });
  restore.push(() => {
    if (found === undefined) Reflect.deleteProperty(object, key);
    else Object.defineProperty(object, key, found);
  });
}
